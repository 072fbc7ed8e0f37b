"""Reading a passport chip: the plan, the files in pieces, and what lies between a command and its answer."""

from gated.document.reading.passport import ChipFiles, read_passport
from gated.document.reading.proofs import Proofs, TerminalKey
from gated.document.reading.terminal import SHORT_APDUS, drive

__all__ = ["SHORT_APDUS", "ChipFiles", "Proofs", "TerminalKey", "drive", "read_passport"]
