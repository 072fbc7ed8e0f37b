"""A chip whose answers are the fuzzer's: a whole reading against it, until the answers run out."""

from gated.document.access import Password
from gated.document.access.password import PasswordKind
from gated.document.errors import ReadingError
from gated.document.reading import drive, read_passport


def read_from(raw: bytes) -> None:
    """Read a passport whose answers stand in `raw`, each after its length in one byte."""
    answers = iter(_answers(raw))

    def transceive(_command: bytes) -> bytes:
        answer = next(answers, None)
        if answer is None:
            raise ReadingError("tag_lost")
        return answer

    password = Password(PasswordKind.MRZ, "L898902C<369080619406236")
    drive(read_passport(password, random=lambda size: bytes(range(1, size + 1))), transceive)


def _answers(raw: bytes) -> list[bytes]:
    answers = []
    at = 0
    while at < len(raw):
        answers.append(raw[at + 1 : at + 1 + raw[at]])
        at += 1 + raw[at]
    return answers
