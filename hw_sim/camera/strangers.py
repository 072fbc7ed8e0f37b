"""Faces of people whom nobody has named: any number of them, each a function of a seed, and their siblings.

What evaluations need that must not use the faces which somebody has looked at. A stranger is drawn evenly
over what `Looks` can say, a little within its limits, so that every one of them is a face to the gate's
detector and mesh. All are mixed from the same two portraits: they differ from one another less than
people do, and a false match rate measured on them is no figure of a real one.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from hw_sim.camera.figure import Cloth, Colour, Hair
from hw_sim.camera.looks import FEATURES, Looks

_PALE: Final = np.array([172, 196, 238], np.float32)
_DARK: Final = np.array([40, 62, 98], np.float32)
_HAIRS: Final[tuple[Colour, ...]] = (
    (18, 20, 24), (26, 32, 42), (36, 52, 78), (62, 96, 128), (96, 140, 178), (52, 74, 140), (150, 152, 158),
    (185, 188, 192),
)  # fmt: skip
_FEATURES: Final = tuple(sorted(FEATURES))
_SPREAD: Final = 0.55  # of a feature, standard deviation
_MOST: Final = 1.1
_CHANGED: Final = 8  # features of one face that differ from the mixture's
_EYES_M: Final = (1.615, 0.055, 1.48, 1.76)  # height above the floor: mean, deviation, limits


def stranger(seed: int) -> Looks:
    """An adult's looks, fixed by `seed` (0 or more)."""
    chance = np.random.default_rng([seed, 505])
    man = bool(chance.random() < 0.5)
    bearded = man and chance.random() < 0.35
    hair = _HAIRS[int(chance.choice(len(_HAIRS), p=_hair_shares(dark := float(chance.random()))))]
    fall = float(chance.uniform(0.12, 0.18)) if not man and chance.random() < 0.6 else 0.0
    side = chance.uniform(0.017, 0.022) if not man else chance.uniform(0.004, 0.012)
    named = chance.choice(_FEATURES, _CHANGED, replace=False)
    amounts = np.clip(chance.normal(0, _SPREAD, _CHANGED), -_MOST, _MOST)
    mean, deviation, low, high = _EYES_M
    return Looks(
        shape=float(chance.uniform(-0.2, 1.0)),
        skin=float(chance.uniform(0.0, 1.0)),
        eyes=float(chance.uniform(0.0, 0.25)),  # beyond it the admiral's spectacles begin to show
        mouth=float(chance.integers(0, 2)),  # in between it is neither open nor closed
        tone=_tone(dark, chance),
        height_m=float(np.clip(chance.normal(mean + (0.06 if man else -0.06), deviation), low, high)),
        hair=Hair(float(chance.uniform(0.006, 0.024)), float(side), fall, hair),
        cloth=Cloth(_cloth(chance), _cloth(chance)),
        lines=float(max(0.0, chance.normal(0.0, 0.12))),
        brows=float(chance.uniform(0.15, 0.7)),
        brow_colour=_darker(hair),
        beard=float(chance.uniform(0.4, 0.9)) if bearded else 0.0,
        moustache=float(chance.uniform(0.4, 0.9)) if bearded else 0.0,
        lips=float(chance.uniform(0.0, 0.2) if man else chance.uniform(0.1, 0.7)),
        fringe=float(chance.uniform(0.0, 0.6)),
        width=float(chance.normal(1.02 if man else 0.95, 0.03)),
        features=tuple((str(name), float(amount)) for name, amount in zip(named, amounts, strict=True)),
    )


def sibling(looks: Looks, other: Looks, share: float) -> Looks:
    """Somebody between two people: `share` 0 has the first one's face, 1 the second's features and skin.

    Hair, beard, clothes and height stay the first one's: who is taken for another dresses as the other does.
    """
    features = {name: amount * (1 - share) for name, amount in looks.features}
    for name, amount in other.features:
        features[name] = features.get(name, 0.0) + amount * share
    return looks._replace(
        shape=_between(looks.shape, other.shape, share),
        skin=_between(looks.skin, other.skin, share),
        tone=_colour(np.array(looks.tone) * (1 - share) + np.array(other.tone) * share),
        lines=_between(looks.lines, other.lines, share),
        brows=_between(looks.brows, other.brows, share),
        lips=_between(looks.lips, other.lips, share),
        features=tuple(features.items()),
    )


def _between(one: float, other: float, share: float) -> float:
    return one * (1 - share) + other * share


def _tone(dark: float, chance: np.random.Generator) -> Colour:
    """Skin between pale and dark (on a scale of ratios, as pigment works), a little redder or yellower."""
    tone = _PALE ** (1 - dark) * _DARK**dark * (1 + chance.normal(0, [0.05, 0.02, 0.02]))
    return _colour(tone)


def _hair_shares(dark: float) -> npt.NDArray[np.float64]:
    """How frequent each colour of hair is: fair hair goes with pale skin."""
    shares = np.array([3.0, 3.0, 3.0, 2.0, 1.5, 0.8, 1.2, 0.8])
    shares[3:6] *= max(0.0, 1 - 2.5 * dark)
    shares[2] *= max(0.0, 1 - 1.2 * dark)
    return np.asarray(shares / shares.sum())


def _cloth(chance: np.random.Generator) -> Colour:
    return _colour(chance.uniform(30, 190) + chance.normal(0, 28, 3))


def _darker(colour: Colour) -> Colour:
    return _colour(np.array(colour) * 0.75)


def _colour(values: npt.NDArray[np.float64]) -> Colour:
    blue, green, red = (int(n) for n in np.asarray(np.clip(np.round(values), 8, 245)))
    return blue, green, red
