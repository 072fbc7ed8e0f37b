"""Several cameras at different heights as one source: each frame comes from the one that sees best.

All awake cameras are looked at in turn, at a low rate, and what they see of the main person is rated; a
camera that saw clearly better twice in a row takes over. Who rates may measure heights by the way, so each
camera gets its turn before a face that was seen in it would be taken for lost. One that is dead or late is
left at once for one that is well, and it is opened again only when the others stream: a network camera that
hangs holds up whoever is opened after it, since OpenCV opens such streams one by one. A passage begins with
the camera that served last. Of a lane that is walked both ways, only those cameras are looked through that
see whoever comes now. Which camera a frame came from goes with it, since evidence that grows from frame to
frame holds for one camera only.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from drivers.camera import Frame
from drivers.pictures import Depth, millimetres
from gated.seeing.eye import FRAME_S, RETRY_S, Eye
from models.tflite import Image

GLANCE_S = 0.1  # one camera is rated so often
TURN_S = 0.2  # and each that is not looked through within this time: a face unseen for 0.25 s is lost
BETTER = 1.25  # a camera takes over when it sees so much better
TIMES = 2  # so many times in a row; at once where the present one sees nobody any more
RESTING_RETRY_S = 20.0  # at rest, where another camera is well, one in trouble is tried this often
TOGETHER_S = 0.06  # pictures of two cameras that are taken for one moment
LATE_S = 0.3  # without a frame for so long, a camera is left for one that has some

Rate = Callable[[Image, float, str], float]
"""How well a picture, of a moment and of a camera, shows the main person; 0 for nobody."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A BGR image, the monotonic time at which it was complete (seconds), and the name of its camera."""

    image: Image
    at: float
    camera: str
    infrared: Image | None = None
    """What the near-infrared camera beside it saw at that time, where there is one."""
    depth: Depth | None = None
    """Likewise the distances from the depth camera beside it, millimetres, 0 where not known."""


class Eyes:
    """One to four eyes.

    `infrared`, `depth`: eyes that see near infrared, or distances, by the name of the camera whose picture
    theirs fits on.
    """

    def __init__(
        self,
        eyes: Sequence[Eye],
        rate: Rate,
        *,
        infrared: Mapping[str, Eye] | None = None,
        depth: Mapping[str, Eye] | None = None,
    ) -> None:
        self._eyes = tuple(eyes)
        self._used = self._eyes
        self._infrared, self._depth = dict(infrared or {}), dict(depth or {})
        self._beside = (*self._infrared.values(), *self._depth.values())
        self._rate = rate
        self._chosen = self._eyes[0]
        self._awake = False
        self._rated_at = 0.0
        self._turn = 0
        self._values: dict[str, float] = {}
        self._wins: dict[str, int] = {}
        self._frames: dict[str, Frame] = {}

    @property
    def states(self) -> dict[str, str]:
        """Each camera by its name: `asleep`, `live`, or the code of its trouble."""
        return {eye.name: eye.state for eye in (*self._eyes, *self._beside)}

    @property
    def state(self) -> str:
        """What all of them are worth together: `live` or `asleep` while one of them is, else a trouble."""
        states = [eye.state for eye in self._eyes]
        return next((state for state in ("live", "asleep", "not_checked") if state in states), states[0])

    def use(self, names: Collection[str]) -> None:
        """From here on look through these cameras alone; through all, if none of these is there."""
        used = tuple(eye for eye in self._eyes if eye.name in names) or self._eyes
        if used == self._used:
            return
        self._used = used
        for eye in (*self._eyes, *self._beside):
            if eye not in (*used, *self._beside_used):
                eye.sleep()
        if self._chosen not in used:
            self._choose(used[0])

    @property
    def _beside_used(self) -> tuple[Eye, ...]:
        """The eyes beside the cameras that are looked through."""
        names = [eye.name for eye in self._used]
        both = (self._infrared, self._depth)
        return tuple(beside[name] for beside in both for name in names if name in beside)

    def wake(self) -> None:
        """Open every stream that is looked through and not open; trouble shows in the states."""
        for eye in self._used:
            if self._may_open(eye):
                eye.wake()
        for eye in self._beside_used:
            if not eye.in_trouble:  # beside cameras that are well it is opened, and never waited for
                eye.wake()
        if not self._awake:
            self._awake = True
            self._forget()
            well = [eye for eye in self._used if not eye.in_trouble]
            self._choose(self._chosen if self._chosen in well or not well else well[0])

    def _may_open(self, eye: Eye) -> bool:
        """Whether it does no harm should the camera hang while it is opened."""
        return not eye.in_trouble or all(each.in_trouble or each.state == "live" for each in self._used)

    def sleep(self) -> None:
        """Close all streams."""
        self._awake = False
        self._forget()
        for eye in (*self._eyes, *self._beside):
            eye.sleep()

    def rest(self) -> None:
        """Let sleep whom nobody needs; a camera that is not known to be well is tried."""
        self._awake = False
        self._forget()
        one_is_well = any(not eye.in_trouble for eye in self._eyes)
        for eye in (*self._eyes, *self._beside):
            if eye.needs_check(RESTING_RETRY_S if one_is_well else RETRY_S):
                eye.look(0.0)
            else:
                eye.sleep()

    def look(self, timeout_s: float = FRAME_S) -> Seen | None:
        """Return the next frame of the camera that sees best, or None when none came in time."""
        self.wake()
        fresh = {eye.name for eye in self._used if self._may_open(eye) and self._take(eye, 0.0)}
        if len(self._used) > 1:
            self._reconsider()
        chosen = self._chosen
        if chosen.name not in fresh and not self._take(chosen, timeout_s if self._is_awaited() else 0.0):
            return None
        frame = self._frames[chosen.name]
        infrared = self._of_moment(self._infrared.get(chosen.name), frame.at)
        depth = self._of_moment(self._depth.get(chosen.name), frame.at)
        return Seen(
            image=frame.image,
            at=frame.at,
            camera=chosen.name,
            infrared=infrared,
            depth=None if depth is None else millimetres(depth),
        )

    def _of_moment(self, eye: Eye | None, at: float) -> Image | None:
        """What an eye beside the chosen one saw at that time, if anything."""
        if eye is None:
            return None
        newer = eye.look(0.0)
        if newer is not None:
            self._frames[eye.name] = newer
        frame = self._frames.get(eye.name)
        if frame is None or abs(frame.at - at) > TOGETHER_S:
            return None
        return frame.image

    def _take(self, eye: Eye, timeout_s: float) -> bool:
        """Take the camera's next frame, if there is one in time."""
        frame = eye.look(timeout_s)
        if frame is not None:
            self._frames[eye.name] = frame
        return frame is not None

    def _is_awaited(self) -> bool:
        """Whether the chosen camera is worth waiting for: it is well, or no other is."""
        return self._is_well(self._chosen) or not any(self._is_well(eye) for eye in self._used)

    def _reconsider(self) -> None:
        """Leave a camera that is not well; rate one, if it is time."""
        if not self._is_well(self._chosen):
            well = [eye for eye in self._used if self._is_well(eye)]
            if well:
                self._choose(max(well, key=lambda eye: self._values.get(eye.name, 0.0)))
        elif time.monotonic() - self._rated_at >= min(GLANCE_S, TURN_S / (len(self._used) - 1)):
            self._rated_at = time.monotonic()
            others = [eye for eye in self._used if eye is not self._chosen]
            self._turn = (self._turn + 1) % (2 * len(others))
            if self._turn % 2 == 0:  # what the chosen one sees is needed less often
                self._compare(self._chosen)
            self._compare(others[self._turn % len(others)])

    def _is_well(self, eye: Eye) -> bool:
        """Whether the camera is live and not late."""
        frame = self._frames.get(eye.name)
        return eye.state == "live" and frame is not None and time.monotonic() - frame.at < LATE_S

    def _compare(self, eye: Eye) -> None:
        """Rate what a camera saw last; let it take over if it deserves to."""
        if not self._is_well(eye):
            self._values[eye.name] = 0.0
            self._wins[eye.name] = 0
            return
        frame = self._frames[eye.name]
        value = self._values[eye.name] = self._rate(frame.image, frame.at, eye.name)
        if eye is self._chosen:
            return
        better = value > BETTER * self._values.get(self._chosen.name, 0.0)
        self._wins[eye.name] = self._wins.get(eye.name, 0) + 1 if better else 0
        blind = self._values.get(self._chosen.name) == 0.0
        if self._wins[eye.name] >= (1 if blind else TIMES):
            self._choose(eye)

    def _choose(self, eye: Eye) -> None:
        """From now on the frames come from this camera; the others are read at the pace of glances."""
        self._chosen = eye
        self._wins.clear()
        for each in self._eyes:
            each.pace(0.0 if each is eye else GLANCE_S)

    def _forget(self) -> None:
        """Keep no frame and nothing of what was seen in them."""
        for frame in self._frames.values():
            frame.image.fill(0)
        self._frames.clear()
        self._values.clear()
        self._wins.clear()
