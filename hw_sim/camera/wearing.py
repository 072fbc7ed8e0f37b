"""What people have on their heads: masks, spectacles, caps, scarves, fitted to the head that wears them.

Each is a grid of points with a picture of its own, see-through where nothing is. It is made for one head
(of any size: sizes come from the distance between its eyes) and turns with it.
"""

from collections.abc import Sequence
from typing import Final

from hw_sim.camera.figure import Figure
from hw_sim.camera.headform import Head
from hw_sim.camera.headgear import cap, headscarf
from hw_sim.camera.masks import mask
from hw_sim.camera.presence import Apparel, Wearable
from hw_sim.camera.spectacles import glasses, sunglasses

_ORDER: Final[tuple[Apparel, ...]] = ("headscarf", "mask", "glasses", "sunglasses", "cap")
_MADE: Final = {
    "mask": mask,
    "sunglasses": sunglasses,
    "glasses": glasses,
    "cap": cap,
    "headscarf": headscarf,
}


def dressed(figure: Figure, wears: Sequence[Wearable]) -> Figure:
    """The figure with all of these on."""
    chosen = sorted(wears, key=lambda wearable: _ORDER.index(wearable.kind))
    worn = tuple(_MADE[wearable.kind](Head(figure), wearable.style) for wearable in chosen)
    covered = any(wearable.kind == "headscarf" for wearable in chosen)
    return figure._replace(worn=(*figure.worn, *worn), behind=None if covered else figure.behind)
