"""One training sample: a photograph dressed by chance, and what is then true of each head."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.quality.training import camera, coverings, glasses, lids, masks
from models.quality.training.faces import Photograph
from models.quality.training.scene import SIZE, Scene, scene

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

MASK, SUNGLASSES, COVERING, CLOSED = range(4)
_SPARE = 0.12  # share of photographs left as they are
_REAL = 0.06  # share drawn from photographs that show something by nature


@dataclass(frozen=True, slots=True)
class Sample:
    """A chip; for each head 1, 0 or nan (does not count); and what was put on."""

    chip: Image
    truth: Floats
    worn: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dressed:
    """A painted picture, before any camera, and what is true of it."""

    scene: Scene
    truth: Floats
    worn: tuple[str, ...]


class Wardrobe:
    """Photographs to dress; the same photographs and generator give the same samples."""

    def __init__(self, photographs: Sequence[Photograph]) -> None:
        self._photographs = list(photographs)
        by_person: dict[str, list[Photograph]] = {}
        for photograph in photographs:
            by_person.setdefault(photograph.person, []).append(photograph)
        self._people = list(by_person.values())
        self._special = [p for p in photographs if 1.0 in p.truth]

    def sample(self, rng: np.random.Generator) -> Sample:
        """Dress a photograph of chance's choice, and take it through the camera."""
        dressed = self.dress(self._chosen(rng), rng)
        return Sample(camera.shoot(dressed.scene, rng), dressed.truth, dressed.worn)

    def dress(self, photograph: Photograph, rng: np.random.Generator) -> Dressed:
        """Dress one photograph."""
        turn = (0.0, 0.0)
        if rng.random() < 0.5:
            turn = float(rng.normal(0, 0.22)), float(rng.normal(0, 0.1))
        made = scene(photograph, rng, turn)
        truth = np.array(photograph.truth, np.float32)
        worn: list[str] = []
        if rng.random() >= _SPARE:
            self._eyes(made, truth, worn, rng)
            # what is worn last lies on top: a scarf over the straps of a mask, or under them
            steps = [self._mouth, self._glasses, self._head]
            if rng.random() < 0.5:
                steps = [self._head, self._mouth, self._glasses]
            for step in steps:
                step(made, truth, worn, rng)
        return Dressed(made, truth, tuple(worn))

    def _chosen(self, rng: np.random.Generator) -> Photograph:
        if self._special and rng.random() < _REAL:
            return self._special[int(rng.integers(len(self._special)))]
        if rng.random() < 0.5:
            return self._photographs[int(rng.integers(len(self._photographs)))]
        person = self._people[int(rng.integers(len(self._people)))]
        return person[int(rng.integers(len(person)))]

    def _print(self, rng: np.random.Generator) -> Floats | None:
        """Some other picture, to be printed on cloth or mirrored in a lens."""
        if rng.random() < 0.7:
            return None
        other = self._photographs[int(rng.integers(len(self._photographs)))].image()
        return np.asarray(cv2.resize(other, SIZE).astype(np.float32) / 255, np.float32)

    def _eyes(self, made: Scene, truth: Floats, worn: list[str], rng: np.random.Generator) -> None:
        chance = rng.random()
        if chance < 0.3:
            lids.draw_down(made, rng, rng.uniform(0.9, 1.0))
            truth[CLOSED] = 1
            worn.append("eyes closed")
        elif chance < 0.34:
            lids.draw_down(made, rng, rng.uniform(0.58, 0.87))
            truth[CLOSED] = np.nan
        elif chance < 0.48:
            lids.draw_down(made, rng, rng.uniform(0.0, 0.3))
            worn.append("eyes narrowed")
        elif chance < 0.57:
            lids.look_down(made, rng)
            worn.append("eyes lowered")

    def _mouth(self, made: Scene, truth: Floats, worn: list[str], rng: np.random.Generator) -> None:
        chance, print_ = rng.random(), self._print(rng)
        if rng.random() < 0.1:
            masks.beard(made, rng)
            worn.append("beard")
        if chance < 0.3:
            worn.append(f"mask: {masks.wear(made, rng, print_)}")
            truth[MASK] = 1
        elif chance < 0.37:
            masks.on_chin(made, rng, print_)
            worn.append("mask on the chin")
        elif chance < 0.43:
            masks.hand(made, rng)
            worn.append("hand")
        elif chance < 0.48:
            masks.scarf_on_neck(made, rng, print_)
            worn.append("scarf on the neck")
        elif chance < 0.53:
            masks.thing(made, rng)
            worn.append("microphone")

    def _glasses(self, made: Scene, truth: Floats, worn: list[str], rng: np.random.Generator) -> None:
        chance, print_ = rng.random(), self._print(rng)
        if rng.random() < 0.06:
            glasses.deep_shadow(made, rng)
            worn.append("deep shadow")
        if chance < 0.25:
            worn.append(f"sunglasses: {glasses.wear_sunglasses(made, rng, print_)}")
            truth[SUNGLASSES], truth[CLOSED] = 1, np.nan
        elif chance < 0.29:
            glasses.wear_tinted(made, rng)
            truth[SUNGLASSES] = np.nan if truth[SUNGLASSES] != 1 else 1
        elif chance < 0.43:
            glasses.wear_clear(made, rng)
            worn.append("clear glasses")
        elif chance < 0.46:
            glasses.on_hair(made, rng, print_)
            worn.append("glasses on the hair")

    def _head(self, made: Scene, truth: Floats, worn: list[str], rng: np.random.Generator) -> None:
        chance, print_ = rng.random(), self._print(rng)
        bare = truth[COVERING] == 0
        if chance < 0.32 and (bare or rng.random() < 0.3):
            worn.append(f"covering: {coverings.wear(made, rng, print_)}")
            truth[COVERING] = 1
        elif chance < 0.42 and bare:
            coverings.hair(made, rng, print_)
            worn.append("hair")
        elif chance < 0.45:
            coverings.headphones(made, rng)
            worn.append("headphones")
