"""`python -m models.liveness.training evaluate SOURCES.npz`: error rates on simulated presentations.

The people were not trained, the instruments' parameters are from bands that were not trained, and three of
the instruments were not trained at all. The whole path is measured: detector, mesh, head. Needs no torch.
The same arguments simulate the same presentations.
"""

import argparse
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import cv2

from models import manifest
from models.evaluation.attacks import Detection, Response, measure, scores
from models.evaluation.rates import Proportion
from models.face import FaceReader
from models.liveness.recapture import RecaptureHead
from models.liveness.training.preparing import MARGIN
from models.liveness.training.samples import TRAINED, UNSEEN, Kind, Sample, sample
from models.liveness.training.sources import Source, load
from models.tflite import Image

_BANDS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.01)


def presentations(
    sources: Sequence[Source], seed: int, bona_fide: int, each: int, kinds: Sequence[Kind]
) -> Iterator[Sample]:
    """So many bona fide ones, and so many of each kind of instrument."""
    for kind, count in (("bona fide", bona_fide), *((kind, each) for kind in kinds)):
        for number in range(count):
            yield sample(kind, sources, (seed, number, len(kind), ord(kind[0])), held_out=True)


def response(image: Image, reader: FaceReader, head: RecaptureHead, threshold: float) -> Response:
    """What the head says of the largest face in a still; scores are 1 for bona fide."""
    found = reader.detect(image, margin=MARGIN)
    face = reader.read(image, found[0]) if found else None
    if face is None:
        return Response(classification=None, score=None, reason="no_face")
    probability = head.read(image, face)
    if probability is None:
        return Response(classification=None, score=None, reason="insufficient_evidence")
    attack = probability >= threshold
    return Response(classification="attack" if attack else "bona_fide", score=1 - probability)


def table(found: Detection) -> Iterator[str]:
    """The rates as lines."""
    yield f"{'':28}{'':6}{'no response':>13}{'error':>8}  {'95 % interval':<17}{'at BPCER 1 %':>13}{'EER':>8}"
    own = found.bona_fide
    yield _row("bona fide (BPCER)", own.presentations, own.non_responses, own.bpcer, own.bpcer_at, None)
    for name, each in found.species.items():
        equal = None if each.equal_error is None else each.equal_error.rate
        label = f"{name} (APCER)" + (", unseen" if name in UNSEEN else "")
        yield _row(label, each.presentations, each.non_responses, each.apcer, each.apcer_at_bpcer, equal)
    errors = sum(each.apcer.errors for each in found.species.values())
    trials = sum(each.apcer.trials for each in found.species.values())
    overall = _percent(None if found.equal_error is None else found.equal_error.rate)
    yield f"all instruments: {errors} of {trials} missed; EER {overall}; the worst is {found.worst}"


def calibration(genuine: Sequence[Response], attacks: Sequence[Response]) -> Iterator[str]:
    """How often a probability was right: both classes weighed alike, as the network was trained."""
    own, others = (1 - scores(each) for each in (genuine, attacks))
    for low, high in pairwise(_BANDS):
        inside = [(values >= low) & (values < high) for values in (own, others)]
        weights = [float(mask.mean()) for mask in inside]
        if sum(weights):
            pairs = zip((own, others), inside, strict=True)
            means = [float(values[mask].sum()) / len(values) for values, mask in pairs]
            said, was = sum(means) / sum(weights), weights[1] / sum(weights)
            count = sum(int(mask.sum()) for mask in inside)
            band = f"probability {low:.1f} to {high:.1f}: {count:5} frames"
            yield f"{band}, mean {said:.2f}, re-captures {was:.2f}"


def _row(
    name: str,
    count: int,
    silent: Proportion,
    wrong: Proportion,
    chosen: Proportion | None,
    equal: float | None,
) -> str:
    between = f"{100 * wrong.low:.1f} to {100 * wrong.high:.1f}"
    shown = [_percent(wrong.rate), "-" if chosen is None else _percent(chosen.rate), _percent(equal)]
    return f"{name:28}{count:6}{silent.errors:13}{shown[0]:>8}  {between:<17}{shown[1]:>13}{shown[2]:>8}"


def _percent(rate: float | None) -> str:
    return "-" if rate is None else f"{100 * rate:.1f} %"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sources", type=Path)
    parser.add_argument("--part", choices=("tuning", "testing"), default="testing")
    parser.add_argument("--bona-fide", type=int, default=600)
    parser.add_argument("--each", type=int, default=120, help="of each instrument")
    parser.add_argument("--seed", type=int, default=2000)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    models = manifest.load()
    reader, head = FaceReader(models), RecaptureHead(models.recapture)
    people = load(arguments.sources, arguments.part)
    kinds: tuple[Kind, ...] = (*TRAINED, *UNSEEN)
    genuine: list[Response] = []
    attacks: dict[str, list[Response]] = {kind: [] for kind in kinds}
    for made in presentations(people, arguments.seed, arguments.bona_fide, arguments.each, kinds):
        said = response(made.shot.image, reader, head, models.recapture.threshold)
        (attacks[made.kind] if made.attack else genuine).append(said)
    print(*table(measure("stills", genuine, attacks, threshold=1 - models.recapture.threshold)), sep="\n")
    print(*calibration(genuine, [each for kind in TRAINED for each in attacks[kind]]), sep="\n")
    return 0
