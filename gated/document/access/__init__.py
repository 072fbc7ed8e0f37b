"""How a terminal gets access to a chip (Doc 9303-11 section 4): what the chip offers, PACE, BAC."""

from gated.document.access.bac import bac
from gated.document.access.card_access import CardAccess, PaceChoice, PacePolicy, parse_card_access
from gated.document.access.pace import MappingEvidence, Opened, pace
from gated.document.access.password import Password, PasswordKind
from gated.document.access.security_infos import SecurityInfos, parse_security_infos

__all__ = [
    "CardAccess",
    "MappingEvidence",
    "Opened",
    "PaceChoice",
    "PacePolicy",
    "Password",
    "PasswordKind",
    "SecurityInfos",
    "bac",
    "pace",
    "parse_card_access",
    "parse_security_infos",
]
