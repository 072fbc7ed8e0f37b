"""Error rates of presentation attack detection, by hand and for anything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation import attacks
from models.evaluation.attacks import Response, measure

CLASSIFICATIONS = st.sampled_from(["bona_fide", "attack", None])
RESPONSES = st.lists(
    st.builds(
        Response,
        classification=CLASSIFICATIONS,
        score=st.one_of(st.none(), st.floats(0, 1)),
        reason=st.sampled_from(["no_face", "insufficient_evidence"]),
    ),
    max_size=40,
)


def judged(*scores: float, threshold: float = 0.5) -> list[Response]:
    return [Response(classification="bona_fide" if s > threshold else "attack", score=s) for s in scores]


SILENT = Response(classification=None, score=None, reason="no_face")
UNSURE = Response(classification=None, score=0.45, reason="insufficient_evidence")


def test_rates_are_those_of_the_standard() -> None:
    genuine = [*judged(0.9, 0.8, 0.7, 0.4), SILENT]
    prints, masks = judged(0.1, 0.2, 0.6, 0.3), [*judged(0.95, 0.2), SILENT, UNSURE]
    found = measure("stills", genuine, {"prints": prints, "masks": masks}, threshold=0.5)
    assert (found.bona_fide.bpcer.errors, found.bona_fide.bpcer.trials) == (1, 4)
    assert found.bona_fide.non_responses.rate == 0.2
    assert found.species["prints"].apcer.rate == 0.25
    assert (found.species["masks"].apcer.errors, found.species["masks"].apcer.trials) == (1, 2)
    assert found.species["masks"].non_responses.rate == 0.5
    assert found.species["masks"].reasons == {"insufficient_evidence": 1, "no_face": 1}
    assert (found.worst, found.apcer) == ("masks", found.species["masks"].apcer)


def test_silence_makes_no_rate_better() -> None:
    spoken = measure("stills", judged(0.9, 0.2), {"a": judged(0.1, 0.9)})
    silent = measure(
        "stills", [*judged(0.9, 0.2), *[SILENT] * 50], {"a": [*judged(0.1, 0.9), *[SILENT] * 50]}
    )
    assert silent.bona_fide.bpcer == spoken.bona_fide.bpcer
    assert silent.apcer == spoken.apcer
    assert silent.bona_fide.non_responses.errors == 50


def test_the_chosen_threshold_is_the_highest_that_keeps_the_bpcer() -> None:
    genuine = judged(*np.linspace(0.3, 0.9, 200))
    found = measure("stills", genuine, {"prints": judged(*np.linspace(0, 0.6, 100))})
    assert found.supported
    assert found.bona_fide.bpcer_at is not None
    assert found.bona_fide.bpcer_at.errors == 2
    assert found.chosen_threshold is not None
    higher = float(np.nextafter(found.chosen_threshold, 1))
    assert (attacks.scores(genuine) < higher).sum() == 3
    assert found.apcer_at_bpcer is not None
    assert found.apcer_at_bpcer.errors == (np.linspace(0, 0.6, 100) >= found.chosen_threshold).sum()


def test_a_bpcer_that_too_few_presentations_stand_behind_is_not_claimed() -> None:
    found = measure("sequences", judged(0.4, 0.8), {"prints": judged(0.1, 0.5)})
    assert not found.supported
    assert found.chosen_threshold == 0.4
    assert found.bona_fide.bpcer_at is not None
    assert found.bona_fide.bpcer_at.errors == 0


def test_scores_without_a_verdict_count_at_a_chosen_threshold() -> None:
    found = measure("sequences", judged(0.9, 0.8), {"prints": [UNSURE] * 3})
    assert found.apcer is None or found.apcer.rate is None
    assert found.species["prints"].apcer_at_bpcer is not None
    assert found.species["prints"].apcer_at_bpcer.trials == 3
    assert found.equal_error is not None
    assert found.equal_error.rate == 0


def test_nothing_measured_is_no_rate() -> None:
    found = measure("stills", [], {})
    assert (found.worst, found.apcer, found.equal_error, found.chosen_threshold) == (None, None, None, None)
    assert found.bona_fide.bpcer.rate is None
    assert attacks.figures(found, [], {}) == ()


@pytest.mark.parametrize("bpcer", [0.0, 1.0, -0.1])
def test_a_rate_that_is_none_is_refused(bpcer: float) -> None:
    with pytest.raises(ValueError, match="BPCER"):
        measure("stills", [], {}, bpcer=bpcer)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(genuine=RESPONSES, prints=RESPONSES, screens=RESPONSES)
def test_any_responses_give_rates_that_agree(
    genuine: list[Response], prints: list[Response], screens: list[Response]
) -> None:
    found = measure("stills", genuine, {"prints": prints, "screens": screens}, threshold=0.5)
    for responses, figures in ((prints, found.species["prints"]), (screens, found.species["screens"])):
        assert figures.presentations == len(responses)
        assert figures.apcer.trials + figures.non_responses.errors == len(responses)
        assert sum(figures.reasons.values()) == figures.non_responses.errors
    rates = [each.apcer.rate for each in found.species.values() if each.apcer.rate is not None]
    assert (found.apcer.rate if found.apcer else None) == (max(rates) if rates else None)
    if found.bona_fide.bpcer_at is not None:
        assert found.bona_fide.bpcer_at.rate is not None
        assert found.bona_fide.bpcer_at.rate <= found.chosen_bpcer or not found.supported
        assert found.supported or found.bona_fide.bpcer_at.errors == 0


def test_figures_name_each_species() -> None:
    genuine, others = judged(0.9, 0.7, 0.4), {"<prints>": judged(0.1, 0.6), "screens": judged(0.3, 0.5)}
    found = measure("stills", genuine, others, threshold=0.5)
    det, histogram = attacks.figures(found, genuine, others)
    assert (det.name, histogram.name) == ("det-stills", "scores-stills")
    assert "&lt;prints&gt;" in det.svg
    assert "<prints>" not in det.svg + histogram.svg
    assert "shipped" in histogram.svg
    assert ">without any BPCER<" in histogram.svg  # three presentations support no BPCER of 1 %


def test_a_threshold_is_called_what_it_is() -> None:
    genuine, others = judged(*np.linspace(0.3, 0.9, 200)), {"prints": judged(0.1, 0.6)}
    _, histogram = attacks.figures(measure("stills", genuine, others), genuine, others)
    assert ">BPCER 1 %<" in histogram.svg
    assert "without any" not in histogram.svg
