"""Joins independent cues into one score and a verdict.

Each cue gives a log likelihood ratio of a bona fide presentation against an attack. They are taken to be
independent given what stands before the camera, and so they add:

    logit(score) = logit(prior) + sum of each cue's ratio, cut at its cap

That is an assumption, and not quite true: a print that is badly lit fails two cues for one reason. The caps
bound what this can do: a cue that is not STRONG can neither make nor undo a verdict alone. A cue without
evidence adds nothing, whether its sensor is missing or it has not seen enough.

- *live*: the score is at least `live_score`, a STRONG cue says so by itself, and none says *attack*. Weak
  cues never say it, but they can forbid it: a film on a screen moves with the relief of a face, for it is
  the film of one. When the weak cues that speak against life do so by DOUBTED together, nobody is called
  live, whatever others say: a print follows the lamp, too. The surroundings can do that alone, when they
  clearly move with the face, and so can a code of the gate's lamp that the face clearly did not follow.
  While a verdict is *held*, because such an answer is still to come, nobody is called live either.
- *attack*: the score is at most `attack_score`. That takes a STRONG cue, or two weak ones that agree; against
  a STRONG one it takes three (OUTVOTED).
- *undetermined*: anything else. The score then lies in UNSURE, well between those of the verdicts. It is 0.5
  when no STRONG cue has any evidence: then nothing is known, whatever weak cues may hint at.

A depth camera measures what motion infers. So where it finds a face flat, movement with the relief of one is
that of a film, and counts for nothing.

A higher score of any cue never lowers the verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from models.liveness.cue import Cue, chance, logit_of
from models.schema import Liveness

Verdict = Literal["live", "attack", "undetermined"]

STRONG: Final = frozenset({"motion", "depth"})
UNKNOWN: Final = 0.5
UNSURE: Final = (0.3, 0.6)
DOUBTED: Final = -1.25  # log likelihood ratio of those weak cues together that speak against life
OUTVOTED: Final = -2.4


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A verdict with its score in [0, 1], what each cue says, and how many frames were looked at."""

    verdict: Verdict
    score: float
    cues: tuple[Cue, ...]
    frames: int
    held: bool = False
    """Whether this would be `live`, but for an answer that is awaited."""

    @property
    def lacking(self) -> str:
        """Why there is no verdict, for an officer; empty when there is one."""
        if self.verdict != "undetermined":
            return ""
        if self.held:
            return "the face's answer to the gate's light is awaited"
        strong = [cue for cue in self.cues if cue.name in STRONG]
        silent = [cue.reason for cue in strong if cue.score is None]
        if any(silent):
            return "; ".join(silent)
        against = [cue.reason for cue in self.cues if cue.score is not None and cue.score < UNSURE[0]]
        return "; ".join(("the cues contradict one another, or say too little", *against))


def ratio(cue: Cue, entry: Liveness) -> float:
    """Return the log likelihood ratio that a cue adds."""
    if cue.score is None:
        return 0.0
    cap = float(getattr(entry.caps, cue.name))
    return min(max(logit_of(cue.score), -cap), cap)


def fuse(cues: Sequence[Cue], entry: Liveness, frames: int, *, hold: bool = False) -> Evidence:
    """Join the cues, each name at most once. `hold`: it is too early to call anybody live."""
    is_flat = any(
        cue.name == "depth" and cue.score is not None and cue.score <= entry.attack_score for cue in cues
    )
    ratios = {cue.name: ratio(cue, entry) for cue in cues}
    if is_flat and "motion" in ratios:
        ratios["motion"] = min(ratios["motion"], 0.0)
    total = sum(ratios.values())
    doubts = sum(min(ratio(cue, entry), 0.0) for cue in cues if cue.name not in STRONG)
    score = chance(logit_of(entry.prior) + (min(total, doubts) if doubts <= OUTVOTED else total))
    strong = [cue.score for cue in cues if cue.name in STRONG and cue.score is not None]
    verdict: Verdict = "undetermined"
    lives = score >= entry.live_score and doubts > DOUBTED
    lives = lives and any(each >= entry.live_score for each in strong) and min(strong) > entry.attack_score
    if lives and not hold:
        verdict = "live"
    elif score <= entry.attack_score:
        verdict = "attack"
    elif strong:
        score = min(max(score, UNSURE[0]), UNSURE[1])
    else:
        score = UNKNOWN
    return Evidence(verdict=verdict, score=score, cues=tuple(cues), frames=frames, held=lives and hold)
