"""What the operator decides: time limits, thresholds, how old trust may be. Part of the recorded start."""

from typing import Annotated

from msgspec import Meta

from gated.core.values import Value

Seconds = Annotated[float, Meta(gt=0, le=600)]
Age = Annotated[float, Meta(ge=0, le=30 * 86400)]
Tries = Annotated[int, Meta(ge=1, le=10)]


class Limits(Value):
    """How long each state may last, in seconds (domain figures: TR-03121, TR-03135; some our own)."""

    optical_s: Seconds = 5.0
    chip_s: Seconds = 7.0
    background_s: Seconds = 1.0
    entry_s: Seconds = 8.0
    closing_s: Seconds = 3.0
    capture_s: Seconds = 10.0
    verify_s: Seconds = 1.0
    officer_s: Seconds = 60.0
    exit_s: Seconds = 8.0
    leave_s: Seconds = 20.0
    clearing_s: Seconds = 2.0


class Policy(Value):
    """Everything that `step` decides by. Scores are compared here, so a replay decides alike.

    The operator chooses a false match rate; the score that it was measured at for the embedder in use takes
    the place of `match_threshold` when the gate starts. Until then nobody matches.
    """

    liveness_threshold: Annotated[float, Meta(ge=0, le=1)]
    match_fmr: Annotated[float, Meta(gt=0, le=0.01)] = 0.001
    match_threshold: Annotated[float, Meta(ge=0, le=1)] = 1.0
    min_height_m: Annotated[float, Meta(ge=0, le=2)] = 1.20  # 0: nobody's height is asked
    limits: Limits = Limits()
    mrz_tries: Tries = 3
    chip_tries: Tries = 2
    captures: Tries = 3
    reversals: Tries = 2
    watchlist_max_age_s: Age = 72 * 3600.0
    watchlist_warn_age_s: Age = 24 * 3600.0
    require_synchronised_clock: bool = True
    open_at_start: bool = True
