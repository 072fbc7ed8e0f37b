"""The reasons that the tables give for a way that they take: names of what is wrong, from the facts."""

from gated.core.checks import Check, Result
from gated.core.conditions import clock_is_unsure, settled_at
from gated.core.gate import Gate, face_is_good, height_verdict, lists_are_fresh
from gated.core.vocabulary import Liveness, Vouched


def faults(gate: Gate) -> tuple[str, ...]:
    """Name the devices that the lane lacks, each once in its fault's name."""
    named = (
        fault.code if fault.code.startswith(f"{fault.device}_") else f"{fault.device}_{fault.code}"
        for fault in gate.faults
    )
    return tuple(sorted(named)) or ("gate_trouble",)


def token_reason(gate: Gate) -> tuple[str, ...]:
    """Name why the token does not count."""
    return (gate.passage.token_refused,) if gate.passage else ()


def chip_reason(gate: Gate) -> tuple[str, ...]:
    """Name why the chip was not read."""
    return (gate.passage.chip_failure,) if gate.passage else ()


def failed_chip_checks(gate: Gate) -> tuple[str, ...]:
    """Name what was found wrong with the document."""
    return _failed((gate.passage.chip if gate.passage else None) or ())


def failed_background_checks(gate: Gate) -> tuple[str, ...]:
    """Name what the rules and the lists object to."""
    background = gate.passage.background if gate.passage else None
    return _failed(background.checks if background else ())


def _failed(checks: tuple[Check, ...]) -> tuple[str, ...]:
    """Name what failed, each once; what was not reached because of it is not a reason of its own."""
    found = dict.fromkeys(c.reason or c.name for c in checks if c.result is not Result.SUCCESSFUL)
    return tuple(reason for reason in found if reason != "not_reached") or tuple(found)


def lapsed_reasons(gate: Gate) -> tuple[str, ...]:
    """Name what an admission would not rest on any more."""
    if clock_is_unsure(gate):
        return ("clock_unsynchronised",)
    return stale_reasons(gate) or ("automatic_admission_not_allowed",)


def stale_reasons(gate: Gate) -> tuple[str, ...]:
    """Name the kinds on which the centre's last word is too old; the watchlist's age counts on by itself."""
    if gate.stale:
        return tuple(f"{kind}_stale" for kind in Vouched if kind in gate.stale)
    return () if lists_are_fresh(gate, settled_at(gate)) else ("watchlist_stale",)


def lapsed_and_face_reasons(gate: Gate) -> tuple[str, ...]:
    """Name both, for the officer who decides now."""
    of_the_face = () if face_is_good(gate) and height_verdict(gate) == "yes" else face_reasons(gate)
    return (*lapsed_reasons(gate), *of_the_face)


def face_reasons(gate: Gate) -> tuple[str, ...]:
    """Name what the last capture lacked."""
    face = gate.passage.face if gate.passage else None
    if face is None or face.frames == 0:
        return ("no_face",)
    reasons = []
    if face.match_score < gate.policy.match_threshold:
        reasons.append("face_mismatch")
    if face.liveness is Liveness.ATTACK:
        reasons.append("presentation_attack")
    elif face.liveness is Liveness.UNDETERMINED or face.liveness_score < gate.policy.liveness_threshold:
        reasons.append("liveness_undetermined")
    match height_verdict(gate):
        case "no":
            reasons.append("too_short")
        case "undetermined":
            reasons.append("height_undetermined")
        case "yes":
            pass
    return tuple(reasons) or (("automatic_admission_not_allowed",) if face_is_good(gate) else ())
