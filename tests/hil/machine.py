"""The virtual machine: QEMU without KVM, its control socket, and the agent inside.

`Machine.call` runs a function of `tests.hil.guest` inside and returns its value; what it raises there is
`RaisedInsideError` here. Devices of the tests come in by `usb-redir`, whose sockets the tests serve.
"""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from tests.hil import cargo, image
from tests.hil.usb_redir import Port

PROGRAM = "qemu-system-x86_64"
BOOT_S = 300.0  # it takes 30 s on an idle machine
CALL_S = 300.0  # beyond any wait in the guest
KERNEL = "console=ttyS0 quiet panic=-1 mitigations=off audit=0 net.ifnames=0 systemd.show_status=false"
USB_PORTS = ("reader", "line")


class RaisedInsideError(Exception):
    """What a function raised in the guest: the name of its type, its code if it has one, its traceback."""

    def __init__(self, error: str, code: str, text: str) -> None:
        super().__init__(f"{error} {code}\n{text}")
        self.error = error
        self.code = code


class SilentError(Exception):
    """The guest did not answer in time."""


class _Lines:
    """JSON lines over a Unix socket."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._buffer = b""
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise

    def send(self, message: dict[str, Any]) -> None:
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self, timeout_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._buffer:
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                more = self._socket.recv(65_536)
            except TimeoutError as error:
                raise SilentError(f"nothing came within {timeout_s:.0f} s") from error
            if not more:
                raise SilentError("the machine has ended")
            self._buffer += more
        line, self._buffer = self._buffer.split(b"\n", 1)
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        self._socket.close()


class Machine:
    """One virtual machine, from construction until `close`. `folder` keeps its sockets and its console."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.console = folder / "console.txt"
        cargo.pack(folder / "cargo.tar")
        with (folder / "qemu.txt").open("w") as said:
            self._process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        self._asked = 0
        try:
            self._agent = self._dial("agent")
            self._control = self._dial("control")
            self._control.receive(CALL_S)
            self.order("qmp_capabilities")
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    def _command(self) -> list[str]:
        place = image.folder()
        sockets = [
            f"socket,id={name},path={self.folder / name},server=on,wait=off" for name in ("agent", *USB_PORTS)
        ]
        options = {
            "-accel": ["tcg,thread=multi"],
            "-cpu": ["max"],
            "-machine": ["q35"],
            "-m": ["1536"],
            "-smp": ["2"],
            "-display": ["none"],
            "-kernel": [str(place / "vmlinuz")],
            "-initrd": [str(place / "initrd")],
            "-append": [KERNEL],
            "-serial": [f"file:{self.console}"],
            "-qmp": [f"unix:{self.folder / 'control'},server=on,wait=off"],
            "-action": ["watchdog=reset"],
            "-drive": [
                f"file={place / 'root.img'},if=virtio,format=raw,snapshot=on,cache=unsafe",
                f"file={self.folder / 'cargo.tar'},if=virtio,format=raw,readonly=on",
            ],
            "-chardev": sockets,
            "-device": [
                "virtio-rng-pci",
                "virtio-serial-pci",
                "virtserialport,chardev=agent,name=agent",
                "i6300esb",
                "qemu-xhci",
                *(f"usb-redir,chardev={name},id={name}" for name in USB_PORTS),
            ],
        }
        command = [shutil.which(PROGRAM) or PROGRAM, "-nodefaults"]
        for option, values in options.items():
            for value in values:
                command += [option, value]
        return command

    def _dial(self, name: str) -> _Lines:
        deadline = time.monotonic() + CALL_S
        while True:
            with suppress(OSError):
                return _Lines(self.folder / name)
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise SilentError((self.folder / "qemu.txt").read_text())
            time.sleep(0.05)

    def await_boot(self, timeout_s: float = BOOT_S) -> None:
        """Wait for the agent's first word. Raises SilentError."""
        while self._agent.receive(timeout_s)["number"] != 0:
            pass

    def call(self, function: Callable[..., Any], *, timeout_s: float = CALL_S, **arguments: Any) -> Any:
        """Run a function of `tests.hil.guest` in the guest. Raises RaisedInsideError, SilentError."""
        module = function.__module__.rpartition(".")[2]
        self._asked += 1
        self._agent.send(
            {"number": self._asked, "module": module, "function": function.__name__, "arguments": arguments}
        )
        answer = self._agent.receive(timeout_s)
        while answer["number"] != self._asked:  # of a call that was given up
            answer = self._agent.receive(timeout_s)
        if "error" in answer:
            raise RaisedInsideError(answer["error"], answer["code"], answer["text"])
        return answer["value"]

    def usb_port(self, name: str) -> Port:
        """One of the machine's USB ports for simulated devices."""
        return Port(self.folder / name)

    def order(self, command: str, **arguments: Any) -> Any:
        """Have QEMU do something (QMP); events are passed over."""
        self._control.send({"execute": command, "arguments": arguments})
        while True:
            answer = self._control.receive(CALL_S)
            if "error" in answer:
                raise RuntimeError(answer["error"]["desc"])
            if "return" in answer:
                return answer["return"]

    def await_event(self, name: str, timeout_s: float) -> dict[str, Any]:
        """Wait for an event of QEMU's. Raises SilentError."""
        deadline = time.monotonic() + timeout_s
        while True:
            message = self._control.receive(deadline - time.monotonic())
            if message.get("event") == name:
                return message

    def close(self) -> None:
        """Switch the machine off."""
        self._process.kill()
        self._process.wait()
        self._agent.close()
        self._control.close()

    def __enter__(self) -> Self:
        """The machine itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Switch it off."""
        self.close()
