"""How a terminal gets access to a chip (Doc 9303-11 section 4): what the chip offers, PACE, BAC."""

from gated.document.access.bac import bac
from gated.document.access.card_access import CardAccess, PaceChoice, parse_card_access
from gated.document.access.pace import MappingEvidence, Opened, pace
from gated.document.access.password import Password, PasswordKind

__all__ = [
    "CardAccess",
    "MappingEvidence",
    "Opened",
    "PaceChoice",
    "Password",
    "PasswordKind",
    "bac",
    "pace",
    "parse_card_access",
]
