"""A PC/SC daemon of the tests' own, with a virtual reader on which simulated chips are laid.

The daemon keeps its socket in a fixed folder, so it gets a mount namespace in which that is ours. Its clients
remember the socket for as long as their process lives, so ours stays the same too.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from hw_sim.passport.chip import NoAnswer
from hw_sim.passport.vpcd import Address, State, VirtualCard
from hw_sim.reader.reader_model import Card

DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
SOCKET_FOLDER = Path("/run/pcscd")
FOLDER = Path(tempfile.gettempdir()) / f"egate-pcsc-{os.getpid()}"
SOCKET = FOLDER / "run" / "pcscd.comm"
SOCKET_VARIABLE = "PCSCLITE_CSOCK_NAME"
START_S = 10.0


def what_is_missing() -> str:
    """Why no PC/SC daemon can be started here; empty when it can."""
    if shutil.which("pcscd") is None or not DRIVER.exists():
        return "needs pcscd and the driver vsmartcard-vpcd (Debian packages of these names)"
    if shutil.which("unshare") is None or os.geteuid() != 0:
        return "needs root, and unshare, to give the PC/SC daemon a folder of its own"
    try:
        import smartcard.scard  # noqa: F401, PLC0415 - optional
    except ImportError:
        return "needs the optional package pyscard: pip install '.[pcsc]'"
    tried = subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True)
    return "" if tried.returncode == 0 else "needs the right to make a mount namespace"


class Gone(Exception):
    """Ends the thread of a card that was taken away."""


class Laid:
    """A card on the virtual reader, until it is taken away."""

    def __init__(self, card: Card, port: int) -> None:
        self._card = card
        self._away = False
        self._thread = Thread(target=self._lie, args=(port,), name="virtual-card", daemon=True)
        self._thread.start()

    def take_away(self) -> None:
        """The card leaves at the next thing that is asked of it; the daemon asks for it all the time."""
        self._away = True
        self._thread.join(START_S)

    def _lie(self, port: int) -> None:
        def tell(state: State) -> None:
            if self._away and state != "connected":
                raise Gone

        try:
            VirtualCard(self, Address(host="localhost", port=port)).serve(tell)
        except Gone:
            return

    def _here(self) -> Card:
        if self._away:
            raise NoAnswer
        return self._card

    @property
    def atr(self) -> bytes:
        return self._here().atr

    def reset(self) -> None:
        self._here().reset()

    def command(self, apdu: bytes) -> bytes:
        return self._here().command(apdu)

    def busy_s(self, command: bytes, response: bytes) -> float:
        return self._card.busy_s(command, response)


class Daemon:
    """The PC/SC daemon with its virtual reader."""

    def __init__(self) -> None:
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._laid: Laid | None = None

    def start(self) -> None:
        shutil.rmtree(FOLDER, ignore_errors=True)
        readers = FOLDER / "readers"
        SOCKET.parent.mkdir(parents=True)
        readers.mkdir()
        (readers / "vpcd").write_text(
            f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{self.port:#x}\n'
            f"LIBPATH {DRIVER}\nCHANNELID {self.port:#x}\n"
        )
        SOCKET_FOLDER.mkdir(exist_ok=True)
        script = f"mount --bind {SOCKET.parent} {SOCKET_FOLDER} && exec pcscd -f -c {readers}"
        self._process = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_S
        while not SOCKET.exists():
            assert self._process.poll() is None, "the PC/SC daemon ended at once"
            assert time.monotonic() < deadline, "the PC/SC daemon did not come up"
            time.sleep(0.02)

    def stop(self) -> None:
        self.take_away()
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_S)
            self._process = None
        shutil.rmtree(FOLDER, ignore_errors=True)

    def lay(self, card: Card) -> None:
        self.take_away()
        self._laid = Laid(card, self.port)

    def take_away(self) -> None:
        laid, self._laid = self._laid, None
        if laid is not None:
            laid.take_away()


@contextmanager
def running() -> Iterator[Daemon]:
    """The daemon, and this process its client."""
    one = Daemon()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SOCKET_VARIABLE, str(SOCKET))
        one.start()
        yield one
        one.stop()


def _free_port() -> int:
    """A port whose successor is free too: the virtual reader has two slots."""
    for _ in range(50):
        with socket.create_server(("localhost", 0)) as first:
            port: int = first.getsockname()[1]
            try:
                with socket.create_server(("localhost", port + 1)):
                    return port
            except OSError:
                continue
    raise AssertionError("no two free ports in a row")
