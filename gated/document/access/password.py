"""What opens a chip (Doc 9303-11 section 4): the zone of its page, or the card access number."""

from collections.abc import Generator
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

from gated.document import keys
from gated.document.errors import AccessError
from gated.document.mrz import Mrz

T = TypeVar("T")
Apdus = Generator[bytes, bytes, T]  # yields coded commands, is sent coded responses


class PasswordKind(IntEnum):
    """The reference of the password in MSE:Set AT (section 4.4.4.1)."""

    MRZ = 1
    CAN = 2


@dataclass(frozen=True, slots=True, repr=False)
class Password:
    """What the terminal knows from the page: the MRZ information or the card access number.

    `characters` of the zone tell how long DG1 is to be; 0 where the zone is not known.
    """

    kind: PasswordKind
    text: str
    characters: int = 0

    def __repr__(self) -> str:
        return f"Password({self.kind.name})"

    @classmethod
    def of_mrz(cls, mrz: Mrz) -> "Password":
        """The MRZ information of a scanned zone."""
        return cls(PasswordKind.MRZ, mrz.access_key, len(mrz.text))

    @classmethod
    def of_can(cls, number: str) -> "Password":
        """The six digits on the data page. Raises AccessError(`can_malformed`)."""
        if len(number) != 6 or not (number.isascii() and number.isdigit()):
            raise AccessError("can_malformed")
        return cls(PasswordKind.CAN, number)

    @property
    def seed(self) -> bytes:
        """f(password) of section 9.7.3."""
        return keys.mrz_seed(self.text) if self.kind is PasswordKind.MRZ else keys.can_seed(self.text)
