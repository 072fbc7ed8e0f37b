"""What the operator decides: time limits, thresholds, how old trust may be. Part of the recorded start."""

from typing import Annotated, Literal

from msgspec import Meta

from gated.core.values import Value
from gated.core.vocabulary import Aging, Direction, Grade, Topology, Vouched

HOUR_S, DAY_S = 3600.0, 86400.0

Seconds = Annotated[float, Meta(gt=0, le=600)]
Age = Annotated[float, Meta(ge=0, le=365 * DAY_S)]
Tries = Annotated[int, Meta(ge=1, le=10)]
HitScore = Annotated[float, Meta(ge=0.75, le=0.95)]  # the same name scores 0.97 whatever else is unknown


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
    approach_s: Seconds = 8.0
    issuing_s: Seconds = 3.0
    change_over_s: Seconds = 3.0
    consent_s: Seconds = 30.0
    slow_factor: Annotated[float, Meta(ge=1, le=5)] = 2.0  # inside, for wheelchairs


class LaneRules(Value):
    """How the lane is built and walked.

    `wide`: an adult may enter with children, or somebody with whoever pushes their wheelchair; an officer
    lets such a party out. `duty_s`: how long an officer's word to be on duty holds; without one the lane
    closes by itself (0: nobody need be on duty). `demand`: a document at the other end turns a lane for two
    directions round, when nobody is in it. `curtains` is no choice: the wiring tells whether there are any.
    """

    topology: Topology = Topology.MANTRAP
    wide: bool = False
    duty_s: Annotated[float, Meta(ge=0, le=86400)] = 0.0
    direction: Direction = Direction.FORWARD
    demand: bool = True
    curtains: bool = False


class PersonHits(Value):
    """From which score on a listed person is a hit, by the grade of the entry (docs/names.md).

    `false_hit_days`: for how long an officer's word holds that a hit was false; 0: no such word counts.
    """

    silent: HitScore = 0.9
    refer: HitScore = 0.9
    stop: HitScore = 0.9
    false_hit_days: Annotated[int, Meta(ge=0, le=3653)] = 1096

    @property
    def least(self) -> float:
        """The lowest score that is a hit at all."""
        return min(self.silent, self.refer, self.stop)

    def are_reached(self, grade: Grade, score: float) -> bool:
        """Whether an entry of this grade is a hit with this score."""
        by_grade = {Grade.SILENT: self.silent, Grade.REFER: self.refer, Grade.STOP: self.stop}
        return score >= by_grade.get(grade, self.least)


USUAL_HITS = PersonHits()
AGE_KEYS = {kind: (f"{kind}_warn_age_s", f"{kind}_max_age_s", f"{kind}_close_age_s") for kind in Vouched}


class Policy(Value):
    """Everything that `step` decides by. Scores are compared here, so a replay decides alike.

    The operator chooses a false match rate; the score that it was measured at for the embedder in use takes
    the place of `match_threshold` when the gate starts. Until then nobody matches.

    `calls`: so many times in a row, `leave_s` apart, somebody is called to whoever is felt in a lane that
    lets them out, and nothing moves; then the presence sensor is doubted.

    `without_consent`: who is to be registered and does not agree goes to the counter, or passes unregistered.

    The ages are those of the centre's last word on a kind that decides here: beyond `warn` people are told,
    beyond `max` nobody is admitted without an officer, beyond `close` the lane takes nobody (None: never).
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
    calls: Tries = 9
    watchlist_warn_age_s: Age = 24 * HOUR_S
    watchlist_max_age_s: Age = 72 * HOUR_S
    watchlist_close_age_s: Age | None = None
    rules_warn_age_s: Age = 7 * DAY_S
    rules_max_age_s: Age = 30 * DAY_S
    rules_close_age_s: Age | None = None
    trust_warn_age_s: Age = 7 * DAY_S
    trust_max_age_s: Age = 30 * DAY_S
    trust_close_age_s: Age | None = None
    standings_warn_age_s: Age = 24 * HOUR_S
    standings_max_age_s: Age = 72 * HOUR_S
    standings_close_age_s: Age | None = None
    require_synchronised_clock: bool = True
    open_at_start: bool = True
    without_consent: Literal["refer", "admit"] = "refer"
    lane: LaneRules = LaneRules()
    person_hits: PersonHits = USUAL_HITS

    def __post_init__(self) -> None:
        """Refuse ages that are out of order; the loader adds the file and the section."""
        for kind in Vouched:
            warn_s, max_s, close_s = self.ages_of(kind)
            if not warn_s <= max_s or (close_s is not None and close_s < max_s):
                keys = [f"`{key}`" for key in AGE_KEYS[kind]]
                if close_s is None:
                    keys.pop()
                raise ValueError(f"{', '.join(keys)}: each must be as long as the one before it, or longer")

    def ages_of(self, kind: Vouched) -> tuple[float, float, float | None]:
        """Beyond which ages people are told, nobody is admitted without an officer, and the lane closes."""
        warn, longest, close = AGE_KEYS[kind]
        warn_s: float = getattr(self, warn)
        max_s: float = getattr(self, longest)
        close_s: float | None = getattr(self, close)
        return warn_s, max_s, close_s

    def meaning(self, kind: Vouched, age_s: float) -> Aging:
        """What it means that the centre's last word on this kind is so old."""
        warn_s, max_s, close_s = self.ages_of(kind)
        if close_s is not None and age_s > close_s:
            return Aging.CLOSING
        if age_s > max_s:
            return Aging.STALE
        return Aging.OLD if age_s > warn_s else Aging.FRESH
