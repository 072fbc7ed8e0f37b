"""Follows faces from frame to frame, and says which one is the person whom the gate is about.

It knows boxes and times, no images. A face of a frame is the one of the frame before that it is where, and as
large as, that one was going to be: each track carries its speed and growth, so that a person who walks fast
and fills the picture within a second stays one track at any frame rate. A track may miss a frame or two; one
that is missed for longer is over, and whoever comes then is another.

The main person is the largest face, the nearer to the middle the better, and stays it until another one has
been clearly larger for a while, or is there when that one is not. Of the others, one that is nearly as large
stands beside; all smaller ones are bystanders, and nobody's business.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.face import Detection

GAP_S = 0.25  # a face that is not found for longer is lost
PAUSE_S = 0.6  # after a pause in the stream of this length nobody is the same any more
MOVED, MOVED_PER_S = 0.22, 4.5  # how far from where it was expected a face may be, in sizes of its box
GROWN, GROWN_PER_S = 0.12, 4.2  # how much larger or smaller, as a natural logarithm
SMOOTH = 0.6  # weight of the newest frame in speed and growth
RIVAL = 0.6  # a second face of this part of the main one's area is another person as near
OUTWEIGHS, TAKEOVER_S = 1.3, 0.2  # another person becomes the main one by so much, lasting so long
ASIDE = 0.5  # a face at the edge of the picture weighs so much less than one in the middle
GOOD_EYES_PX = 110.0  # a face with this distance of the eyes could hardly be seen better
MAX_TRACKS = 8


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """What one frame shows of the main person.

    `main` is None when the face was not found in this frame; `track` is its number while it is followed, None
    when nobody is. `new_track`: somebody else than in the frame before. `beside` counts others as near.
    """

    main: Detection | None
    track: int | None
    new_track: bool
    beside: int


class _Track:
    """One face: where it was, how it moves (sizes of its box a second), and since when."""

    def __init__(self, number: int, detection: Detection, at: float) -> None:
        self.number = number
        self.detection = detection
        self.x, self.y, self.size = _place(detection)
        self.speed_x = self.speed_y = self.growth = 0.0
        self.at = at
        self.heavier_since: float | None = None

    def distance(self, detection: Detection, at: float) -> float | None:
        """How far off the expectation a detection lies; None when it cannot be this face."""
        for_s = min(at - self.at, GAP_S)
        far, much = reach(for_s)
        x, y, size = _place(detection)
        moved_x = (x - self.x) / self.size - self.speed_x * for_s
        moved_y = (y - self.y) / self.size - self.speed_y * for_s
        moved = math.hypot(moved_x, moved_y) / far
        grown = abs(math.log(size / self.size) - self.growth * for_s) / much
        return moved + grown if moved < 1 and grown < 1 else None

    def follow(self, detection: Detection, at: float) -> None:
        """Take what was found as the next place of this face."""
        for_s = max(at - self.at, 1e-3)
        x, y, size = _place(detection)
        self.speed_x += SMOOTH * ((x - self.x) / self.size / for_s - self.speed_x)
        self.speed_y += SMOOTH * ((y - self.y) / self.size / for_s - self.speed_y)
        self.growth += SMOOTH * (math.log(size / self.size) / for_s - self.growth)
        self.detection, self.at = detection, at
        self.x, self.y, self.size = x, y, size


class Tracker:
    """Follows up to MAX_TRACKS faces. Not for frames of several cameras at once."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._main: _Track | None = None
        self._count = 0
        self._at = float("-inf")
        self._sighting = Sighting(main=None, track=None, new_track=False, beside=0)

    def update(self, detections: Sequence[Detection], at: float, width: int) -> Sighting:
        """Take the faces of the next frame, `width` pixels wide, complete at `at` (seconds, rising).

        A frame that was taken already says what it said, of somebody who is new no more.
        """
        if at != self._at:
            self._sighting = self._updated(detections, at, width)
            return self._sighting
        return replace(self._sighting, new_track=False)

    def _updated(self, detections: Sequence[Detection], at: float, width: int) -> Sighting:
        if at - self._at > PAUSE_S:
            self._tracks.clear()
        self._at = at
        self._associate(detections, at)
        self._tracks = [track for track in self._tracks if at - track.at <= GAP_S]
        before, self._main = self._main, self._choose(at, width)
        if self._main is None:
            return Sighting(main=None, track=None, new_track=False, beside=0)
        here = self._main.at == at
        largest = RIVAL * self._main.detection.area
        beside = sum(each.area > largest for each in detections if each is not self._main.detection)
        return Sighting(
            main=self._main.detection if here else None,
            track=self._main.number,
            new_track=self._main is not before,
            beside=beside if here else 0,
        )

    def reset(self) -> None:
        """Follow nobody any more."""
        self._tracks.clear()
        self._main = None
        self._at = float("-inf")

    def _associate(self, detections: Sequence[Detection], at: float) -> None:
        """Give each track the face that suits it best, the best suited pair first; begin new tracks."""
        pairs = [
            (distance, number, track)
            for track in self._tracks
            for number, detection in enumerate(detections)
            if (distance := track.distance(detection, at)) is not None
        ]
        taken: set[int] = set()
        for _, number, track in sorted(pairs, key=lambda pair: pair[0]):
            if number not in taken and track.at != at:
                track.follow(detections[number], at)
                taken.add(number)
        for number, detection in enumerate(detections):
            if number not in taken and len(self._tracks) < MAX_TRACKS:
                self._count += 1
                self._tracks.append(_Track(self._count, detection, at))

    def _choose(self, at: float, width: int) -> _Track | None:
        """The main person: who was it, unless that one is gone, or long outweighed."""
        main = self._main if self._main in self._tracks else None
        if main is None or main.at != at:
            least = 0.0 if main is None else RIVAL * main.detection.area
            here = [track for track in self._tracks if track.at == at and track.detection.area > least]
            return max(here, key=lambda track: weight(track.detection, width), default=main)
        for track in self._tracks:
            limit = OUTWEIGHS * weight(main.detection, width)
            if track is main or weight(track.detection, width) <= limit:
                track.heavier_since = None
            elif track.heavier_since is None:
                track.heavier_since = at
            elif at - track.heavier_since >= TAKEOVER_S:
                return track
        return main


def reach(for_s: float) -> tuple[float, float]:
    """Return how far a face can move in some time, in sizes of its box, and grow, as a logarithm."""
    return MOVED + MOVED_PER_S * for_s, GROWN + GROWN_PER_S * for_s


def weight(detection: Detection, width: int) -> float:
    """Return how much speaks for a face to be the main person's: its size in pixels, less if it is aside."""
    x, _, size = _place(detection)
    return size * (1 - ASIDE * min(1.0, abs(2 * x / width - 1)))


def view(detections: Sequence[Detection], width: int, height: int) -> float:
    """Return how well a frame shows its main person, in [0, 1]; zero for nobody.

    Well is large, whole, frontal, and at the camera's own height: cameras are compared by it.
    """
    main = max(detections, key=lambda each: weight(each, width), default=None)
    if main is None:
        return 0.0
    x0, y0, x1, y1 = main.box
    across = max(x1 - x0, 1.0)
    inside = max(0.0, min(x1, width) - max(x0, 0)) * max(0.0, min(y1, height) - max(y0, 0))
    whole = inside / max(main.area, 1.0)
    (right_x, right_y), (left_x, left_y) = (tuple(map(float, eye)) for eye in main.eyes)
    near = min(1.0, math.hypot(left_x - right_x, left_y - right_y) / GOOD_EYES_PX)
    turned = abs((right_x + left_x - x0 - x1) / 2) / across  # the eyes leave the middle of a head that turns
    level = abs((y0 + y1) / height - 1)  # 1 at the upper and the lower edge
    return near * whole * whole * max(0.0, 1 - 3 * turned) * (1 - 0.6 * min(1.0, level))


def _place(detection: Detection) -> tuple[float, float, float]:
    """The middle of the box and its size."""
    x0, y0, x1, y1 = detection.box
    return (x0 + x1) / 2, (y0 + y1) / 2, max(math.sqrt(detection.area), 1.0)
