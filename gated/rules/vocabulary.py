"""The words that a rule pack may use for checks and reasons, each with its sentence.

They are closed lists, so that displays, reports and officers know every code that can come. An agency's own
law stands in the pack, under ids of its own.
"""

from collections.abc import Mapping
from typing import Final

ELIGIBILITY: Final = "eligibility"
"""The check that says whether any ground entitles the traveller; no rule may take its name."""

NOT_SERVED: Final = "not_served"
GROUND_UNKNOWN: Final = "eligibility_unknown"

CHECKS: Final[Mapping[str, str]] = {
    ELIGIBILITY: "somebody whom the lanes are for",
    "document_type": "this kind of document is served",
    "document_validity": "the document is valid for long enough",
    "issuer": "the document is of a state that is served",
    "nationality": "travellers of this nationality are served",
    "direction": "served in this direction",
    "hours": "served at this time",
    "age": "old enough to go alone",
    "height": "tall enough to go alone",
    "accompaniment": "a minor comes with an adult",
    "residence": "a title of residence that is in force",
    "registration": "registered for the lanes",
    "consent": "agreed to the use of biometric data",
    "programme": "member of a programme of reciprocity",
    "visa": "a visa that is in force",
    "stay": "has not stayed longer than permitted",
    "exit_ban": "may leave the country",
}

REASONS: Final[Mapping[str, str]] = {
    NOT_SERVED: "the lanes are not for this traveller",
    GROUND_UNKNOWN: "it is not known whether the lanes are for this traveller",
    "document_type_not_served": "this kind of document is not served here",
    "document_type_unknown": "the kind of document is not known",
    "document_validity_short": "the passport expires too soon",
    "document_validity_unknown": "it is not known how long the passport is valid",
    "issuer_not_served": "passports of this state are not served here",
    "issuer_unknown": "the state that issued the passport is not known",
    "nationality_not_served": "travellers of this nationality are not served here",
    "nationality_unknown": "the nationality is not known",
    "direction_not_served": "the lanes do not serve this traveller in this direction",
    "direction_unknown": "it is not known which way the lane leads",
    "outside_hours": "the lanes do not serve this traveller at this time",
    "hours_unknown": "the time is not known",
    "under_age": "too young to use the lane alone",
    "age_unknown": "the age is not known",
    "too_short": "less tall than the lane asks of a child",
    "height_undetermined": "the height could not be measured",
    "unaccompanied": "a minor without an adult",
    "accompaniment_unknown": "it is not known whether an adult comes along",
    "residence_missing": "no title of residence",
    "residence_expired": "the title of residence has expired",
    "residence_unknown": "it is not known whether there is a title of residence",
    "not_registered": "not registered for the lanes",
    "registration_unknown": "it is not known whether the traveller is registered",
    "consent_missing": "no consent to the use of biometric data",
    "consent_unknown": "it is not known whether the traveller has consented",
    "programme_missing": "no member of a programme of reciprocity",
    "programme_unknown": "it is not known whether the traveller is member of a programme",
    "visa_missing": "no visa",
    "visa_expired": "the visa has expired",
    "visa_unknown": "it is not known whether there is a visa",
    "overstay": "stayed longer than permitted",
    "stay_unknown": "it is not known how long the traveller was permitted to stay",
    "exit_ban": "may not leave the country",
    "exit_ban_unknown": "it is not known whether the traveller may leave: the lists did not answer",
}
