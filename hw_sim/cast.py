"""The cast of a scenario as the cameras see it: the traveller, and whoever stands or walks behind."""

from typing import Final

from msgspec.structs import replace

from gated.core.vocabulary import Hint
from hw_sim.camera.scene import MaskWearer, PhotoHolder, Presence, TabletHolder, Walker, Wearable
from hw_sim.scenarios import Companion, Scenario

TRAVELLER: Final = "traveller"
FOLLOWER: Final = "follower"
BESIDE_M: Final = 0.28  # from face to face
BENT_M: Final = 0.15  # radius of a print that is bent like a face
TAKES_OFF_S: Final = 0.8  # from a hint on the screen to a face without what shall come off
TURNS_S: Final = 0.7  # and to a head that begins to turn
TURNS: Final = 4  # last turns that are kept
WORN: Final = {Hint.TAKE_OFF_MASK: "mask", Hint.TAKE_OFF_GLASSES: "sunglasses"}


def appearance(scenario: Scenario, seed: int) -> Presence:
    """Return what the camera shall see of the traveller."""
    face, shown = scenario.face or scenario.holder, scenario.photo_of
    if shown is None:
        wears = tuple(Wearable(kind=kind) for kind in scenario.wears)
        return Walker(person=face, path=(), seed=seed, wears=wears, stature_m=scenario.stature_m)
    match scenario.instrument:
        case "print":
            return PhotoHolder(person=face, photo_of=shown, path=(), seed=seed)
        case "bent_print":
            return PhotoHolder(person=face, photo_of=shown, path=(), seed=seed, bend_radius_m=BENT_M)
        case "tablet":
            return TabletHolder(person=face, video_of=shown, path=(), seed=seed)
        case "paper_mask":
            return MaskWearer(person=face, photo_of=shown, path=(), seed=seed)


def heeding(walker: Walker, hint: Hint, now: float) -> Walker:
    """Return somebody who is told that now: they will take off what they wear, or turn the head."""
    if hint is Hint.TURN_YOUR_HEAD:
        return replace(walker, turns_s=(*walker.turns_s, now + TURNS_S)[-TURNS:])
    off = WORN.get(hint)
    wears = (
        replace(each, until_s=now + TAKES_OFF_S) if each.kind == off and each.until_s is None else each
        for each in walker.wears
    )
    return replace(walker, wears=tuple(wears))


def traveller(scenario: Scenario, seed: int) -> tuple[Presence, ...]:
    """Return what the camera shall see where the traveller is: them, and who presses through with them."""
    seen = appearance(scenario, seed)
    if scenario.beside is None:
        return (seen,)
    return seen, Walker(person=scenario.beside, path=(), seed=seed + 3, aside_m=BESIDE_M)


def companion(one: Companion, seed: int) -> Presence | None:
    """Return what the camera shall see of somebody else, if it knows them."""
    if one.face is None:
        return None
    return Walker(person=one.face, path=(), seed=seed, aside_m=one.aside_m, stature_m=one.stature_m)


def behind(seed: int) -> Presence:
    """Return what the camera shall see of whoever is behind the traveller."""
    return Walker(person="kurt", path=(), seed=seed + 2, aside_m=0.35)
