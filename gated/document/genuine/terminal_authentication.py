"""Terminal authentication version 1 (BSI TR-03110-1 section 3.5, TR-03110-3 appendix B): the right to DG3.

Runs within the channel of chip authentication, or of PACE with chip authentication mapping. The chip is shown
the terminal's certificates, from one of the CVCA keys that EF.CVCA names down to the terminal's own; then the
terminal signs a challenge of the chip, together with who the chip is and which key it agreed with:

  ID_PICC || r_PICC || Comp(PK_PCD)

ID_PICC is the document number of the zone with its check digit after BAC, and the compressed key of the chip
after PACE. The private key is not here: `sign` signs, and may be a security module's.
"""

import hashlib
from collections.abc import Callable, Generator

from gated.document import tlv
from gated.document.apdu import Command, Response
from gated.document.errors import AccessError, CvError, GenuineError, LdsError, TlvError
from gated.document.genuine.credentials import Chain
from gated.document.genuine.cv_certificates import parse_reference, signs
from gated.document.genuine.security_infos import infos_of
from gated.document.lds.directory import CVCA, ElementaryFile

CHALLENGE_LENGTH = 8
MAX_REFERENCES = 2

Sign = Callable[[bytes], bytes]

_INFO = bytes.fromhex("04007F0007020202")  # id-TA, 0.4.0.127.0.7.2.2.2
_BEHIND_NUMBER = 14  # characters of the MRZ information: birth and expiry, each with its check digit


def parse_cvca(raw: bytes) -> tuple[str, ...]:
    """EF.CVCA (TR-03110-3, A.1.3): the references of the chip's trust points, the present one first.

    Raises LdsError(`cvca_malformed`).
    """
    try:
        items = tlv.parse(raw.rstrip(b"\0"), max_length=CVCA.max_length, max_objects=MAX_REFERENCES)
        references = tuple(parse_reference(item.value) for item in items)
    except (TlvError, CvError) as error:
        raise LdsError("cvca_malformed") from error
    if not items or any(item.tag != 0x42 for item in items):
        raise LdsError("cvca_malformed")
    return references


def find_cvca(dg14: bytes) -> ElementaryFile | None:
    """Where the chip keeps EF.CVCA, by TerminalAuthenticationInfo in raw DG14; None without version 1.

    Raises GenuineError: `dg14_malformed`, `security_infos_malformed`, `ta_info_malformed`.
    """
    for fields in infos_of(dg14, _INFO):
        tags = [field.tag for field in fields]
        if tags not in ([0x02], [0x02, 0x30]) or len(fields[0].value) != 1:
            raise GenuineError("ta_info_malformed")
        if fields[0].value == b"\x01":
            return CVCA if len(fields) == 1 else _named(fields[1].value)
    return None


def document_identifier(mrz_information: str) -> bytes:
    """ID_PICC after BAC: the document number with its check digit, from the MRZ information."""
    return mrz_information[:-_BEHIND_NUMBER].encode("ascii")


def compress(public: bytes, *, elliptic: bool) -> bytes:
    """Comp() of a coded public key (TR-03110-3, A.2.2.3): x of a point, SHA-1 of a DH key."""
    if elliptic:
        return public[1 : 1 + (len(public) - 1) // 2]
    return hashlib.new("sha1", public, usedforsecurity=False).digest()


def terminal_authentication(
    chain: Chain, sign: Sign, *, identifier: bytes, compressed: bytes
) -> Generator[Command, Response, None]:
    """Present the chain and prove to hold its key; after that the chip opens what the chain allows.

    `identifier` is ID_PICC; `compressed` is Comp() of the terminal's ephemeral public key of the channel.
    `sign` is given the message and returns RSA bytes or plain r and s, as the terminal's certificate says.
    Raises AccessError: `ta_certificate_refused`, `ta_key_refused`, `ta_challenge_refused`,
    `ta_challenge_length`, `ta_signature_wrong` where `sign` does not sign with the chain's key (nothing is
    sent then), `ta_denied`. What `sign` raises passes through.
    """
    for certificate in chain.certificates:
        reference = tlv.encode(0x83, certificate.issuer.encode("latin-1"))
        yield from _order(Command(0x00, 0x22, 0x81, 0xB6, reference), "ta_certificate_refused")
        yield from _order(Command(0x00, 0x2A, 0x00, 0xBE, certificate.content), "ta_certificate_refused")
    own = tlv.encode(0x83, chain.terminal.reference.encode("latin-1"))
    yield from _order(Command(0x00, 0x22, 0x81, 0xA4, own), "ta_key_refused")
    response = yield from _order(
        Command(0x00, 0x84, 0x00, 0x00, b"", CHALLENGE_LENGTH), "ta_challenge_refused"
    )
    if len(response.body) != CHALLENGE_LENGTH:
        raise AccessError("ta_challenge_length")
    message = identifier + response.body + compressed
    signature = sign(message)
    if not signs(chain.terminal, signature, message):
        raise AccessError("ta_signature_wrong")
    yield from _order(Command(0x00, 0x82, 0x00, 0x00, signature), "ta_denied")


def _order(command: Command, otherwise: str) -> Generator[Command, Response, Response]:
    response = yield command
    if not response.ok:
        raise AccessError(otherwise, response.status)
    return response


def _named(coded: bytes) -> ElementaryFile:
    """FileID: the file's identifier, and its short one, which has to be the low bits of it to be of use."""
    try:
        parts = tlv.parse(coded, max_objects=2)
    except TlvError as error:
        raise GenuineError("ta_info_malformed") from error
    if [len(part.value) for part in parts] not in ([2], [2, 1]) or any(part.tag != 0x04 for part in parts):
        raise GenuineError("ta_info_malformed")
    return ElementaryFile(CVCA.name, int.from_bytes(parts[0].value, "big"), None, CVCA.max_length)
