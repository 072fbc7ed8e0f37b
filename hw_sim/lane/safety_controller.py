"""A simulated safety controller: its box with relays and terminals, and its serial line on a pseudo-terminal.

`path` is a symbolic link that stays the same when the line vanishes and comes back. The program in the box
is `hw_sim.lane.safety_firmware`; here is what it is soldered to. The relays' contacts lead to the releases of
the simulated board, in place of a program's own lines: `unwired` gives the settings for that program. Sensors
and the fire input are the wires of the same board; a doorway counts as obstructed while a beam of its light
curtain is broken, or by `obstruct`.

Fire and panic release both doors in the very moment in which their wire says so, without the program.
"""

import os
import random
import select
import tempfile
import threading
import time
import tty
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from gated.core.settings.board import IoBoardSettings, OutputLine
from gated.core.vocabulary import Door
from hw_sim.lane.board import SimulatedBoard
from hw_sim.lane.safety_firmware import Firmware, Setting, Wires

BITS_PER_BYTE: Final = 10
ALARMS: Final = ("fire", "panic")


class PtySafetyController:
    """The box, powered and plugged in from the start. All methods may be called from any thread."""

    def __init__(
        self,
        board: SimulatedBoard,
        directory: Path | None = None,
        *,
        setting: Setting | None = None,
        baud: int = 115_200,
        version: int = 1,
        seed: int = 0,
    ) -> None:
        self.path = Path(directory or tempfile.mkdtemp(prefix="egate-")) / "safety-controller"
        self.setting = setting or Setting()
        self.loses = 0.0  # the share of telegrams that get lost on the way, in both directions
        self.mute = False  # what it says does not arrive
        self.deaf = False  # what is said to it does not arrive
        self._board = board
        self._baud = baud
        self._version = version
        self._chance = random.Random(seed)
        self._firmware: Firmware | None = None
        self._stuck: set[Door] = set()  # relays whose contacts are welded
        self._dead: set[Door] = set()  # relays that do not pick up
        self._obstructed: set[Door] = set()
        self._supply_mv = 24_000
        self._fire_agrees = True
        self._master = self._slave = -1
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._closed = False
        board.on_change(self._wire_changed)
        self.power(on=True)
        self.appear()
        self._thread = threading.Thread(target=self._run, name="sim-safety-controller", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Switch it off and unplug it. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._stir()
        self._thread.join()
        self.power(on=False)
        self.vanish()
        with self._board.lock:  # its wires may go on changing
            wake, self._wake = self._wake, -1
        os.close(wake)

    # --- what may happen to it -----------------------------------------------------------------------

    def power(self, *, on: bool) -> None:
        """Switch its supply; without it only the fire's own contacts release a door."""
        with self._board.lock:
            now = time.monotonic()
            start = Firmware(self.setting, now, self._draw, version=self._version)
            self._firmware = start if on else None
            self._energise()
        self._stir()

    def reset(self) -> None:
        """Let its watchdog start it again: everything it knew is forgotten."""
        with self._board.lock:
            self._firmware = Firmware(
                self.setting, time.monotonic(), self._draw, version=self._version, by_watchdog=True
            )
            self._energise()
        self._stir()

    def appear(self) -> None:
        """Plug the line in (again). No effect when it is there."""
        with self._board.lock:
            if self._master >= 0:
                return
            self._master, self._slave = os.openpty()
            tty.setraw(self._slave)
            os.set_blocking(self._master, False)
            self.path.unlink(missing_ok=True)
            self.path.symlink_to(os.ttyname(self._slave))
        self._stir()

    def vanish(self) -> None:
        """Pull the line out. Idempotent."""
        with self._board.lock:
            master, slave, self._master, self._slave = self._master, self._slave, -1, -1
            if master < 0:
                return
            self.path.unlink(missing_ok=True)
            os.close(slave)
            os.close(master)
        self._stir()

    def babble(self, noise: bytes) -> None:
        """Put bytes on the line to the PC that no telegram is made of."""
        with self._board.lock, suppress(OSError):
            os.write(self._master, noise)

    def weld(self, door: Door, *, welded: bool = True) -> None:
        """Weld the contacts of a door's relay: it stays picked up whatever its coil says."""
        self._change(self._stuck, door, on=welded)

    def break_coil(self, door: Door, *, broken: bool = True) -> None:
        """Break the coil of a door's relay: it never picks up."""
        self._change(self._dead, door, on=broken)

    def obstruct(self, door: Door, *, obstructed: bool = True) -> None:
        """Put something into a doorway."""
        self._change(self._obstructed, door, on=obstructed)

    def supply(self, millivolts: int) -> None:
        """Set the supply voltage."""
        with self._board.lock:
            self._supply_mv = millivolts
        self._stir()

    def cut_fire_contact(self, *, cut: bool = True) -> None:
        """Cut one of the two wires of the fire input."""
        with self._board.lock:
            self._fire_agrees = not cut
        self._stir()

    def _change(self, group: set[Door], door: Door, *, on: bool) -> None:
        with self._board.lock:
            (group.add if on else group.discard)(door)
            self._energise()
        self._stir()

    def _draw(self) -> int:
        return self._chance.getrandbits(32)

    # --- relays and wires, under the board's lock --------------------------------------------------

    def _wire_changed(self, name: str, active: bool) -> None:  # noqa: ARG002, FBT001 - the board's hook
        if name in ALARMS:
            self._energise()
        if not name.endswith("_release"):
            self._stir()

    def _energise(self) -> None:
        """Let the releases follow the contacts: own relay and common one in series; or the alarm."""
        alarm = any(self._active(name) for name in ALARMS) or not self._fire_agrees
        common = self._firmware is not None and self._firmware.common
        for door in Door:
            wire = self._board.wires[f"{door}_release"]
            released = alarm or (common and self._picked_up(door))
            self._board.put(wire.offset, released != wire.active_low)

    def _picked_up(self, door: Door) -> bool:
        coil = self._firmware is not None and door in self._firmware.released
        return door in self._stuck or (coil and door not in self._dead)

    def _active(self, name: str) -> bool:
        return name in self._board.wires and self._board.read(name)

    def _wires(self) -> Wires:
        return Wires(
            shut={door: self._active(f"{door}_shut") for door in Door},
            obstructed={door: self._is_obstructed(door) for door in Door},
            feedback={door: self._picked_up(door) for door in Door},
            common_feedback=self._firmware is not None and self._firmware.common,
            fire=self._active("fire"),
            fire_agrees=self._fire_agrees,
            panic=self._active("panic"),
            supply_mv=self._supply_mv,
        )

    def _is_obstructed(self, door: Door) -> bool:
        beams = (f"{door}_{column}_{height}" for column in ("outer", "inner") for height in ("low", "high"))
        return door in self._obstructed or any(self._active(beam) for beam in beams)

    # --- its time ---------------------------------------------------------------------------------------

    def _stir(self) -> None:
        with self._board.lock:
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    def _run(self) -> None:
        due = 0.0
        while not self._closed:
            master = self._master
            watched = [self._wake] if master < 0 else [self._wake, master]
            with suppress(OSError, ValueError):  # unplugged meanwhile
                select.select(watched, [], [], max(0.0, due - time.monotonic()))
            with suppress(BlockingIOError):
                os.eventfd_read(self._wake)
            heard = self._receive(master)
            due = self._turn(heard)

    def _receive(self, master: int) -> bytes:
        """What has come, when it would have come over the line."""
        heard = b""
        with self._board.lock, suppress(OSError):  # nothing came, or it is unplugged
            if master == self._master >= 0:
                heard = os.read(master, 4096)
        time.sleep(len(heard) * BITS_PER_BYTE / self._baud)
        return b"" if self.deaf or self._is_lost(heard) else heard

    def _turn(self, heard: bytes) -> float:
        with self._board.lock:
            if self._firmware is None:
                return time.monotonic() + 1.0
            now = time.monotonic()
            self._firmware.hear(heard, now)
            self._firmware.scan(self._wires(), now)
            self._energise()
            said = self._firmware.speak()
            due = self._firmware.due()
        for at in range(0, len(said), 32):
            telegram = said[at : at + 32]
            time.sleep(len(telegram) * BITS_PER_BYTE / self._baud)
            with self._board.lock, suppress(OSError):  # unplugged, or nobody reads and the buffer is full
                if not self.mute and not self._is_lost(telegram):
                    os.write(self._master, telegram)
        return due

    def _is_lost(self, telegram: bytes) -> bool:
        return bool(telegram) and self.loses > 0 and self._chance.random() < self.loses


def unwired(board: SimulatedBoard, settings: IoBoardSettings) -> IoBoardSettings:
    """The settings of a program whose doors are behind the box: its releases are on lines without a wire."""
    free = max(board.line_count, 1 + max(board.by_offset))
    board.line_count = free + len(Door)
    lines = {f"{door}_release": OutputLine(line=free + number) for number, door in enumerate(Door)}
    return replace(settings, outputs=replace(settings.outputs, **lines))
