"""What breaks, by chance, and is put right again: each fault begins, and ends some seconds later."""

import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from gated.core import events as ev
from gated.core.vocabulary import Device, Door, Mode
from hw_sim.lane.board import CURTAINS, REQUIRED_INPUTS

if TYPE_CHECKING:
    from tests.soak.hall import Hall

Fault = Callable[["Hall", random.Random], Callable[[], None]]  # begins; gives how it ends

RATTLE_S: Final = 0.03
SENSORS: Final = tuple(name for name in (*REQUIRED_INPUTS, *CURTAINS) if name != "fire")


def _stuck(hall: "Hall", chance: random.Random) -> Callable[[], None]:
    sensor = chance.choice(SENSORS)
    hall.world.stick(sensor, active=chance.random() < 0.5)
    return lambda: hall.world.mend(sensor)


def _flaps(hall: "Hall", chance: random.Random) -> Callable[[], None]:
    sensor, on = chance.choice(SENSORS), [True]

    def rattle() -> None:
        if on[0]:
            hall.board.rattle(sensor, active=not hall.board.read(sensor))
            hall.clock.later(RATTLE_S * chance.uniform(0.1, 1.0), rattle)

    def still() -> None:
        on[0] = False
        hall.board.mend(sensor)

    rattle()
    return still


def _board_lost(hall: "Hall", _: random.Random) -> Callable[[], None]:
    hall.socket.pull()

    def plug() -> None:
        hall.socket.plugged = True

    return plug


def _board_hangs(hall: "Hall", _: random.Random) -> Callable[[], None]:
    hall.socket.hangs = True

    def wake() -> None:
        hall.socket.hangs = False

    return wake


def _device(device: Device, code: str) -> Fault:
    def begin(hall: "Hall", _: random.Random) -> Callable[[], None]:
        hall.answers.mute.add(device)
        hall.process.conditions[device].failed(code, "see the log")

        def end() -> None:
            hall.answers.mute.discard(device)
            hall.process.conditions[device].ready()

        return end

    return begin


def _fire(hall: "Hall", _: random.Random) -> Callable[[], None]:
    hall.world.fire(burning=True)
    return lambda: hall.world.fire(burning=False)


def _power_cut(hall: "Hall", _: random.Random) -> Callable[[], None]:
    hall.kill()
    return hall.restart


def _disk(hall: "Hall", _: random.Random) -> Callable[[], None]:
    hall.process.failing = True  # until the service manager has started the daemon again

    return lambda: None


def _jam(hall: "Hall", chance: random.Random) -> Callable[[], None]:
    door = chance.choice(tuple(Door))
    hall.world.jam(door)
    return lambda: hall.world.jam(door, jammed=False)


def _pry(hall: "Hall", chance: random.Random) -> Callable[[], None]:
    hall.world.pry(chance.choice(tuple(Door)), 1.0)
    return lambda: None


def _clock(hall: "Hall", _: random.Random) -> Callable[[], None]:
    hall.process.post(ev.ClockChecked(at=hall.clock.now, synchronised=False))
    return lambda: hall.process.post(ev.ClockChecked(at=hall.clock.now, synchronised=True))


def _mode(mode: Mode) -> Fault:
    def begin(hall: "Hall", _: random.Random) -> Callable[[], None]:
        hall.process.post(ev.ModeChanged(at=hall.clock.now, mode=mode, reason="soak"))
        return lambda: hall.process.post(ev.ModeChanged(at=hall.clock.now, mode=Mode.OPEN, reason="soak"))

    return begin


FAULTS: Final[Mapping[str, Fault]] = {
    "sensor stuck": _stuck,
    "input flaps": _flaps,
    "board lost": _board_lost,
    "board hangs": _board_hangs,
    "scanner lost": _device(Device.MRZ_SCANNER, "gone"),
    "chip reader lost": _device(Device.CHIP_READER, "gone"),
    "vision silent": _device(Device.VISION, "vision_silent"),
    "lists unreadable": _device(Device.WATCHLIST, "watchlist_unreadable"),
    "fire": _fire,
    "power cut": _power_cut,
    "disk fails": _disk,
    "door jams": _jam,
    "door forced": _pry,
    "clock unsure": _clock,
    "lane closed": _mode(Mode.CLOSED),
    "lane locked": _mode(Mode.LOCKED),
}
