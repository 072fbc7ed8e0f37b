"""Who can stand before the camera, and what they hold or wear: plain values, as they cross to its process."""

from typing import Annotated, Literal

from msgspec import Meta

from gated.core.values import Tagged, Value
from hw_sim.camera.render import GATE_LENS, GATE_MOUNT, Lens, Mount

Seed = Annotated[int, Meta(ge=0, le=2**63 - 1)]
BodyHeight = Annotated[float, Meta(ge=0.9, le=2.1)]
BendRadius = Annotated[float, Meta(ge=0.08)]  # metres; a sheet bent more would meet itself
Pitch = Annotated[float, Meta(ge=0.03, le=0.6)]  # millimetres between pixels of a screen

Apparel = Literal["mask", "sunglasses", "glasses", "cap", "headscarf"]
Device = Literal["tablet", "phone"]


class Waypoint(Value):
    """Where somebody is at a time: monotonic seconds, metres between camera and eyes."""

    time_s: float
    distance_m: float


class Lit(Value):
    """The gate's face light is on, from a monotonic time on, until another (None: it stays on)."""

    since_s: float
    until_s: float | None = None

    def on(self, time_s: float) -> bool:
        """Whether it shines at a moment."""
        return self.since_s <= time_s and (self.until_s is None or time_s < self.until_s)


class Wearable(Value):
    """What somebody has on, from the beginning or a monotonic time on, until they take it off.

    `style` picks one of its kind: colour and shape.
    """

    kind: Apparel
    since_s: float | None = None
    until_s: float | None = None
    style: Seed = 0

    def on(self, time_s: float) -> bool:
        """Whether it is worn at a moment."""
        begun = self.since_s is None or self.since_s <= time_s
        return begun and (self.until_s is None or time_s < self.until_s)


class Walker(Tagged):
    """A person of `hw_sim.camera.people` who walks along waypoints; `seed` fixes gait, blinks and light.

    `stature_m`: the same person at this body height; below 1.7 m with the proportions of a child. `turns_s`:
    monotonic times from which on they turn the head, once to each side, because somebody asked them to.
    """

    person: str
    path: tuple[Waypoint, ...]
    seed: Seed = 0
    aside_m: float = 0.0  # to the image's right
    stature_m: BodyHeight | None = None
    wears: tuple[Wearable, ...] = ()
    blinks: bool = True
    turns_s: tuple[float, ...] = ()


class PhotoHolder(Tagged):
    """A person who holds up a print of somebody else's passport picture, flat or bent."""

    person: str
    photo_of: str
    path: tuple[Waypoint, ...]
    seed: Seed = 0
    bend_radius_m: BendRadius | None = None  # None: flat
    aside_m: float = 0.0


class TabletHolder(Tagged):
    """A person who holds up a screen that plays a film of somebody else, who moves and blinks."""

    person: str
    video_of: str
    path: tuple[Waypoint, ...]
    seed: Seed = 0
    device: Device = "tablet"
    pitch_mm: Pitch = 0.17  # 10 inches across 1280 x 800 pixels
    aside_m: float = 0.0


class MaskWearer(Tagged):
    """A person behind a life-size print of somebody else's face, cut out and bent around their own head.

    `eye_holes`: the eyes are cut out, so that the wearer's own are seen.
    """

    person: str
    photo_of: str
    path: tuple[Waypoint, ...]
    seed: Seed = 0
    eye_holes: bool = False
    aside_m: float = 0.0
    blinks: bool = True


Presence = Walker | PhotoHolder | TabletHolder | MaskWearer


class Scene(Value):
    """Who is there (nobody: an empty lane) in the lane that `seed` furnishes, and the camera that looks.

    `light` are the times at which the gate's face light is on.
    """

    present: tuple[Presence, ...] = ()
    seed: Seed = 0
    lens: Lens = GATE_LENS
    mount: Mount = GATE_MOUNT
    light: tuple[Lit, ...] = ()


def shown_person(presence: Presence) -> str | None:
    """Whose face somebody shows in place of their own, if they do."""
    match presence:
        case PhotoHolder() | MaskWearer():
            return presence.photo_of
        case TabletHolder():
            return presence.video_of
        case Walker():
            return None
