"""What the running server tells a monitor."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gated.central.figures import ONLINE_S, Figures
from gated.central.repository import Repository
from gated.store.replication import Updated
from gated.watchlist.publication import ROLES
from tests.store.central_stand_in import Central, document
from tests.system.link_rig import Rig, until

LINE = re.compile(r'(# TYPE [a-z_]+ (counter|gauge))|([a-z_]+(\{[a-z]+="[a-z0-9_-]+"\})? [0-9]+)')


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path) as rig:
        yield rig


def test_the_text_is_of_prometheus_form_and_tells_of_every_role(tmp_path: Path) -> None:
    central = Central(tmp_path / "central")
    central.publish(document("L898902C3"))
    figures = Figures(heard={"gate-1": 0.0, "gate-2": ONLINE_S})
    figures.answers["piece"] = 3
    text = figures.told(Repository(central.folder), 5, ONLINE_S + 1)
    assert all(LINE.fullmatch(line) for line in text.splitlines()), text
    for role in ("root", "targets", "snapshot", "timestamp", *ROLES):
        assert f'egate_central_role_expires_seconds{{role="{role}"}}' in text
    assert 'egate_central_role_version{role="watchlist"} 2' in text
    assert "egate_central_gates_online 1\n" in text
    assert "egate_central_gates_allowed 5\n" in text
    assert 'egate_central_answers_total{answer="piece"} 3' in text


def test_a_server_that_runs_keeps_its_file_up_to_date(rig: Rig) -> None:
    rig.publish("L898902C3,UTO,P,,,,,stop,stolen,R-1")
    told = rig.folder / "central.prom"
    rig.serve(options=("--metrics", str(told)))
    until(told.exists)
    assert "egate_central_gates_online 0\n" in told.read_text()
    rig.link()
    with rig.gate() as gate:
        gate.refresh_until(Updated)
    begun = time.monotonic()
    until(lambda: "egate_central_gates_online 1\n" in told.read_text())
    assert time.monotonic() - begun < 8
    assert re.search(r'answers_total\{answer="piece"\} [1-9]', told.read_text())
    assert re.search(r"egate_central_sent_bytes_total [1-9]", told.read_text())
