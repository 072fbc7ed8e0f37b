"""Central server, gate-link and the gate's updater on the loopback: what the three do together."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import zmq

from gated.core.vocabulary import Grade
from gated.runtime.bus import Peer
from gated.runtime.messages import FETCH_PIECE, Announced, Fetch, Fetched, FromLink, NotFetched
from gated.store.replication import Failed, Unchanged, Updated
from tests.system.link_rig import BIN, Gate, Rig, free_port, until

STOLEN = "L898902C3,UTO,P,,,,,stop,stolen,R-1"


def rows(first: int, last: int) -> list[str]:
    return [f"A{number:06},UTO,P,,,,,refer,stolen,R-{number}" for number in range(first, last)]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path) as rig:
        yield rig


def code(result: object) -> str:
    assert isinstance(result, Failed), result
    return result.code


def test_snapshot_delta_and_gap_travel_from_publication_to_lookup(rig: Rig) -> None:
    rig.publish(STOLEN, *rows(0, 3000))
    rig.serve()
    rig.link()
    with rig.gate() as gate:
        assert gate.refresh_until(Updated) == Updated(version=1, by="snapshot")
        assert gate.grade("L898902C3<") is Grade.STOP
        gate.link.wait(0)

        rig.publish(*rows(0, 3001))
        assert gate.link.wait(5), "the publication was not announced"
        assert gate.refresh() == Updated(version=2, by="delta")
        assert (gate.grade("L898902C3"), gate.grade("A003000")) == (Grade.NONE, Grade.REFER)

        rig.publish(*rows(0, 3002), options=("--keep", "1"))
        rig.publish(STOLEN, *rows(0, 3002), options=("--keep", "1"))
        assert gate.refresh() == Updated(version=4, by="snapshot")
        assert gate.grade("L898902C3") is Grade.STOP
        assert rig.command("status")["version"] == 4


def test_without_the_central_server_lookups_go_on_and_the_age_grows(rig: Rig) -> None:
    rig.publish(STOLEN)
    rig.serve(interval_s=0.5)
    rig.link(timeout_s=0.6)
    with rig.gate() as gate:
        gate.refresh_until(Updated)
        rig.stop("serve", signal.SIGKILL)
        before = gate.age_s()
        assert code(gate.refresh()) == "link_down"
        assert gate.grade("L898902C3") is Grade.STOP
        assert gate.age_s() > before
        gate.watchlist.close()
        again = Gate(rig.state, cast("Peer[FromLink]", gate.link._peer), 5.0)
        assert again.grade("L898902C3") is Grade.STOP  # also after a restart with no link
        rig.serve(interval_s=0.5)
        old = again.age_s()
        time.sleep(1.1)
        assert isinstance(again.refresh_until(Unchanged), Unchanged)
        until(lambda: bool(again.refresh()) and again.age_s() < old)
        again.watchlist.close()


def test_the_server_keeps_vouching_while_it_runs(rig: Rig) -> None:
    rig.publish(STOLEN)
    rig.serve(interval_s=0.5)
    rig.link()
    with rig.gate() as gate:
        gate.refresh_until(Updated)
        first = gate.watchlist.signed_at
        until(lambda: isinstance(gate.refresh(), Unchanged) and gate.watchlist.signed_at >= first + 2)


def test_a_gate_whose_key_is_not_allowed_gets_nothing_and_both_sides_say_so(rig: Rig) -> None:
    rig.publish(STOLEN)
    rig.serve()
    stranger = rig.folder / "stranger.key"
    public, secret = zmq.curve_keypair()
    stranger.write_text(f'public_key = "{public.decode()}"\nsecret_key = "{secret.decode()}"\n')
    stranger.chmod(0o600)
    rig.link(timeout_s=0.6, key_file=str(stranger))
    with rig.gate() as gate:
        until(lambda: code(gate.refresh()) == "refused")
        assert gate.watchlist.version == 0
        gate.link.ping()
        gate.link.wait(0.5)
        assert gate.link.state == "refused"
        (rig.central / "gates" / "gate-2.pub").write_text(public.decode())  # mended while both run
        gate.refresh_until(Updated)
    assert "refuses this gate's key" in rig.logs["link"].read_text()
    assert "unknown key was refused" in rig.logs["serve"].read_text()
    assert secret.decode() not in rig.logs["link"].read_text() + rig.logs["serve"].read_text()


def test_a_wrong_server_key_is_silence_and_is_reported_as_no_link(rig: Rig) -> None:
    rig.publish(STOLEN)
    rig.serve()
    rig.link(timeout_s=0.6, server_key=zmq.curve_keypair()[0].decode())
    with rig.gate() as gate:
        until(lambda: code(gate.refresh()) == "link_down" and gate.link.answered_at is not None)
        assert code(gate.refresh()) == "link_down"


def test_a_revoked_gate_is_refused_though_it_is_connected_and_a_new_key_lets_it_in_again(rig: Rig) -> None:
    rig.publish(STOLEN)
    rig.serve()
    rig.link(timeout_s=0.6)
    with rig.gate() as gate:
        gate.refresh_until(Updated)
        rig.command("revoke", "--gate", "gate-1")
        assert code(gate.refresh()) == "refused"
        rig.stop("link")
        rig.handout = rig.command("keys", "--gate", "gate-1")
        rig.link(timeout_s=0.6)
        gate.refresh_until(Unchanged)


def test_gate_link_killed_and_started_again_is_found_by_gated(rig: Rig) -> None:
    rig.publish(STOLEN)
    rig.serve()
    rig.link()
    with rig.gate(patience_s=1.0) as gate:
        gate.refresh_until(Updated)
        rig.stop("link", signal.SIGKILL)
        assert code(gate.refresh()) == "link_down"
        rig.link()
        gate.refresh_until(Unchanged)


def test_what_a_gate_missed_while_its_line_was_down_is_made_up_for_when_it_is_back(rig: Rig) -> None:
    rig.publish(STOLEN)
    rig.serve()
    rig.link()
    with rig.gate() as gate:
        gate.refresh_until(Updated)
        rig.stop("serve", signal.SIGKILL)
        gate.link.wait(0.2)
        rig.publish(STOLEN, *rows(0, 1))
        rig.serve()
        assert gate.link.wait(10), "nobody said that there is something to be made up for"
        assert gate.refresh_until(Updated) == Updated(version=2, by="delta")


def test_a_file_of_many_pieces_comes_whole_and_within_the_credit(rig: Rig) -> None:
    big = os.urandom(1024) * (20 * FETCH_PIECE // 1024) + b"end"
    rig.publish(STOLEN)
    (rig.central / "repository" / "targets" / "watchlist" / "big").write_bytes(big)
    rig.serve()
    rig.link()
    with rig.gate() as gate:
        gate.refresh_until(Updated)
        assert b"".join(gate.link.fetch("targets/watchlist/big", len(big))) == big
        peer = cast("Peer[FromLink]", gate.link._peer)
        dropped = peer.dropped
        peer.send(Fetch(number=9000, path="targets/watchlist/big", max_bytes=len(big)))
        time.sleep(0.5)
        answers = []
        while (message := peer.receive(0.1)) is not None:
            answers.append(message)
        assert [type(answer) for answer in answers] == [Fetched] * 16  # the credit of one Fetch, and no more
        assert peer.dropped == dropped


@pytest.mark.parametrize(
    ("path", "max_bytes", "reason"),
    [
        ("metadata/none.json", 1000, "missing"),
        ("metadata/timestamp.json", 10, "too_long"),
        ("keys/root.pem", 1000, "missing"),
        ("curve/server.key", 1000, "missing"),
    ],
)
def test_what_is_not_published_does_not_come(rig: Rig, path: str, max_bytes: int, reason: str) -> None:
    rig.publish(STOLEN)
    rig.serve()
    rig.link()
    with Peer[FromLink](f"ipc://{rig.run}/link", FromLink, bind=True) as peer:
        fetch = Fetch(number=1, path=path, max_bytes=max_bytes)
        until(lambda: peer.send(fetch))
        while isinstance(answer := peer.receive(5), Announced):
            pass
        assert answer == NotFetched(number=1, reason=reason)  # type: ignore[arg-type]  # one of its words, by parameter


def test_a_server_that_stops_in_the_midst_of_a_fetch_ends_in_no_link_in_time(rig: Rig) -> None:
    rig.publish(STOLEN)
    rig.serve()
    rig.link(timeout_s=0.6)
    with rig.gate() as gate:
        gate.refresh_until(Updated)
        rig.processes["serve"].send_signal(signal.SIGSTOP)
        try:
            begun = time.monotonic()
            assert code(gate.refresh()) == "link_down"
            assert 0.5 < time.monotonic() - begun < 2.5
        finally:
            rig.processes["serve"].send_signal(signal.SIGCONT)
        gate.refresh_until(Unchanged)


def test_garbage_on_the_server_port_harms_nobody(rig: Rig) -> None:
    rig.publish(STOLEN)
    rig.serve()
    for port in rig.ports:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            line.sendall(os.urandom(4096))
    rig.link()
    with rig.gate() as gate:
        gate.refresh_until(Updated)


def test_both_processes_stop_when_told_and_use_next_to_no_time_when_idle(rig: Rig) -> None:
    rig.publish(STOLEN)
    rig.serve(interval_s=60)
    rig.link()
    with rig.gate() as gate:
        gate.refresh_until(Updated)
        ticks = os.sysconf("SC_CLK_TCK")

        def used(name: str) -> float:
            fields = Path(f"/proc/{rig.processes[name].pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / ticks

        before = {name: used(name) for name in ("serve", "link")}
        time.sleep(4)
        assert {name: used(name) - before[name] <= 0.04 for name in before} == {"serve": True, "link": True}
    assert rig.stop("link") == 0
    assert rig.stop("serve") == 0


@pytest.mark.parametrize(
    ("breakage", "complaint"),
    [
        ("missing", "cannot be read"),
        ("open", "chmod 600"),
        ("garbage", "not a key file"),
        ("address", "tcp://HOST:PORT"),
    ],
)
def test_gate_link_says_what_is_wrong_with_its_keys(rig: Rig, breakage: str, complaint: str) -> None:
    key = rig.folder / "own.key"
    shutil.copy(rig.handout["key_file"], key)
    if breakage == "missing":
        key.unlink()
    elif breakage == "open":
        key.chmod(0o644)
    elif breakage == "garbage":
        key.write_text('public_key = "secret-looking"\n')
    port = "x" if breakage == "address" else str(free_port())
    rig.link(key_file=str(key), requests=port)
    process = rig.processes.pop("link")
    assert process.wait(timeout=10) == 78
    said = rig.logs["link"].read_text()
    assert complaint in said
    assert "secret-looking" not in said
    assert "Traceback" not in said


def test_gate_link_refuses_a_wrong_configuration(tmp_path: Path) -> None:
    config = tmp_path / "gate.toml"
    config.write_text("gat = 'x'\n")
    done = subprocess.run(
        [BIN / "gate-link", "--config", config], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 78
    assert str(config) in done.stderr
