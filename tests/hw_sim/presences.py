"""People as tests and benches put them before the camera: standing somewhere, with what they hold or wear."""

from hw_sim.camera.presence import MaskWearer, PhotoHolder, TabletHolder, Walker, Waypoint, Wearable

SEED = 6


def at(distance_m: float) -> tuple[Waypoint, ...]:
    """The path of somebody who stands there."""
    return (Waypoint(time_s=0, distance_m=distance_m),)


def nearing(distance_m: float) -> tuple[Waypoint, ...]:
    """The path of somebody who comes 0.2 m nearer within a second, past a distance half-way."""
    return (
        Waypoint(time_s=0, distance_m=distance_m + 0.1),
        Waypoint(time_s=1, distance_m=distance_m - 0.1),
    )


def standing(person: str, *wears: Wearable, distance_m: float = 0.9, seed: int = 4) -> Walker:
    """Somebody who never blinks."""
    return Walker(person=person, path=at(distance_m), seed=seed, wears=wears, blinks=False)


def sheet(
    photo_of: str, path: tuple[Waypoint, ...], *, person: str = "carl", seed: int = SEED
) -> PhotoHolder:
    """Somebody who holds up a flat print."""
    return PhotoHolder(person=person, photo_of=photo_of, path=path, seed=seed)


def tablet(
    video_of: str, path: tuple[Waypoint, ...], *, person: str = "carl", seed: int = SEED
) -> TabletHolder:
    """Somebody who holds up a tablet that plays a film."""
    return TabletHolder(person=person, video_of=video_of, path=path, seed=seed)


def mask(photo_of: str, path: tuple[Waypoint, ...], *, person: str = "carl", seed: int = SEED) -> MaskWearer:
    """Somebody behind a paper mask."""
    return MaskWearer(person=person, photo_of=photo_of, path=path, seed=seed)
