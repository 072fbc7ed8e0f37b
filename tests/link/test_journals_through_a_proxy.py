"""Journals of gates behind a proxy, over real sockets: they arrive, and nobody believes the proxy."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zmq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gated.central.cli import main
from gated.central.journal_proxy import SILENT_S, JournalProxy
from gated.central.keys import Handout, admit_gate
from gated.central.wire import read_key_file
from gated.store import delivery as say
from tests.central.collecting import GATE, OWN, entries, lived
from tests.link.collect_rig import BIN, CollectRig
from tests.system.link_rig import free_port, until

PROXY = "proxy-1"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[CollectRig]:
    (tmp_path / "state").mkdir()
    lived(tmp_path / "state" / "journal.db", range(2))
    with CollectRig(tmp_path, tmp_path / "state" / "journal.db") as rig:
        yield rig


@contextmanager
def proxy(rig: CollectRig, handout: Handout, log: Path) -> Iterator[tuple[str, str]]:
    """A running proxy: where it takes journals, and its public key."""
    address = f"tcp://127.0.0.1:{free_port()}"
    command: list[object] = [
        BIN / "gate-central", "proxy", rig.folder.gates, "--json", "--key-file", handout.key_file,
        "--server-key", handout.server_key, "--journals", address, "--upstream-journals", rig.address,
    ]  # fmt: skip
    for name in ("requests", "announcements"):
        command += [f"--{name}", f"tcp://127.0.0.1:{free_port()}"]
        command += [f"--upstream-{name}", f"tcp://127.0.0.1:{free_port()}"]
    with log.open("w") as file:
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=file, text=True)
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    yield address, told["server_key"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    process.stdout.close()


@contextmanager
def speaking(rig: CollectRig, handout: Handout) -> "Iterator[zmq.Socket[bytes]]":
    """A connection to the collector with this key."""
    pair, context = read_key_file(Path(handout.key_file)), zmq.Context()
    line = context.socket(zmq.DEALER)
    line.setsockopt(zmq.CURVE_SERVERKEY, handout.server_key.encode())
    line.setsockopt(zmq.CURVE_PUBLICKEY, pair.public_key.encode())
    line.setsockopt(zmq.CURVE_SECRETKEY, pair.secret_key.encode())
    line.connect(rig.address)
    yield line
    context.destroy(linger=0)


@pytest.mark.timeout(60)
def test_a_journal_arrives_through_a_proxy_and_goes_on_after_the_collector_was_away(
    rig: CollectRig, tmp_path: Path
) -> None:
    handout = admit_gate(rig.folder, PROXY)
    with proxy(rig, handout, tmp_path / "proxy.log") as (address, server_key):
        rig.collect("--proxy", PROXY)
        rig.link(through=(address, server_key))
        rig.start_gate()
        until(lambda: rig.acknowledged() == entries(rig.journal)[-1][0], 20.0)
        rig.stop_gate()
        rig.stop_collecting()
        rig.collect("--proxy", PROXY)
        lived(rig.journal, range(7, 8))
        rig.start_gate()
        until(lambda: rig.acknowledged() == entries(rig.journal)[-1][0], 20.0)
    assert rig.exported() == entries(rig.journal)
    assert rig.states()[0].alarms == ()


def test_a_proxy_speaks_for_no_gate_whose_signature_it_does_not_bring(rig: CollectRig) -> None:
    handout = admit_gate(rig.folder, PROXY)
    admit_gate(rig.folder, "gate-2")
    stranger = Ed25519PrivateKey.generate()
    asks = say.Whereabouts(number=7, head=say.GENESIS, known=())
    rig.collect("--proxy", PROXY)
    with speaking(rig, handout) as line:
        for name, key, told in (
            (GATE, stranger, "not_signed"),
            ("gate-2", OWN, "no_journal_key"),
            ("../gate-1", OWN, "refused"),
            ("gate-3", OWN, "refused"),
        ):
            line.send_multipart([b"way", name.encode(), say.encode(say.attest(key, name, asks))])
            assert line.poll(5000)
            way, raw = line.recv_multipart()
            assert (way, say.read_at_gate(raw)) == (b"way", say.NotTaken(number=7, reason=told))
        line.send_multipart([b"way", GATE.encode(), say.encode(say.attest(OWN, GATE, asks))])
        assert line.poll(5000)
        assert isinstance(say.read_at_gate(line.recv_multipart()[1]), say.Receipt)
    assert {(each.gate, alarm.code) for each in rig.states() for alarm in each.alarms} == {
        (GATE, "unsigned"),
        ("gate-2", "unsigned"),
    }
    with speaking(rig, rig.handout) as line:  # a gate is no proxy
        line.send_multipart([b"way", GATE.encode(), say.encode(say.attest(OWN, GATE, asks))])
        assert not line.poll(500)


def test_a_collector_that_says_nothing_for_long_is_connected_to_anew(rig: CollectRig) -> None:
    context, pair = zmq.Context(), read_key_file(Path(rig.handout.key_file))
    passing = JournalProxy(context, pair, ("tcp://127.0.0.1:*", rig.address), rig.handout.server_key)
    try:
        gates, upwards = passing.sockets
        passing.turn(lambda _: GATE, 1e6)
        assert passing.sockets == (gates, upwards)  # nothing was said, nothing is awaited
        passing._unheard_since = 0.0
        passing.turn(lambda _: GATE, SILENT_S - 1)
        assert passing.sockets == (gates, upwards)
        passing.turn(lambda _: GATE, SILENT_S)
        assert passing.sockets[0] is gates
        assert passing.sockets[1] is not upwards
        assert upwards.closed
    finally:
        context.destroy(linger=0)


def test_half_of_the_addresses_is_told(rig: CollectRig, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["proxy", str(rig.folder.gates), "--key-file", rig.handout.key_file, "--server-key", "x"]
    for name in ("requests", "announcements", "upstream-requests", "upstream-announcements", "journals"):
        words += [f"--{name}", "tcp://127.0.0.1:1"]
    assert main(words) == 1
    assert "give both, or neither" in capsys.readouterr().err
