"""Packed documents over the wire: the commands of the centre, gate-link, and the gate's updater."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gated.core.vocabulary import Grade
from gated.store.fetching import LinkFetcher
from gated.store.list_keys import make_list_key, read_list_keys
from gated.store.replication import Failed, Updated, WatchlistUpdater
from gated.store.watchlist import Watchlist
from gated.watchlist.keyed import parse_key_file
from tests.system.link_rig import BIN, GATE_TOML, Gate, Rig

STOLEN = "L898902C3,UTO,P,,,,,stop,stolen,R-1"
MANY = [f"A{number:06},UTO,P,,,,,refer,stolen,R-{number}" for number in range(20_000)]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path) as rig:
        yield rig


def hold_keys(gate: Gate, *paths: Path) -> None:
    """Let the gate hold these keys, as after a restart with another configuration."""
    gate.watchlist.close()
    gate.watchlist = Watchlist.open(gate.watchlist.state, read_list_keys(paths))
    gate.updater = WatchlistUpdater(gate.watchlist, LinkFetcher(gate.link, gate.watchlist.state))


def test_packs_and_steps_travel_from_publication_to_lookup_and_no_number_does(rig: Rig) -> None:
    rig.command("list-key")
    rig.publish(STOLEN, *MANY)
    rig.serve()
    rig.link()
    with rig.gate() as gate:
        refused = gate.refresh_until(Failed)
        assert isinstance(refused, Failed)
        hold_keys(gate, rig.central / "keys" / "list.key")
        assert gate.refresh_until(Updated) == Updated(version=1, by="snapshot")
        assert (gate.grade("L898902C3<"), gate.grade("A000007")) == (Grade.STOP, Grade.REFER)
        assert gate.grade("B000007") is Grade.NONE
        gate.link.wait(0)

        rig.publish(*MANY, "B000007,UTO,P,,,,,stop,stolen,R-2")
        assert gate.link.wait(5), "the publication was not announced"
        assert gate.refresh() == Updated(version=2, by="delta")
        assert (gate.grade("L898902C3"), gate.grade("B000007")) == (Grade.NONE, Grade.STOP)
        assert rig.command("status")["documents"] == 20_001
    for folder in (rig.central / "repository", rig.state):
        for path in folder.rglob("*"):
            assert not path.is_file() or b"L898902C3" not in path.read_bytes(), path


def test_a_new_key_is_carried_to_the_gate_before_the_list_that_is_made_under_it(rig: Rig) -> None:
    rig.command("list-key")
    rig.publish(STOLEN, *MANY[:100])
    old = rig.folder / "old.key"
    old.write_bytes((rig.central / "keys" / "list.key").read_bytes())
    old.chmod(0o600)
    rig.serve()
    rig.link()
    with rig.gate() as gate:
        hold_keys(gate, old)
        gate.refresh_until(Updated)
        rig.command("list-key")
        rig.publish(*MANY[:100])
        refused = gate.refresh_until(Failed)
        assert isinstance(refused, Failed)
        assert refused.code == "no_list_key"
        assert gate.grade("L898902C3") is Grade.STOP, "the list in force stays"
        hold_keys(gate, old, rig.central / "keys" / "list.key")
        assert gate.grade("L898902C3") is Grade.STOP
        assert gate.refresh_until(Updated) == Updated(version=2, by="snapshot")
        assert (gate.grade("L898902C3"), gate.grade("A000007")) == (Grade.NONE, Grade.REFER)


def test_a_gate_whose_list_key_others_may_read_does_not_start(rig: Rig, tmp_path: Path) -> None:
    key = tmp_path / "list.key"
    make_list_key(key)
    key.chmod(0o644)
    values = {"requests": 1, "announcements": 2, "server_key": "x" * 40, "key_file": "/k", "timeout_s": 1}
    config = tmp_path / "gate.toml"
    text = GATE_TOML.format(state=rig.state, run=rig.run, **values)
    config.write_text(f'{text}[watchlist]\nkeys = ["{key}"]\n')
    done = subprocess.run(
        [BIN / "gated", "--config", config], check=False, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 78
    assert "[watchlist] keys" in done.stderr
    assert "others may read this secret" in done.stderr
    assert read_secret(key) not in done.stderr


def read_secret(key: Path) -> str:
    return parse_key_file(key.read_bytes()).reveal().hex()
