"""The lamp that lights the traveller's face, and the code that it plays while the camera looks.

A code is a row of steps, each bright or dark, that nobody can foresee: a living face before the camera
follows it, the picture on a screen hardly does. Steps are long enough that nobody sees more than three
flashes a second (EN 301 549, 9.2.3.1). Before the code, while the person walks up, and after it the lamp
burns steadily.
"""

import secrets
import threading
import time
from typing import Final

from drivers.gpio import Lines, OnFault
from gated.core.ports import DeviceError
from gated.core.values import Value

LINE: Final = "face_light"
STEP_S: Final = 0.2  # two steps make a flash: at most two and a half a second
STEADY_S: Final = 2.0  # it burns while the person walks up: motion is measured best in steady light
STEPS: Final = 24  # some seconds: it still plays when the person has walked up
MOST_ALIKE: Final = 2  # steps in a row: each stretch of 1.6 s changes four times or more


class Switch(Value):
    """The lamp is on or off from a moment on (monotonic seconds)."""

    at: float
    on: bool


class FaceLight:
    """Plays codes in a thread of its own. `on_fault` hears that the lamp cannot be written."""

    def __init__(self, board: Lines, on_fault: OnFault) -> None:
        self._board = board
        self._on_fault = on_fault
        self._changed = threading.Condition()
        self._due: tuple[Switch, ...] = ()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="face-light", daemon=True)
        self._thread.start()

    def play(self) -> tuple[Switch, ...]:
        """Begin a new code; return when the lamp will be what: a switch for each step, the last one on."""
        began = time.monotonic()
        steps = [*draw_code(), True]
        code = (Switch(at=began + STEADY_S + number * STEP_S, on=on) for number, on in enumerate(steps))
        switches = (Switch(at=began, on=True), *code)
        with self._changed:
            self._due = switches
            self._changed.notify()
        return switches

    def put_out(self) -> None:
        """Darken the lamp now."""
        with self._changed:
            self._due = (Switch(at=time.monotonic(), on=False),)
            self._changed.notify()

    def close(self) -> None:
        """End the thread. The lamp stays as it is until the board closes. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(STEP_S)

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                if not self._due:
                    self._changed.wait()
                elif (wait_s := self._due[0].at - time.monotonic()) > 0:
                    self._changed.wait(wait_s)
                else:
                    self._switch()

    def _switch(self) -> None:
        switch, *rest = self._due
        self._due = tuple(rest)
        try:
            self._board.write(LINE, switch.on)
        except DeviceError as error:
            self._due = ()
            self._on_fault(error)


def draw_code() -> tuple[bool, ...]:
    """Draw `STEPS` steps by chance, never more than `MOST_ALIKE` alike in a row."""
    code: list[bool] = []
    while len(code) < STEPS:
        step = bool(secrets.randbits(1))
        if code[-MOST_ALIKE:] != [step] * MOST_ALIKE:
            code.append(step)
    return tuple(code)
