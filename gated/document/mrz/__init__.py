"""The machine-readable zone (Doc 9303 parts 3 to 7): lines in, one checked value out."""

from gated.document.mrz.characters import check_digit
from gated.document.mrz.dates import PartialDate
from gated.document.mrz.examination import Examined, examine
from gated.document.mrz.names import ZoneName
from gated.document.mrz.printed_names import same_name, transliterations
from gated.document.mrz.zone import MAX_MESSAGE, Mrz, MrzError, parse

__all__ = [
    "MAX_MESSAGE",
    "Examined",
    "Mrz",
    "MrzError",
    "PartialDate",
    "ZoneName",
    "check_digit",
    "examine",
    "parse",
    "same_name",
    "transliterations",
]
