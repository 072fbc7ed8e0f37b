"""Error rates of presentation attack detection, in the terms of ISO/IEC 30107-3:2023.

- APCER: the share of the presentations of one attack instrument species (PAI species) that are classified
  as bona fide; the figure of a system is that of its worst species. BPCER: the share of bona fide
  presentations that are classified as attacks.
- APNRR and BPNRR: the shares to which the subsystem gives no response: no face, or not enough evidence.

A presentation without a response is no classification, right or wrong: APCER and BPCER are over the
responses, so that silence makes neither better, and the non-response rates stand beside them. A score is in
[0, 1], higher for bona fide. Two operating points are told: the classification that is shipped, and the
threshold at which BPCER is at most a chosen rate. The latter is chosen on the same presentations: it tells
what scores can do, not what a gate would do. Every share has its Clopper-Pearson interval of 95 %, exact
for independent presentations; several of one person or one instrument are not, and then it is too narrow.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from gated.core.values import Value
from models.evaluation import plot, rates
from models.evaluation.rates import EqualError, Proportion
from models.evaluation.report import Figure

Scores = npt.NDArray[np.float64]
Classification = Literal["bona_fide", "attack"]
Kind = Literal["stills", "sequences"]

BPCER = 0.01  # of the chosen operating point


class Response(Value):
    """What the subsystem says of one presentation.

    `classification` is that of the shipped rule, None for no response; `score` None where there is not even
    one; `reason` of either, a snake_case code.
    """

    classification: Classification | None
    score: Annotated[float, Meta(ge=0, le=1)] | None
    reason: str = ""


class Species(Value):
    """The figures of one PAI species. `reasons` counts why there was no response."""

    presentations: int
    non_responses: Proportion  # APNRR
    reasons: Mapping[str, int]
    apcer: Proportion
    apcer_at_bpcer: Proportion | None
    equal_error: EqualError | None


class BonaFide(Value):
    """The figures of bona fide presentations."""

    presentations: int
    non_responses: Proportion  # BPNRR
    reasons: Mapping[str, int]
    bpcer: Proportion
    bpcer_at: Proportion | None  # at the threshold that was chosen for it


class Detection(Value):
    """Everything that was measured of one kind of presentation, stills or sequences.

    `threshold` is the shipped one, where the shipped rule is one threshold on the score; `chosen_threshold`
    the highest at which BPCER is at most `chosen_bpcer`: `supported` unless there are too few presentations
    for it, and then it is the highest without any error. `worst` and `worst_at_bpcer` name the species with
    the highest APCER.
    """

    kind: Kind
    threshold: float | None
    bona_fide: BonaFide
    species: Mapping[str, Species]
    worst: str | None
    apcer: Proportion | None  # of the worst species
    chosen_bpcer: float
    chosen_threshold: float | None
    supported: bool
    worst_at_bpcer: str | None
    apcer_at_bpcer: Proportion | None  # of the worst species there
    equal_error: EqualError | None  # over all species together


class Unusable(Value):
    """A file that is no presentation: its path as found, and a snake_case code."""

    file: str
    error: str


class Findings(Value):
    """What was measured of stills and of sequences; None where there are none."""

    manifest_sha256: str
    stills: Detection | None
    sequences: Detection | None
    unusable: tuple[Unusable, ...]


def measure(
    kind: Kind,
    bona_fide: Sequence[Response],
    attacks: Mapping[str, Sequence[Response]],
    *,
    threshold: float | None = None,
    bpcer: float = BPCER,
) -> Detection:
    """Return the rates. Raises ValueError for a rate outside 0 to 1."""
    if not 0 < bpcer < 1:
        raise ValueError(f"a BPCER of {bpcer}")
    genuine = scores(bona_fide)
    chosen, supported = _threshold_for(genuine, bpcer)
    species = {name: _species(each, genuine, chosen) for name, each in sorted(attacks.items())}
    worst = _worst({name: each.apcer for name, each in species.items()})
    worst_there = _worst({name: each.apcer_at_bpcer for name, each in species.items()})
    all_scores = np.concatenate([np.empty(0), *(scores(each) for each in attacks.values())])
    return Detection(
        kind=kind,
        threshold=threshold,
        bona_fide=BonaFide(
            presentations=len(bona_fide),
            non_responses=_silent(bona_fide),
            reasons=_reasons(bona_fide),
            bpcer=_classified(bona_fide, "attack"),
            bpcer_at=None
            if chosen is None
            else rates.proportion(int((genuine < chosen).sum()), len(genuine)),
        ),
        species=species,
        worst=worst,
        apcer=None if worst is None else species[worst].apcer,
        chosen_bpcer=bpcer,
        chosen_threshold=chosen,
        supported=supported,
        worst_at_bpcer=worst_there,
        apcer_at_bpcer=None if worst_there is None else species[worst_there].apcer_at_bpcer,
        equal_error=rates.equal_error(genuine, all_scores),
    )


def scores(responses: Iterable[Response]) -> Scores:
    """The scores there are."""
    return np.array([each.score for each in responses if each.score is not None], np.float64)


def figures(
    found: Detection, bona_fide: Sequence[Response], attacks: Mapping[str, Sequence[Response]]
) -> tuple[Figure, ...]:
    """A DET curve for each species, and the histograms of scores; none of what has no scores."""
    genuine = scores(bona_fide)
    kinds = {name: values for name, each in sorted(attacks.items()) if len(values := scores(each))}
    if not (len(genuine) and kinds):
        return ()
    trades = [_trade(name, genuine, values) for name, values in kinds.items()]
    marks = []
    if found.threshold is not None:
        marks.append(plot.Mark(name="shipped", score=found.threshold))
    if found.chosen_threshold is not None:
        chosen = f"BPCER {100 * found.chosen_bpcer:g} %" if found.supported else "without any BPCER"
        marks.append(plot.Mark(name=chosen, score=found.chosen_threshold))
    sorts = [plot.Sort(name="bona fide", scores=genuine)]
    sorts += [plot.Sort(name=name, scores=values) for name, values in kinds.items()]
    return (
        Figure(
            name=f"det-{found.kind}",
            caption=f"Detection error trade-off of {found.kind}: each PAI species against all bona fide.",
            svg=plot.det(
                trades, x_label="APCER", y_label="BPCER", title=f"Presentation attacks, {found.kind}"
            ),
        ),
        Figure(
            name=f"scores-{found.kind}",
            caption=f"Scores of {found.kind}: 1 is bona fide.",
            svg=plot.histogram(
                sorts, marks, x_label="score", y_label="share of presentations", title=f"Scores, {found.kind}"
            ),
        ),
    )


def _species(responses: Sequence[Response], genuine: Scores, chosen: float | None) -> Species:
    own = scores(responses)
    return Species(
        presentations=len(responses),
        non_responses=_silent(responses),
        reasons=_reasons(responses),
        apcer=_classified(responses, "bona_fide"),
        apcer_at_bpcer=None if chosen is None else rates.proportion(int((own >= chosen).sum()), len(own)),
        equal_error=rates.equal_error(genuine, own),
    )


def _classified(responses: Sequence[Response], wrongly: Classification) -> Proportion:
    """The share of responses that are this classification."""
    given = [each.classification for each in responses if each.classification is not None]
    return rates.proportion(given.count(wrongly), len(given))


def _silent(responses: Sequence[Response]) -> Proportion:
    return rates.proportion(sum(each.classification is None for each in responses), len(responses))


def _reasons(responses: Sequence[Response]) -> dict[str, int]:
    counted = Counter(each.reason for each in responses if each.classification is None)
    return dict(sorted(counted.items()))


def _worst(shares: Mapping[str, Proportion | None]) -> str | None:
    """The species of the highest rate; of two alike, the one that more presentations stand behind."""
    known = [
        (share.rate, share.trials, name)
        for name, share in shares.items()
        if share is not None and share.rate is not None
    ]
    return max(known)[2] if known else None


def _threshold_for(genuine: Scores, bpcer: float) -> tuple[float | None, bool]:
    """The highest threshold with at most this share of bona fide scores below; whether it is supported."""
    if not len(genuine):
        return None, False
    allowed = int(bpcer * len(genuine) + 1e-9)
    return float(np.sort(genuine)[allowed]), allowed >= 1


def _trade(name: str, genuine: Scores, attacks: Scores) -> plot.Trade:
    thresholds = np.unique(np.concatenate([genuine, attacks]))
    apcer = 1 - np.searchsorted(np.sort(attacks), thresholds, side="left") / len(attacks)
    bpcer = np.searchsorted(np.sort(genuine), thresholds, side="left") / len(genuine)
    return plot.Trade(name=name, x=apcer, y=bpcer)
