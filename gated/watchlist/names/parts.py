"""What the words of a name are: names, and what stands around names and tells few people apart."""

import re
from enum import StrEnum
from functools import lru_cache


class Part(StrEnum):
    """What a word is in a name."""

    NAME = "name"
    PATRONYMIC = "patronymic"
    PARTICLE = "particle"
    TITLE = "title"


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


TITLES = _set(
    "ADMIRAL AMBASSADOR AYATOLLAH BARONESS BRIG BRIGADIER CAPT CAPTAIN CHAIRMAN COL COLONEL COMMANDER "
    "COUNTESS DAME DIRECTOR DOCTOR DONA DR DUCHESS EMIR ENG ENGINEER ESQ EXCELLENCY FATHER FRAU GEN "
    "GOVERNOR HAJI HAJJ HAJJI HERR HON HONORABLE HONOURABLE II III IMAM ING INGENIEUR IV JR JUDGE "
    "JUNIOR JUSTICE LADY LIEUTENANT LORD LT MADAM MADAME MAGISTER MAJ MAJOR MAULANA MAULAVI MAWLAWI "
    "MINISTER MISS MLLE MME MONSIEUR MR MRS MS MULLA MULLAH MX PHD PRAESIDENT PRASIDENT PRESIDENT "
    "PRESIDENTE PRINCESS PROF PROFESSOR QARI QUEEN RABBI REV REVEREND SAYYED SAYYID SEN SENATOR SENIOR "
    "SENOR SENORA SGT SHAIKH SHAYKH SHEIK SHEIKH SIR SRA USTAD VICE "
)
"""Forms of address and rank that are hardly ever names."""
PARTICLES = _set(
    "AD AF AL AND AR AS AT AV AZ BAR BEN BIN BINT BINTI BN BNT BT DA DAS DE DEL DELA DELLA DEN DER DES "
    "DI DO DOS DU ED EL IBN IN KIZI LA LAS LE LES LO LOS MAC MC OGLI OGLU QIZI ST STE TE TEN TER UL UND "
    "UR VAN VOM VON ZU ZUM ZUR "
)
"""Articles, prepositions and words for son and daughter, which many records leave out."""
_PATRONYMIC = re.compile(
    ".{3,}([OE]VICH|[OE]VITCH|[OE][VW]ITSCH|[OE]VYCH|[OE]VICS?|[OE][VW]NA|IVNA|INICHNA|YCH)"
)


@lru_cache(maxsize=65_536)
def part_of(word: str) -> Part:
    """What a word in zone letters is in a name."""
    if len(word) == 1:
        return Part.NAME  # an initial
    if word in TITLES:
        return Part.TITLE
    if word in PARTICLES:
        return Part.PARTICLE
    return Part.PATRONYMIC if _PATRONYMIC.fullmatch(word) else Part.NAME
