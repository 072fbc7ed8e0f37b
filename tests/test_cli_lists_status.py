"""`gatectl watchlist status` and `rollback`, on the files of a gate whose daemon is down."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from gated.commands.answer import UsageError
from gated.commands.lists_status import watchlist_rollback, watchlist_status
from gated.store.kinds import ASKED_BACK
from gated.watchlist.publication import Stage
from tests.store.central_stand_in import Central, document
from tests.store.test_replication_kinds import Kinds
from tests.system.link_rig import GATE_TOML


@pytest.fixture
def kinds(tmp_path: Path) -> Iterator[Kinds]:
    central = Central(tmp_path / "central")
    central.publish(document("L898902C3"))
    kinds = Kinds(tmp_path, central)
    values = {"requests": 1, "announcements": 2, "server_key": "x" * 40, "key_file": "/k", "timeout_s": 1}
    (tmp_path / "gate.toml").write_text(
        GATE_TOML.format(state=kinds.folder.parent, run=tmp_path / "run", **values)
    )
    yield kinds
    kinds.gate.watchlist.close()


def asked(tmp_path: Path, **more: object) -> argparse.Namespace:
    return argparse.Namespace(config=tmp_path / "gate.toml", **more)


def test_each_kind_is_told_with_version_age_failure_and_fix(kinds: Kinds, tmp_path: Path) -> None:
    kinds.publish(b"rules")
    kinds.gate.refresh()
    kinds.refuse = {b"bad"}
    kinds.publish(b"bad", Stage())
    kinds.gate.refresh()
    answer = watchlist_status(asked(tmp_path))
    (told,) = answer.value["kinds"]
    assert (told.kind, told.version, told.published, told.code) == ("rules", 1, 2, "not_usable_here")
    assert told.age_s is not None
    assert 0 <= told.age_s < 120
    assert not answer.good
    first, second = answer.text
    assert "gated does not answer" in first
    assert "rules: version 1, 2 is published, vouched for" in second
    assert "withdraw it" in second


def test_a_rollback_asks_the_gate_and_says_for_what(kinds: Kinds, tmp_path: Path) -> None:
    kinds.publish(b"old")
    kinds.gate.refresh()
    with pytest.raises(UsageError, match="withdraw the wrong one at the centre"):
        watchlist_rollback(asked(tmp_path, kind="rules"))
    kinds.publish(b"new")
    kinds.gate.refresh()
    answer = watchlist_rollback(asked(tmp_path, kind="rules"))
    assert "content 1 under version 2" in answer.text[0]
    assert (kinds.folder / ASKED_BACK).exists()
    kinds.kinds.go_back_if_asked()
    assert "version 2, with the content of 1" in watchlist_status(asked(tmp_path)).text[1]
