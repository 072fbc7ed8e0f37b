"""Plain words for the codes that the gate speaks in: for the timeline and the report of the demo.

A code without an entry is shown as it is, with spaces for underscores, so nothing is ever left untold. The
traveller's sentences stand in for those of the display process, which knows languages and pictures.
"""

from collections.abc import Mapping
from typing import Final

from drivers.lamps import PATTERNS
from gated.core.vocabulary import Device
from gated.rules import CHECKS as RULE_CHECKS
from gated.rules import REASONS as RULE_REASONS

SEEN: Final[Mapping[str, str]] = {
    "closed": "Closed",
    "do_you_agree": "Do you agree to be registered for the gates? Press yes or no",
    "come_closer": "Come closer",
    "go": "You may go. Have a good journey",
    "go_to_counter": "Please go to the counter",
    "leave_it_still": "Leave your passport where it is",
    "leave_now": "Leave now by the nearest door",
    "look_here": "Look at the camera",
    "move_left": "A little to the left",
    "move_right": "A little to the right",
    "open_your_eyes": "Open your eyes",
    "step_back": "One step back",
    "take_off_glasses": "Take off your dark glasses",
    "take_off_mask": "Take off your mask",
    "turn_your_head": "Turn your head a little",
    "hold_still": "Hold your passport still",
    "open_at_photo_page": "Open your passport at the page with your photograph",
    "push_into_corner": "Push your passport into the corner",
    "turn_over": "Turn your passport over",
    "turn_round": "Turn your passport round",
    "officer_comes": "An officer will help you",
    "one_at_a_time": "One at a time: please step back out",
    "one_moment": "One moment, please",
    "one_person": "One person at a time, please",
    "out_of_service": "Out of service",
    "place_again": "Place your passport again",
    "place_passport": "Place your passport on the reader",
    "reading": "Reading your passport",
    "stand_still": "Stand still for a moment",
    "step_back_out": "Please step back out",
    "take_passport": "Take your passport",
    "take_passport_and_enter": "Take your passport and enter",
    "take_passport_and_look": "Take your passport and look at the camera",
    "go_to_the_gate": "Thank you. Please go to the gate",
    "walk_and_look": "Walk on and look at the camera",
    "walk_through": "Please walk through, one by one",
}

HEARD: Final[Mapping[str, str]] = {
    "do_you_agree": "Do you agree? Please press yes or no",
    "have_a_good_journey": "Have a good journey",
    "hold_still": "Hold it still",
    "look_here": "Look here",
    "turn_your_head": "Turn your head a little",
    "officer_comes": "Please wait for an officer",
}

STATES: Final[Mapping[str, str]] = {
    "out_of_service": "out of service",
    "doc_optical": "reading page",
    "doc_chip": "reading chip",
    "background": "background",
    "doc_token": "finding the token",
    "change_over": "turning round",
    "free_passage": "free passage",
    "entry_open": "entry open",
    "entry_closing": "entry closing",
    "face_capture": "face capture",
    "issuing": "issuing a token",
    "exit_open": "exit open",
    "reject_out": "leading out",
}

CHECKS: Final[Mapping[str, str]] = {
    **RULE_CHECKS,
    "sod_signature": "the signature over the chip's content",
    "document_signer": "the signer may sign passports",
    "csca": "the signer's state root is trusted",
    "dg_hashes": "the chip's files are as they were signed",
    "issuing_state": "signer and passport name one state",
    "validity": "certificates are valid today",
    "signer_document_type": "the signer may sign this kind of document",
    "revocation": "neither signer nor root has been revoked",
    "card_access": "nobody took the chip's better ways in away",
    "chip_authentication_mapping": "the chip holds its own key (PACE-CAM)",
    "chip_authentication": "the chip holds its own key (chip authentication)",
    "active_authentication": "the chip holds its own key (active authentication)",
    "genuineness": "the chip can prove that it is no copy",
    "mrz_matches_chip": "the printed page agrees with the chip",
    "document_expiry": "the passport has not expired",
    "photograph": "the chip holds a photograph",
    "anti_passback": "the passport has not just been used",
    "watchlist": "the watchlists could be asked",
    "watchlist_hit": "on no watchlist",
    "chip_read": "the chip can be read",
}

REASONS: Final[Mapping[str, str]] = {
    **RULE_REASONS,
    "access_denied": "the chip does not open to the key on the printed page",
    "admitted_just_now": "this passport was admitted a moment ago",
    "application_missing": "the chip is not that of a passport",
    "automatic_admission_not_allowed": "the rules do not allow automatic admission",
    "authorisation_unused": "the traveller did not go through the open exit",
    "background_timeout": "the background check took too long",
    "bac_refused": "the chip does not open to the key on the printed page",
    "chip_authentication_keys_differ": "the chip does not hold the key that its state signed: a copy",
    "mapping_mismatch": "the chip does not hold the key that its state signed: a copy",
    "signature_wrong": "a signature does not hold",
    "genuineness_not_offered": "the chip offers no proof that it is no copy",
    "key_not_authenticated": "the key that proves the chip is not known to be its state's",
    "pace_offers_not_signed": "a better way into the chip was taken away",
    "document_signer_revoked": "the signer of the passport was revoked",
    "csca_revoked": "the state root was revoked",
    "card_mute": "the chip does not answer",
    "card_gone": "the chip went silent during the read",
    "card_removed": "the passport was lifted from the reader during the read",
    "chip_timeout": "the chip took too long",
    "chip_too_slow": "the chip took too long",
    "clock_unsynchronised": "the gate's clock is not synchronised",
    "consent_declined": "the traveller did not agree to be registered",
    "consent_unanswered": "the traveller did not say whether they agree to be registered",
    "count_unsure": "not everybody who came in was seen to leave",
    "csca_signature_wrong": "the state root did not sign this signer",
    "csca_unknown": "no trusted state root has signed this signer",
    "dg1_hash_wrong": "the data page on the chip was changed after signing",
    "dg2_hash_wrong": "the photograph on the chip was changed after signing",
    "document_expired": "the passport has expired",
    "document_left": "the passport was left on the reader",
    "document_number_differs": "page and chip give different document numbers",
    "document_removed": "the passport was taken away too early",
    "emergency": "an emergency",
    "entry_contact_stuck": "somebody came in while the contact of the entry said shut",
    "entry_forced": "the entry door came open",
    "entry_obstructed": "the entry door could not close",
    "entry_unused": "nobody came in",
    "exit_contact_stuck": "somebody left while the contact of the exit said shut",
    "exit_not_shut": "the exit door did not shut",
    "exit_obstructed": "something stood in the exit",
    "face_mismatch": "the face is not that of the passport photograph",
    "interrupted": "the power failed, or the program was ended, in the middle of the passage",
    "intrusion": "somebody was inside before being let in",
    "issuing_state_differs": "signer and passport name different states",
    "lane_locked": "the lane was locked",
    "left_object": "the traveller left something behind",
    "liveness_undetermined": "not enough evidence of a living person",
    "loitering": "the traveller did not leave by the open exit",
    "party": "several people came in together",
    "tailgating": "somebody followed through the exit",
    "token_expired": "the token has expired",
    "token_missing": "no kiosk has made a token for this passport",
    "token_not_issued": "the kiosk could not make a token",
    "token_not_yet_due": "the kiosk's clock is ahead of the gate's",
    "token_of_another_embedder": "kiosk and gate compare faces by different models",
    "token_timeout": "the token was not found in time",
    "token_used": "the token was used before",
    "walked_away": "the traveller walked away",
    "mrz_timeout": "the printed lines were not read in time",
    "mrz_unreadable": "the printed lines could not be read",
    "name_differs": "page and chip give different names",
    "no_card": "no chip answers",
    "no_face": "no face was seen",
    "no_answer": "it does not answer",
    "not_reached": "an earlier check ended the verification",
    "officer_absent": "no officer came in time",
    "officer_escorts": "an officer took the traveller along",
    "officer_refused": "an officer refused",
    "pace_refused": "the chip does not open to the key on the printed page",
    "person_lost": "the person left the lane unseen",
    "photograph_unusable": "the chip's photograph could not be used",
    "presence_stuck": "somebody or something is felt in the lane, and nothing moves",
    "presentation_attack": "a picture in place of a living face",
    "stepped_back_out": "the traveller stepped back out",
    "tag_protocol": "the chip does not answer as it must",
    "two_persons": "more than one person in the lane",
    "watchlist_hit": "on a watchlist",
    "watchlist_missing": "the gate has no watchlist",
    "rules_stale": "the rules are too old: the centre has not vouched for them for long",
    "standings_stale": "the standings are too old: the centre has not vouched for them for long",
    "trust_stale": "the trust store is too old: the centre has not vouched for it for long",
    "watchlist_stale": "the watchlist is too old",
    "watchlist_unreadable": "the watchlist cannot be read",
    "wrong_way": "a second person came in by the exit",
}

ALERTS: Final[Mapping[str, str]] = {
    "aborted": "a passage was aborted",
    "camera_trouble": "a camera fails; others go on",
    "free_passage": "everybody may walk through, unchecked",
    "maintenance": "somebody works on the lane",
    "not_accepted": "an officer's word to let somebody out did not fit the lane: say it again",
    "not_identified": "somebody stands before the barrier without a passage",
    "not_turned": "the lane was to be turned round, and was not",
    "other_end_trouble": "something fails at the end that is not in use",
    "turn_waits": "the lane is not turned to an end that is out of order",
    "rules_aging": "the rules grow old",
    "rules_stale": "the rules are too old: nobody is admitted without an officer",
    "rules_closing": "the rules are too old: the lane closes",
    "standings_aging": "the standings grow old",
    "standings_stale": "the standings are too old: nobody is admitted without an officer",
    "standings_closing": "the standings are too old: the lane closes",
    "trust_aging": "the trust store grows old",
    "trust_stale": "the trust store is too old: nobody is admitted without an officer",
    "trust_closing": "the trust store is too old: the lane closes",
    "watchlist_aging": "the watchlist grows old",
    "watchlist_stale": "the watchlist is too old: nobody is admitted without an officer",
    "watchlist_closing": "the watchlist is too old: the lane closes",
    "document_left": "a document was left on the reader",
    "emergency": "emergency",
    "intrusion": "somebody is inside without a passage",
    "not_clear": "the lane does not become clear",
    "not_left": "the traveller has not left",
    "not_registered": "a traveller agreed to be registered, and could not be: see the log",
    "officer_late": "the traveller still waits for an officer",
    "referred": "a traveller is referred to an officer",
    "refused": "a traveller was refused",
    "refused_by_rules": "by the rules a traveller is to be refused, and comes to the counter",
    "stopped_by_rules": "the rules stop a traveller: go there at once",
}


def spaced(code: str) -> str:
    """Return a code as words."""
    return code.replace("_", " ")


def seen(screen: str) -> str:
    """What the traveller reads on the display."""
    return SEEN.get(screen, spaced(screen).capitalize())


def heard(prompt: str) -> str:
    """What the traveller hears."""
    return HEARD.get(prompt) or seen(prompt)


def lamps(pattern: str) -> str:
    """Name the lamps that burn and those that blink."""
    known = PATTERNS.get(pattern)
    if known is None:
        return spaced(pattern)
    named = [(name, "") for name in known.steady] + [(name, " blinking") for name in known.blinking]
    named += [(name, " blinking in turn") for name in known.in_turn]
    return ", ".join(spaced(name) + how for name, how in sorted(named, key=lambda lamp: _order(lamp[0])))


def _order(lamp: str) -> tuple[int, str]:
    places = ("entry", "exit", "amber")
    return next((n for n, place in enumerate(places) if lamp.startswith(place)), len(places)), lamp


def state(name: str) -> str:
    """Name a state of the gate, shortly."""
    return STATES.get(name, spaced(name))


def check(name: str) -> str:
    """What a check is about."""
    return CHECKS.get(name, spaced(name))


def reason(code: str) -> str:
    """Say why; a fault is said with its device."""
    of = next((device for device in Device if code.startswith(f"{device}_")), None)
    if code in REASONS or of is None:
        return REASONS.get(code, spaced(code))
    return f"fault of {spaced(of)}: {spaced(code.removeprefix(f'{of}_'))}"


def alert(kind: str) -> str:
    """What the officers are told."""
    return ALERTS.get(kind) or REASONS.get(kind, spaced(kind))
