"""The one family of errors of `gated.document`, each with a snake_case code and nothing from the document.

A parser raises its own subclass and no other error, whatever bytes it is given. The text of an error is
its code: a code can be journalled, shown and counted, and no code is made of input.
"""


class DocumentError(Exception):
    """The document could not be read or understood; `code` says what is wrong with it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class TlvError(DocumentError):
    """Bytes are not the BER-TLV that the standard asks for here."""


class ApduError(DocumentError):
    """Bytes are not a command or response APDU, or a command cannot be coded."""


class MessagingError(DocumentError):
    """A secured message is not what the session keys and the counter call for: the session is over.

    `status` is the status word of an unprotected reply, by which a chip says why it gave up; else None.
    """

    def __init__(self, code: str, status: int | None = None) -> None:
        super().__init__(code)
        self.status = status


class GroupError(DocumentError):
    """A public key is none in its group, or the group is not one that can be used."""


class CurveError(GroupError):
    """A point, key or signature is not valid on its curve, or the curve is not a known one."""


class AccessError(DocumentError):
    """The chip does not grant access, or does not prove that it knows the password or its own key.

    `status` is the status word by which the chip refused; None where it did not refuse but was wrong.
    """

    def __init__(self, code: str, status: int | None = None) -> None:
        super().__init__(code)
        self.status = status

    @property
    def tries_left(self) -> int | None:
        """How many more wrong passwords the chip takes, where it counts them (63Cx)."""
        counted = self.status is not None and self.status & 0xFFF0 == 0x63C0
        return self.status & 0x0F if counted and self.status is not None else None


class GenuineError(DocumentError):
    """What should prove the chip genuine is malformed, or proves nothing."""


class CvError(DocumentError):
    """A card-verifiable certificate cannot be used, or no chain of them leads to what the chip trusts."""


class LdsError(DocumentError):
    """A file of the chip is not what the logical data structure (Doc 9303-10) calls for."""


class TrustError(DocumentError):
    """A certificate, master list or security object cannot be used.

    `source` says which of several was meant (`master list 1`, `anchor 2`), where there are several.
    """

    def __init__(self, code: str, source: str = "") -> None:
        super().__init__(code)
        self.source = source


class ReadingError(DocumentError):
    """The chip answers, but its files cannot be read."""
