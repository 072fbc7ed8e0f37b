"""ASN.1 below the structures: BER brought into definite lengths, and the one coding that is signed.

RFC 5652 lets a SignedData be BER, and some states write indefinite lengths and strings in pieces. What is
definite already is left as it is, byte for byte: certificates are signed over the bytes that they came with.
"""

from gated.document import tlv
from gated.document.errors import TlvError, TrustError

# What asn1crypto, which parses as fields are looked at, may raise over malformed input.
ASN1_ERRORS = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)

MAX_DEPTH = 32
MAX_ELEMENTS = 500_000

_CONSTRUCTED = 0x20
_PIECES = {0x23, 0x24}  # BIT STRING and OCTET STRING in constructed form
_END = b"\0\0"


def definite(raw: bytes) -> bytes:
    """The same element with definite lengths and octet strings in one piece. Raises TrustError."""
    return _Walk(raw, shortest=False).whole()


def der(raw: bytes) -> bytes:
    """One element with the shortest lengths throughout, the order of its parts kept. Raises TrustError."""
    return _Walk(raw, shortest=True).whole()


def set_codings(attributes: bytes) -> tuple[bytes, ...]:
    """What may have been signed for attributes stored under an implicit tag (RFC 5652 section 5.4).

    First the stored bytes as a SET OF; then the DER of it, with shortest lengths and sorted parts, where
    that differs: the standard signs the latter, whatever was stored.
    """
    stored = b"\x31" + attributes[1:]
    try:
        parts = tlv.parse(tlv.parse_one(stored, 0x31).value)
        ordered = tlv.encode(0x31, b"".join(sorted(der(part.encode()) for part in parts)))
    except TlvError as error:
        raise TrustError("cms_attributes_malformed") from error
    return (stored,) if ordered == stored else (stored, ordered)


class _Walk:
    """One pass through an element and everything in it."""

    def __init__(self, raw: bytes, *, shortest: bool) -> None:
        self._raw = raw
        self._shortest = shortest
        self._elements = 0

    def whole(self) -> bytes:
        """Code the one element that the bytes are."""
        coded, end = self._element(0, len(self._raw), 0)
        if end != len(self._raw):
            raise TrustError("asn1_trailing_bytes")
        return coded

    def _element(self, at: int, limit: int, depth: int) -> tuple[bytes, int]:
        """The element at a place, coded, and the place behind it."""
        self._elements += 1
        if depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise TrustError("asn1_too_deep")
        start, tag_end = at, self._tag_end(at, limit)
        length, value_at = self._length(tag_end, limit)
        if not self._raw[at] & _CONSTRUCTED:
            if length is None:
                raise TrustError("asn1_length")
            end = value_at + length
            if not self._shortest:
                return self._raw[start:end], end
            return self._coded(self._raw[start:tag_end], self._raw[value_at:end]), end
        parts, inner_end = self._parts(
            value_at, limit if length is None else value_at + length, depth, length
        )
        value = b"".join(parts)
        if self._raw[start] in _PIECES and tag_end - start == 1:
            return self._joined(self._raw[start], parts), inner_end
        unchanged = length is not None and value == self._raw[value_at:inner_end]
        if unchanged and not self._shortest:
            return self._raw[start:inner_end], inner_end
        return self._coded(self._raw[start:tag_end], value), inner_end

    def _parts(self, at: int, limit: int, depth: int, length: int | None) -> tuple[list[bytes], int]:
        parts: list[bytes] = []
        while at < limit:
            if length is None and self._raw[at : at + 2] == _END:
                return parts, at + 2
            coded, at = self._element(at, limit, depth + 1)
            parts.append(coded)
        if length is None:
            raise TrustError("asn1_truncated")
        return parts, at

    def _joined(self, tag: int, parts: list[bytes]) -> bytes:
        """An octet string of its pieces; pieces of bit strings do not occur in what we read."""
        if tag != 0x24:
            raise TrustError("asn1_string_in_pieces")
        try:
            pieces = [tlv.parse_one(part, 0x04, max_length=len(self._raw)).value for part in parts]
        except TlvError as error:
            raise TrustError("asn1_string_in_pieces") from error
        return self._coded(b"\x04", b"".join(pieces))

    @staticmethod
    def _coded(tag: bytes, value: bytes) -> bytes:
        return tag + tlv.encode_length(len(value)) + value

    def _tag_end(self, at: int, limit: int) -> int:
        end = at + 1
        if at < limit and self._raw[at] & 0x1F == 0x1F:
            while end < limit and self._raw[end] & 0x80:
                end += 1
            end += 1
        if end >= limit:
            raise TrustError("asn1_truncated")
        return end

    def _length(self, at: int, limit: int) -> tuple[int | None, int]:
        """The length, None for the indefinite form, and where the value begins."""
        first = self._raw[at]
        if first < 0x80:
            length, start = first, at + 1
        elif first == 0x80:
            return None, at + 1
        else:
            start = at + 1 + (first & 0x7F)
            if first > 0x84 or start > limit:
                raise TrustError("asn1_length")
            length = int.from_bytes(self._raw[at + 1 : start], "big")
        if length > limit - start:
            raise TrustError("asn1_truncated")
        return length, start
