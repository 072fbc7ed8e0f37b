"""A running gate as whoever measures it uses it: its doors in maintenance, and how its wires move."""

import time
from collections.abc import Callable
from typing import Final, Protocol

from gated.core.vocabulary import Door
from gated.runtime import requests as say
from gated.runtime.control import ask
from gated.runtime.messages import Message

POLL_S: Final = 0.1


class NotDoneError(Exception):
    """The gate did not take what it was asked for; the text says what to do."""


class GateLine(Protocol):
    """What a measurement asks of a lane."""

    def release(self, door: Door | None) -> None:
        """Release this door, or none, by its physical end. Raises NotDoneError."""

    def levels(self) -> dict[str, bool]:
        """The inputs as they are now. Raises NotDoneError while the board is away."""

    def news(self) -> tuple[say.Mark, ...]:
        """How wires moved since the last call, waiting a moment for it."""

    def now(self) -> float:
        """The clock of the marks, seconds."""


class ControlLine:
    """`GateLine` over the control socket of a gate that is in maintenance."""

    def __init__(self, address: str, told: Callable[[str, Message], say.FromControl] = ask) -> None:
        self._address = address
        self._told = told
        self._after: int | None = None
        self.status = self._inspect().status

    def release(self, door: Door | None) -> None:
        """Release this door, or none, by its physical end. Raises NotDoneError."""
        if (
            door is not None and self.status.direction != "forward"
        ):  # the gate calls them by the way people walk
            door = Door.EXIT if door is Door.ENTRY else Door.ENTRY
        self._ask(say.AskDoor(door=door))

    def try_lamp(self, lamp: str) -> None:
        """Light it for a moment. Raises NotDoneError."""
        self._ask(say.TryLamp(lamp=lamp))  # type: ignore[arg-type]  # one of the words, by the caller

    def rest(self, seconds: float) -> None:
        """Give whoever looks some time."""
        time.sleep(seconds)

    def levels(self) -> dict[str, bool]:
        """The inputs as they are now. Raises NotDoneError while the board is away."""
        inputs = self._inspect().inputs
        if not inputs:
            raise NotDoneError("the gate has no I/O board now: see `gatectl selftest`")
        return {each.name: each.active for each in inputs}

    def news(self) -> tuple[say.Mark, ...]:
        """How wires moved since the last call, waiting a moment for it. The first call tells nothing."""
        if self._after is not None:
            time.sleep(POLL_S)
        reply = self._ask(say.AskTrace(after=self._after))
        if not isinstance(reply, say.Traced):
            raise NotDoneError("gated gave no trace: use the gatectl of its version")
        self._after = reply.last
        return reply.marks

    def now(self) -> float:
        """The monotonic clock, which is the same for all processes."""
        return time.monotonic()

    def _inspect(self) -> say.SelfTested:
        reply = self._ask(say.SelfTest())
        if not isinstance(reply, say.SelfTested):
            raise NotDoneError("gated gave no self-test: use the gatectl of its version")
        return reply

    def _ask(self, request: Message) -> say.FromControl:
        reply = self._told(self._address, request)
        if isinstance(reply, say.Refused):
            raise NotDoneError(f"refused: {reply.reason}: {reply.fix}")
        return reply
