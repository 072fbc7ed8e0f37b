"""A journal on its way up over real sockets: away, back, killed at either end, and never twice."""

import json
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import zmq

from gated.central.cli import main
from gated.central.collect_command import journal_warnings
from gated.central.wire import read_key_file
from gated.store import delivery as say
from gated.store.journal import Journal
from gated.store.journal_key import public_part
from tests.central.collecting import GATE, OWN, change, entries, lived
from tests.core.passages import citizen
from tests.link.collect_rig import CollectRig
from tests.store.test_journal import write
from tests.system.link_rig import BIN, Rig, until


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[CollectRig]:
    (tmp_path / "state").mkdir()
    lived(tmp_path / "state" / "journal.db", range(2))
    with CollectRig(tmp_path, tmp_path / "state" / "journal.db") as rig:
        yield rig


def test_what_was_journalled_while_the_centre_was_away_arrives_once_when_it_returns(
    rig: CollectRig, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.start_gate()
    rig.link()
    time.sleep(0.3)
    assert rig.acknowledged() == 0
    rig.collect()
    until(lambda: rig.acknowledged() == entries(rig.journal)[-1][0])
    mine = entries(rig.journal)
    folder = str(rig.folder.path)
    assert main(["collect", folder, "--export", "-"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["seq"], row["hash"]) for row in rows] == mine
    assert {row["gate"] for row in rows} == {"gate-1"}
    assert (rows[0]["event"]["type"], rows[0]["outcome"]["state"]) == ("GateStarted", "out_of_service")
    file = str(rig.folder.path / "some.jsonl")
    assert main(["collect", folder, "--export", file, "--after", "30", "--gate", "gate-1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"entries": len(mine) - 30, "file": file}
    assert main(["collect", folder, "--export", file]) == 1
    assert "is there already" in capsys.readouterr().err
    assert main(["status", folder, "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    [journal] = status["journals"]
    assert (journal["gate"], journal["entries"], journal["lag"]) == ("gate-1", len(mine), 0)
    assert (journal["alarms"], status["receipt_key"]) == ([], rig.key)
    assert main(["status", folder]) == 0
    said = capsys.readouterr().out
    assert re.search(rf"^gate-1 +{journal['entries']} ", said, re.MULTILINE)
    assert re.search(rf"^gate-1 +{public_part(OWN)}$", said, re.MULTILINE)


@pytest.mark.timeout(60)
def test_killed_at_either_end_again_and_again_each_entry_is_at_the_centre_once(rig: CollectRig) -> None:
    journal = Journal(rig.journal)
    over = threading.Event()

    def live() -> None:
        for number in range(100, 160):
            write(journal, citizen(f"{number:016x}"))
        over.set()

    rig.collect()
    rig.link()
    rig.start_gate(lambda: journal.head.seq)
    living = threading.Thread(target=live)
    living.start()
    for turn in range(3):
        time.sleep(0.15 + 0.1 * turn)
        rig.stop_collecting(signal.SIGKILL)
        rig.unlink()
        rig.stop_gate()
        rig.start_gate(lambda: journal.head.seq)
        rig.link()
        rig.collect()
    living.join()
    assert over.is_set()
    until(lambda: rig.acknowledged() == journal.head.seq, 20.0)
    assert rig.exported() == entries(rig.journal)
    assert rig.states()[0].alarms == ()
    journal.close()
    assert rig.stop_collecting(signal.SIGTERM) == 0


def test_a_cut_journal_is_an_alarm_that_stays_until_somebody_settles_it(
    rig: CollectRig, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(rig.folder.path)
    rig.collect()
    rig.link()
    rig.start_gate()
    until(lambda: rig.acknowledged() == entries(rig.journal)[-1][0])
    rig.stop_gate()
    change(rig.journal, "DELETE FROM entries WHERE seq > 20", "DELETE FROM passages WHERE ended > 20")
    rig.start_gate()
    until(lambda: rig.lane is not None and rig.lane.standing.code == "journal_cut")
    assert "tell the operator" in rig.lane.standing.fix  # type: ignore[union-attr]  # it is there
    until(lambda: rig.states()[0].alarms != ())
    [alarm] = rig.states()[0].alarms
    assert (alarm.code, alarm.seq) == ("cut", 21)
    assert main(["status", folder, "--json"]) == 0
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    assert any("cut at entry 21" in warning for warning in warnings)
    settle = ["collect", folder, "--settle", str(alarm.id)]
    assert main(settle) == 1
    assert "--why" in capsys.readouterr().err
    assert main([*settle, "--why", "disk replaced, ticket 7"]) == 0
    assert main([*settle, "--why", "once more"]) == 1
    assert rig.states()[0].alarms == ()


def test_a_gate_that_was_revoked_is_refused_and_one_that_was_never_allowed_is_not_heard(
    rig: CollectRig,
) -> None:
    rig.collect()
    rig.link()
    rig.start_gate()
    until(lambda: rig.acknowledged() > 0)
    assert main(["revoke", str(rig.folder.path), "--gate", "gate-1"]) == 0
    rig.stop_gate()
    rig.start_gate()
    until(lambda: rig.lane is not None and rig.lane.standing.code == "key_refused")


def test_a_database_that_takes_nothing_for_a_while_delays_receipts_and_loses_nothing(rig: CollectRig) -> None:
    rig.collect()
    database = sqlite3.connect(rig.folder.path / "journals.db", isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    rig.link()
    rig.start_gate()
    until(lambda: "journals cannot be kept" in rig.log.read_text())
    assert rig.acknowledged() == 0
    database.execute("ROLLBACK")
    database.close()
    until(lambda: rig.acknowledged() == entries(rig.journal)[-1][0], 20.0)
    assert rig.exported() == entries(rig.journal)


def test_a_gate_that_was_not_heard_of_for_long_is_a_warning(rig: CollectRig) -> None:
    rig.collect()
    rig.link()
    rig.start_gate()
    until(lambda: rig.acknowledged() > 0)
    heard = datetime.fromisoformat(rig.states()[0].heard)
    assert journal_warnings(rig.states(), heard + timedelta(minutes=59), {"gate-1"}) == []
    assert journal_warnings(rig.states(), heard + timedelta(minutes=61), {"gate-2"}) == [], "it was revoked"
    [told] = journal_warnings(rig.states(), heard + timedelta(minutes=61), {"gate-1"})
    assert told.startswith("journal of gate-1: nothing was heard since")


def test_garbage_from_anybody_harms_nobody(rig: CollectRig) -> None:
    rig.collect()
    host, _, port = rig.address.removeprefix("tcp://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        line.sendall(os.urandom(4096))
    at = say.Position(seq=0, hash=bytes(32))
    with gate_speaking(rig, *zmq.curve_keypair()) as stranger:
        stranger.send(say.encode(say.Whereabouts(number=1, head=at, known=())))
        assert not stranger.poll(500)
    pair = read_key_file(Path(rig.handout.key_file))
    with gate_speaking(rig, pair.public_key.encode(), pair.secret_key.encode()) as gate:
        gate.send(b"")
        gate.send(b"\xc1" * 100)
        gate.send_multipart([b"a", b"b", b"c"])
        nothing = say.Delivery(number=7, head=at, after=at, at=at, entries=b"nothing packed")
        gate.send(say.encode(say.attest(OWN, GATE, nothing)))
        assert gate.poll(5000)
        assert say.read_at_gate(gate.recv()) == say.NotTaken(number=7, reason="malformed")
        gate.send(bytes(2 * say.MAX_DELIVERY))  # is cut off for it
        time.sleep(0.2)
    rig.link()
    rig.start_gate()
    until(lambda: rig.acknowledged() == entries(rig.journal)[-1][0])


@contextmanager
def gate_speaking(rig: CollectRig, public: bytes, secret: bytes) -> "Iterator[zmq.Socket[bytes]]":
    """A connection to the collector with this key."""
    context = zmq.Context()
    line = context.socket(zmq.DEALER)
    line.setsockopt(zmq.CURVE_SERVERKEY, rig.handout.server_key.encode())
    line.setsockopt(zmq.CURVE_PUBLICKEY, public)
    line.setsockopt(zmq.CURVE_SECRETKEY, secret)
    line.connect(rig.address)
    yield line
    context.destroy(linger=0)


def test_metrics_tell_each_gate_and_the_receipt_key_is_for_its_owner_alone(
    rig: CollectRig, tmp_path: Path
) -> None:
    rig.collect("--metrics", str(tmp_path / "metrics.prom"))
    rig.link()
    rig.start_gate()
    until(lambda: rig.acknowledged() > 0)
    until(lambda: 'egate_journal_lag{gate="gate-1"} 0' in (tmp_path / "metrics.prom").read_text(), 15.0)
    mode = (rig.folder.curve / "receipt.pem").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    (rig.folder.curve / "receipt.pem").chmod(0o644)
    assert main(["collect", str(rig.folder.path), "--address", "tcp://127.0.0.1:0"]) == 1


def test_what_cannot_be_done_is_said(
    rig: CollectRig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(rig.folder.path)
    for options, said in (
        (["--export", str(tmp_path / "x.jsonl")], "journals.db"),
        (["--address", "tcp://256.0.0.1:1"], "cannot listen on"),
        (["--settle", "5", "--why", "x"], "no such open alarm"),
        (["--address", "tcp://127.0.0.1:0", "--database", str(tmp_path)], str(tmp_path)),
    ):
        assert main(["collect", folder, *options]) == 1
        assert said in capsys.readouterr().err


def test_gate_link_names_a_collector_that_is_no_address(tmp_path: Path) -> None:
    with Rig(tmp_path) as rig:
        rig.link(timeout_s=1.0)
        rig.stop("link", signal.SIGKILL)
        config = tmp_path / "gate.toml"
        key = "a" * 64
        config.write_text(
            f'{config.read_text()}[journal]\ncollector = "nowhere"\nreceipt_key = "{key}"\nkey_file = "k"\n'
        )
        done = subprocess.run(
            [BIN / "gate-link", "--config", config], capture_output=True, text=True, timeout=20, check=False
        )
    assert done.returncode == 78
    assert "[journal] collector cannot be used" in done.stderr
