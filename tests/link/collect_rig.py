"""A gate's delivery lane, its carrier and a collector: real sockets and real keys, on the loopback."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import zmq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gated.central.collect import DATABASE
from gated.central.collect_command import journal_states
from gated.central.folder import CentralFolder
from gated.central.journal_keys import enrol
from gated.central.keys import admit_gate, initialise
from gated.central.receipts import receipt_public
from gated.central.record_store import open_database
from gated.central.records import JournalState, Records
from gated.central.repository import Lifetimes
from gated.central.wire import read_key_file
from gated.core.settings.central import LinkSettings
from gated.lanes.delivery import DeliveryLane
from gated.link_journal import JournalCarrier
from gated.runtime.bus import Peer
from gated.runtime.messages import JournalUp
from gated.store.journal_key import public_part
from tests.central.collecting import GATE, OWN, entries
from tests.system.link_rig import free_port

BIN = Path(sys.executable).parent


class CollectRig:
    """One central folder and one gate's journal; each end can be stopped and started."""

    def __init__(self, folder: Path, journal: Path) -> None:
        self.journal = journal
        self.own = OWN
        self.folder = CentralFolder(folder / "central")
        initialise(self.folder, datetime.now(UTC), Lifetimes())
        self.handout = admit_gate(self.folder, GATE)
        self.key = receipt_public(self.folder)
        enrol(self.folder, GATE, public_part(OWN), datetime.now(UTC))
        self.run = Path(tempfile.mkdtemp(prefix="egate-"))
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.log = folder / "collect.log"
        self.collector: subprocess.Popen[str] | None = None
        self.lane: DeliveryLane | None = None
        self._ending = threading.Event()
        self._link: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_gate()
        self.unlink()
        self.stop_collecting()
        shutil.rmtree(self.run)

    def collect(self, *options: str) -> None:
        command = [BIN / "gate-central", "collect", self.folder.path, "--address", self.address, "--json"]
        with self.log.open("a") as log:
            self.collector = subprocess.Popen(
                [*command, *options], stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self.collector.stdout is not None
        said = json.loads(self.collector.stdout.readline())
        assert said == {"address": self.address, "receipt_key": self.key}

    def stop_collecting(self, number: int = signal.SIGKILL) -> int | None:
        if self.collector is None:
            return None
        self.collector.send_signal(number)
        status = self.collector.wait(10)
        assert self.collector.stdout is not None
        self.collector.stdout.close()
        self.collector = None
        return status

    def link(self, through: tuple[str, str] | None = None) -> None:
        """What gate-link does for the journal, in a thread; through a proxy: its address and public key."""
        address, server_key = through or (self.address, self.handout.server_key)
        self._ending.clear()
        key = read_key_file(Path(self.handout.key_file))
        settings = LinkSettings(
            requests="tcp://127.0.0.1:1",
            announcements="tcp://127.0.0.1:1",
            server_key=server_key,
            key_file=self.handout.key_file,
        )

        def carry() -> None:
            with Peer[JournalUp](f"ipc://{self.run}/journal", JournalUp, bind=False) as peer:
                carrier = JournalCarrier(settings, address, key, peer)
                while not self._ending.is_set():
                    zmq.zmq_poll([(socket, zmq.POLLIN) for socket in (carrier.letters, carrier.answers)], 50)
                    carrier.turn(time.monotonic())
                carrier.close()

        self._link = threading.Thread(target=carry)
        self._link.start()

    def unlink(self) -> None:
        self._ending.set()
        if self._link is not None:
            self._link.join()
            self._link = None

    def start_gate(self, head: Callable[[], int] | None = None) -> None:
        """What `gated` does for the journal."""
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.key))
        at_rest = entries(self.journal)[-1][0]
        self.lane = DeliveryLane(
            f"ipc://{self.run}/journal", self.journal, GATE, key, self.own, head or (lambda: at_rest)
        )
        self.lane.lane.start()

    def stop_gate(self) -> None:
        if self.lane is not None:
            self.lane.lane.stop(5.0)
            assert self.lane.lane.failure is None
            self.lane = None

    def acknowledged(self) -> int:
        assert self.lane is not None
        return self.lane.standing.acknowledged

    def states(self) -> tuple[JournalState, ...]:
        return journal_states(self.folder)

    def exported(self) -> list[tuple[int, str]]:
        records = Records(open_database(str(self.folder.path / DATABASE), to_read=True))
        found = list(records.entries())
        records.close()
        assert all(each.gate == GATE and each.sound for each in found)
        return [(each.seq, each.hash) for each in found]
