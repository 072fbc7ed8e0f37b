"""What the traveller is told in each state: a screen, a spoken prompt, a lamp pattern.

Names only; the display process knows the pictures and the languages. The traveller is never told about
lists, scores or suspicion: whoever must wait for an officer sees the same neutral words.
"""

from collections.abc import Mapping

from gated.core.gate import Gate, State
from gated.core.vocabulary import Outcome

Told = tuple[str, str | None, str]  # screen, prompt, lamps

TOLD: Mapping[State, Told] = {
    State.OUT_OF_SERVICE: ("out_of_service", None, "out_of_service"),
    State.CLOSED: ("closed", None, "closed"),
    State.LOCKED: ("closed", None, "locked"),
    State.MAINTENANCE: ("out_of_service", None, "maintenance"),
    State.FREE_PASSAGE: ("walk_through", "walk_through", "free_passage"),
    State.CHANGE_OVER: ("one_moment", None, "change_over"),
    State.IDLE: ("place_passport", "place_passport", "ready"),
    State.DOC_OPTICAL: ("reading", "hold_still", "reading"),
    State.DOC_CHIP: ("leave_it_still", "leave_it_still", "reading"),
    State.DOC_TOKEN: ("leave_it_still", None, "reading"),
    State.BACKGROUND: ("leave_it_still", None, "reading"),
    State.APPROACH: ("take_passport_and_look", "take_passport_and_look", "approach"),
    State.ENTRY_OPEN: ("take_passport_and_enter", "take_passport_and_enter", "enter"),
    State.ENTRY_CLOSING: ("walk_and_look", "look_here", "wait"),
    State.FACE_CAPTURE: ("walk_and_look", None, "wait"),
    State.VERIFY: ("one_moment", None, "wait"),
    State.CONSENT: ("do_you_agree", "do_you_agree", "wait"),
    State.ISSUING: ("one_moment", None, "wait"),
    State.OFFICER: ("officer_comes", "officer_comes", "officer"),
    State.EXIT_OPEN: ("go", "have_a_good_journey", "go"),
    State.REJECT_OUT: ("officer_comes", "officer_comes", "officer"),
    State.CLEARING: ("one_moment", None, "wait"),
    State.EMERGENCY: ("leave_now", "leave_now", "emergency"),
}

STEP_BACK: Told = ("step_back_out", "step_back_out", "step_back")
ONE_AT_A_TIME: Told = ("one_at_a_time", "one_at_a_time", "step_back")
TO_THE_COUNTER: Told = ("go_to_counter", "go_to_counter", "officer")
PLACE_AGAIN: Told = ("place_again", "place_again", "reading")
GO_TO_THE_GATE: Told = ("go_to_the_gate", "go_to_the_gate", "token")
TAKE_PASSPORT: Told = ("take_passport", "take_passport", "wait")
TAKE_PASSPORT_FIRST: Told = ("take_passport", "take_passport", "enter")


def told(gate: Gate) -> Told:
    """Return the screen, the prompt and the lamps for the present facts."""
    plain = TOLD[gate.state]
    passage = gate.passage
    match gate.state:
        case State.DOC_OPTICAL | State.DOC_CHIP if passage is not None and passage.hint is not None:
            return (passage.hint, passage.hint, plain[2])
        case State.DOC_OPTICAL if passage is not None and passage.mrz_failures > 0:
            return PLACE_AGAIN
        case State.APPROACH if gate.persons > 1:
            return ONE_AT_A_TIME
        case State.APPROACH if passage is not None and passage.hint is not None and not gate.document:
            return (passage.hint, passage.hint, plain[2])
        case State.ENTRY_OPEN if gate.persons > 0 and gate.document:
            return TAKE_PASSPORT_FIRST
        case State.ENTRY_CLOSING | State.FACE_CAPTURE if passage is not None and passage.hint is not None:
            return (passage.hint, passage.hint, plain[2])
        case State.REJECT_OUT:
            return _way_out(gate)
        case State.ISSUING if passage is not None and passage.issued:
            return GO_TO_THE_GATE
        case State.CLEARING if gate.document and gate.waiting is None:
            return TAKE_PASSPORT
        case _:
            return plain


def _way_out(gate: Gate) -> Told:
    passage = gate.passage
    if passage is not None and "two_persons" in passage.reasons:
        return ONE_AT_A_TIME
    if gate.persons > 0:
        return STEP_BACK
    if passage is not None and passage.outcome is Outcome.REFERRED:
        return TO_THE_COUNTER
    return TOLD[State.REJECT_OUT]
