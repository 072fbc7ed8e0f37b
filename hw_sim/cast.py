"""The cast of a scenario as the cameras see it: the traveller, and whoever stands or walks behind."""

from typing import Final

from hw_sim.camera.scene import MaskWearer, PhotoHolder, Presence, TabletHolder, Walker, Wearable
from hw_sim.scenarios import Companion, Scenario

TRAVELLER: Final = "traveller"
FOLLOWER: Final = "follower"
BESIDE_M: Final = 0.28  # from face to face
BENT_M: Final = 0.15  # radius of a print that is bent like a face


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
