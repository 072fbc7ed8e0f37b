"""The conditions that the table asks, and the reasons that it gives: small questions about facts.

A condition's name is its sentence; the generated diagram prints it.
"""

from gated.core.checks import Check, Result
from gated.core.gate import (
    BOTH,
    Gate,
    background_is_good,
    chip_is_good,
    face_is_good,
    healthy,
    height_verdict,
    lists_are_fresh,
)
from gated.core.vocabulary import Device, Door, Grade, Liveness, OfficerWord


def emergency_is_on(gate: Gate) -> bool:
    return gate.emergency


def emergency_is_over(gate: Gate) -> bool:
    return not gate.emergency


def expired(gate: Gate) -> bool:
    return gate.expired


def in_trouble(gate: Gate) -> bool:
    return not healthy(gate)


def occupied(gate: Gate) -> bool:
    return gate.persons > 0


def crowded(gate: Gate) -> bool:
    return gate.persons > 1


def empty(gate: Gate) -> bool:
    return gate.persons == 0


def trapped(gate: Gate) -> bool:
    """Somebody is in a lane that is not in service, and the doors can be moved."""
    return gate.persons > 0 and Device.IO_BOARD in gate.ready


def at_rest(gate: Gate) -> bool:
    return healthy(gate) and gate.persons == 0 and gate.shut == BOTH


def fit_to_open(gate: Gate) -> bool:
    return at_rest(gate) and gate.open


def fit_to_close(gate: Gate) -> bool:
    return at_rest(gate) and not gate.open


def wanted_closed(gate: Gate) -> bool:
    return not gate.open


def wanted_open(gate: Gate) -> bool:
    return gate.open


def a_door_is_not_shut(gate: Gate) -> bool:
    return gate.shut != BOTH


def passage_began(gate: Gate) -> bool:
    return gate.passage is not None


def document_is_gone(gate: Gate) -> bool:
    return not gate.document


def mrz_is_read(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.mrz


def mrz_tries_are_spent(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.mrz_failures >= gate.policy.mrz_tries


def chip_tries_are_spent(gate: Gate) -> bool:
    return gate.passage is not None and bool(gate.passage.chip_failure)


def chip_check_failed(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.chip is not None and not chip_is_good(gate)


def clock_is_unsure(gate: Gate) -> bool:
    return gate.policy.require_synchronised_clock and not gate.clock_good


def list_hit(gate: Gate) -> bool:
    background = gate.passage.background if gate.passage else None
    return background is not None and background.grade in {Grade.REFER, Grade.STOP}


def lists_are_stale(gate: Gate) -> bool:
    known = gate.passage is not None and gate.passage.background is not None
    return known and not lists_are_fresh(gate, gate.since)


def not_eligible(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.background is not None and not background_is_good(gate)


def photograph_is_unusable(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.enrolled is False


def may_enter(gate: Gate) -> bool:
    enrolled = gate.passage is not None and gate.passage.enrolled is True
    return enrolled and chip_is_good(gate) and background_is_good(gate) and Door.EXIT in gate.shut


def one_inside_document_taken(gate: Gate) -> bool:
    return gate.persons == 1 and not gate.document


def nobody_came(gate: Gate) -> bool:
    return gate.expired and gate.persons == 0


def closed_on_one(gate: Gate) -> bool:
    return gate.persons == 1 and Door.ENTRY in gate.shut


def closed_on_nobody(gate: Gate) -> bool:
    return gate.persons == 0 and Door.ENTRY in gate.shut


def obstructed(gate: Gate) -> bool:
    return gate.expired and gate.passage is not None and gate.passage.reversals < gate.policy.reversals


def face_is_assessed(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.face is not None


def attack_is_seen(gate: Gate) -> bool:
    face = gate.passage.face if gate.passage else None
    return face is not None and face.frames > 0 and face.liveness is Liveness.ATTACK


def too_short(gate: Gate) -> bool:
    return height_verdict(gate) == "no"


def another_look(gate: Gate) -> bool:
    passage = gate.passage
    return passage is not None and passage.face is not None and passage.looks < gate.policy.captures


def officer_accepts(gate: Gate) -> bool:
    said = gate.passage is not None and gate.passage.word is OfficerWord.ACCEPT
    return said and gate.persons == 1 and Door.ENTRY in gate.shut and Device.IO_BOARD in gate.ready


def officer_refuses(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.word is OfficerWord.REFUSE


def officer_escorts(gate: Gate) -> bool:
    return gate.passage is not None and gate.passage.word is OfficerWord.ESCORT


def officer_is_late(gate: Gate) -> bool:
    return gate.expired and gate.passage is not None and not gate.passage.escalated


def entry_came_open(gate: Gate) -> bool:
    return Door.ENTRY not in gate.shut


def left_with_everything(gate: Gate) -> bool:
    return gate.persons == 0 and not gate.document


def cleared(gate: Gate) -> bool:
    return gate.persons == 0 and gate.shut == BOTH and (not gate.document or gate.waiting is not None)


def cleared_in_trouble(gate: Gate) -> bool:
    return cleared(gate) and not healthy(gate)


def cleared_to_close(gate: Gate) -> bool:
    return cleared(gate) and not gate.open


# --- reasons ----------------------------------------------------------------------------------------


def faults(gate: Gate) -> tuple[str, ...]:
    """Name the devices that the lane lacks."""
    return tuple(sorted(f"{fault.device}_{fault.code}" for fault in gate.faults)) or ("gate_trouble",)


def chip_reason(gate: Gate) -> tuple[str, ...]:
    return (gate.passage.chip_failure,) if gate.passage else ()


def failed_chip_checks(gate: Gate) -> tuple[str, ...]:
    return _failed((gate.passage.chip if gate.passage else None) or ())


def failed_background_checks(gate: Gate) -> tuple[str, ...]:
    background = gate.passage.background if gate.passage else None
    return _failed(background.checks if background else ())


def _failed(checks: tuple[Check, ...]) -> tuple[str, ...]:
    """Name what failed, each once; what was not reached because of it is not a reason of its own."""
    found = dict.fromkeys(c.reason or c.name for c in checks if c.result is not Result.SUCCESSFUL)
    return tuple(reason for reason in found if reason != "not_reached") or tuple(found)


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
