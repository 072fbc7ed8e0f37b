"""`gatectl face quality`: what photographs of a face are worth, by the components of ISO/IEC 29794-5.

Prints the names of the files as they were typed, and numbers; nothing of what the photographs show.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gated.commands.answer import Answer, UsageError, Words
from gated.core.values import Value
from gated.core.vocabulary import Hint

if TYPE_CHECKING:
    from models.quality.still import Still, StillCheck

MAX_IMAGES = 1000
SHOWN = 5  # unreadable files, where all are


class ComponentValue(Value):
    """One component: 0 to 100, and the native measure; both None where the image does not give it.

    `basis` is "own" where the measure is the project's and not the standard's.
    """

    value: int | None
    native: float | None
    clause: str
    basis: str


class Assessed(Value):
    """One image. `error` is a snake_case code where no face can be measured; what is not known is then empty.

    `fix` says what its owner could do about that.

    With `no_face_mesh` there is a face, but something hides too much of it: the hints may say what.
    `box` is left, top, right and bottom of the largest face in pixels, `heads` probabilities.
    """

    file: str
    error: str | None = None
    fix: str | None = None
    width: int | None = None
    height: int | None = None
    faces: int | None = None
    box: tuple[float, float, float, float] | None = None
    usable: bool = False
    value: float | None = None
    hints: tuple[Hint, ...] = ()
    faults: tuple[str, ...] = ()
    heads: dict[str, float] = msgspec.field(default_factory=dict)
    components: dict[str, ComponentValue] = msgspec.field(default_factory=dict)


def add(face: Words) -> None:
    """Put `quality` under the word `face`."""
    sub = face.command("quality", face_quality)
    sub.epilog = "--json prints one object a line, for each image one, in the order given."
    sub.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="JPEG, JPEG 2000 or PNG")


def face_quality(arguments: argparse.Namespace) -> Answer:
    """Say what the largest face in each image is worth; bad news is one that may not be matched.

    Raises UsageError when not one of the files can be read.
    """
    # a gate whose OpenCV does not load must still answer every other question
    from models import manifest  # noqa: PLC0415 - see above
    from models.image import use_one_thread  # noqa: PLC0415
    from models.quality.still import StillCheck  # noqa: PLC0415

    if len(arguments.images) > MAX_IMAGES:
        raise UsageError(f"more than {MAX_IMAGES} images")
    use_one_thread()
    try:
        check = StillCheck(manifest.load())
    except manifest.ModelError as error:
        raise UsageError(f"models: {error}") from error
    assessed = tuple(_assess(check, path) for path in arguments.images)
    check.wipe()
    if all(each.error == "file_unreadable" for each in assessed):
        files = ", ".join(each.file for each in assessed[:SHOWN])
        more = f" and {len(assessed) - SHOWN} more" if len(assessed) > SHOWN else ""
        raise UsageError(f"{files}{more}: file_unreadable: {assessed[0].fix}")
    return Answer(
        value=assessed,
        text=tuple(line for each in assessed for line in _lines(each)),
        good=all(each.usable for each in assessed),
        series=True,
    )


def _assess(check: "StillCheck", path: Path) -> Assessed:
    from models.image import ImageError  # noqa: PLC0415 - see above
    from models.mrz import files  # noqa: PLC0415

    try:
        return _assessed(str(path), check.assess(files.read(path)))
    except ImageError as error:
        faces = 0 if error.reason == "no_face_detected" else None
        return Assessed(file=str(path), error=error.reason, fix=error.fix, faces=faces)


def _assessed(file: str, still: "Still") -> Assessed:
    from models.image import FIXES  # noqa: PLC0415 - see above
    from models.quality.components import COMPONENTS  # noqa: PLC0415

    quality = still.quality
    if quality is None:
        return Assessed(
            file=file,
            error="no_face_mesh",
            fix=FIXES["no_face_mesh"],
            width=still.width,
            height=still.height,
            faces=still.faces,
            hints=still.hints,
        )
    left, top, right, bottom = (round(each, 1) for each in quality.box)
    return Assessed(
        file=file,
        width=still.width,
        height=still.height,
        faces=still.faces,
        box=(left, top, right, bottom),
        usable=still.usable,
        value=round(quality.value, 3),
        hints=still.hints,
        faults=quality.faults,
        heads=_rounded(quality.probabilities),
        components={
            name: ComponentValue(
                value=quality.components[name],
                native=_rounded(quality.native).get(name),
                clause=component.clause,
                basis=component.basis,
            )
            for name, component in COMPONENTS.items()
        },
    )


def _rounded(numbers: Mapping[str, float]) -> dict[str, float]:
    return {name: round(number, 4) for name, number in numbers.items()}


def _lines(image: Assessed) -> Iterator[str]:
    if image.error is not None or image.box is None:
        yield f"{image.file}: {', '.join((str(image.error), *image.hints))}"
        yield f"  {image.fix}"
        return
    wanting = ", ".join((*image.hints, *image.faults))
    yield f"{image.file}: {'usable' if image.usable else f'not usable: {wanting}'}"
    faces = "one face" if image.faces == 1 else f"{image.faces} faces, the largest"
    left, top, right, bottom = image.box
    yield f"  value {image.value:.3f}; {image.width} x {image.height} pixels, {faces}"
    yield f"  face from {left:.0f}, {top:.0f} to {right:.0f}, {bottom:.0f}"
    for name, probability in image.heads.items():
        yield f"  {name.replace('_', ' '):<28} {100 * probability:5.1f} %"
    yield f"  {'ISO/IEC 29794-5':<28} 0..100      native  clause"
    for name, component in image.components.items():
        value = "-" if component.value is None else component.value
        native = "-" if component.native is None else f"{component.native:.3f}"
        own = " own" if component.basis == "own" else ""
        words = name.replace("_", " ")
        yield f"  {words:<28} {value:>6} {native:>11}  {component.clause}{own}"
