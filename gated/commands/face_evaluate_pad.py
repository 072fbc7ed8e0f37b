"""`gatectl face evaluate-pad`: how often prints and screens pass for a living person, and people do not.

The figures are those of ISO/IEC 30107-3; `models.evaluation.attacks` says how they are made, and
`models.evaluation.presentations` what is judged. Each folder of attacks is one instrument species, by its
name. Progress goes to standard error. Files that cannot be used are no presentations: they are named and
counted.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gated.commands import fps
from gated.commands.answer import Answer, UsageError, Words

if TYPE_CHECKING:
    from models.evaluation.attacks import Detection, Kind, Response
    from models.evaluation.presentations import Judge, Listing

PROGRESS_S = 5.0
MAX_SPECIES = 64


def add(face: Words) -> None:
    """Put `evaluate-pad` under the word `face`."""
    sub = face.command("evaluate-pad", face_evaluate_pad)
    sub.add_argument(
        "--bona-fide",
        type=Path,
        required=True,
        metavar="DIR",
        help="presentations of living people: images, videos, and folders of frames",
    )
    sub.add_argument(
        "--attack",
        type=Path,
        required=True,
        nargs="+",
        action="extend",
        metavar="DIR",
        help="presentations of one species of attack instrument, by the folder's name",
    )
    sub.add_argument(
        "--stills",
        action="store_true",
        help="every image at any depth is a still, and there are no sequences",
    )
    fps.add(sub)
    sub.add_argument("--report", type=Path, metavar="DIR", help="write a page with plots into DIR")


def face_evaluate_pad(arguments: argparse.Namespace) -> Answer:
    """Measure presentation attack detection: APCER of each species, BPCER, EER, with intervals."""
    # a gate whose OpenCV does not load must still answer every other question
    from gated.commands import face_evaluate_pad_report  # noqa: PLC0415 - see above
    from models import manifest  # noqa: PLC0415
    from models.evaluation import attacks, presentations, report  # noqa: PLC0415
    from models.image import use_one_thread  # noqa: PLC0415

    folders = _folders(arguments)
    listings = {}
    if arguments.report is not None:
        try:
            report.prepare(arguments.report)
        except report.ReportError as error:
            raise UsageError(str(error)) from error
    for name, folder in folders.items():
        try:
            listings[name] = presentations.listed(folder, only_stills=arguments.stills)
        except presentations.PresentationError as error:
            raise UsageError(f"{folder}: {error}: give a folder of images, videos or folders") from error
    use_one_thread()
    try:
        judge = presentations.Judge(manifest.load(), arguments.fps)
    except manifest.ModelError as error:
        raise UsageError(f"models: {error}") from error
    judged = _Judged(judge, listings)
    found: dict[Kind, Detection | None] = {"stills": None, "sequences": None}
    figures: list[report.Figure] = []
    thresholds: dict[Kind, float | None] = {"stills": judge.still_threshold, "sequences": None}
    for kind, threshold in thresholds.items():
        genuine, others = judged.of(kind)
        if genuine or any(others.values()):
            found[kind] = detection = attacks.measure(kind, genuine, others, threshold=threshold)
            figures += attacks.figures(detection, genuine, others)
    answer = attacks.Findings(
        manifest_sha256=manifest.fingerprint(), **found, unusable=tuple(judged.unusable)
    )
    if arguments.report is not None:
        try:
            report.write(arguments.report, face_evaluate_pad_report.page(answer, figures))
        except report.ReportError as error:
            raise UsageError(str(error)) from error
    text = tuple(face_evaluate_pad_report.lines(answer, arguments.report))
    return Answer(value=answer, text=text, good=any(found.values()))


BONA_FIDE = ""  # the key of bona fide presentations among the species; no folder has this name


def _folders(arguments: argparse.Namespace) -> dict[str, Path]:
    """Folders by species. Raises UsageError for two of one name: their figures could not be told apart.

    So it does for that of the bona fide presentations, which would be both.
    """
    attacks: Sequence[Path] = arguments.attack
    if len(attacks) > MAX_SPECIES:
        raise UsageError(f"more than {MAX_SPECIES} folders of attacks")
    folders = {BONA_FIDE: arguments.bona_fide}
    for folder in attacks:
        if folder.resolve() == arguments.bona_fide.resolve():
            raise UsageError(f"{folder}: holds the bona fide presentations: name a folder of attacks")
        name = folder.resolve().name
        if name in folders:
            raise UsageError(f"{folder}: a second species called {name}: name the folders differently")
        folders[name] = folder
    return folders


class _Judged:
    """The responses to all presentations, by kind and species; told on standard error as they come."""

    def __init__(self, judge: "Judge", listings: "Mapping[str, Listing]") -> None:
        from models.evaluation.attacks import Unusable  # noqa: PLC0415 - as above
        from models.evaluation.presentations import PresentationError  # noqa: PLC0415

        self.unusable: list[Unusable] = []
        self._responses: dict[Kind, dict[str, list[Response]]] = {"stills": {}, "sequences": {}}
        count, done, told = sum(map(len, listings.values())), 0, time.monotonic()
        for name, listing in listings.items():
            paths_of: dict[Kind, Sequence[Path]] = {"stills": listing.stills, "sequences": listing.sequences}
            for kind, paths in paths_of.items():
                responses = self._responses[kind].setdefault(name, [])
                for path in paths:
                    try:
                        responses.append(judge.still(path) if kind == "stills" else judge.sequence(path))
                    except PresentationError as error:
                        self.unusable.append(Unusable(file=str(path), error=error.code))
                    done += 1
                    if time.monotonic() - told >= PROGRESS_S:
                        told = time.monotonic()
                        sys.stderr.write(f"judged {done} of {count} presentations\n")

    def of(self, kind: "Kind") -> "tuple[list[Response], dict[str, list[Response]]]":
        """Bona fide ones, and those of each species that has any of this kind."""
        every = self._responses[kind]
        return every[BONA_FIDE], {name: each for name, each in every.items() if name != BONA_FIDE and each}
