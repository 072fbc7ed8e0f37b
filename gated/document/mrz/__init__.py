"""The machine-readable zone (Doc 9303 parts 3 to 7): lines in, one checked value out."""

from gated.document.mrz.zone import MAX_MESSAGE, Mrz, MrzError, PartialDate, check_digit, parse

__all__ = ["MAX_MESSAGE", "Mrz", "MrzError", "PartialDate", "check_digit", "parse"]
