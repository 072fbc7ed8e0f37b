"""Terminal authentication version 1 (Doc 9303-11 section 7.1, BSI TR-03110-3 B.3): the right to DG3 and DG4.

Runs within the channel of chip authentication, or of PACE with chip authentication mapping. The chip is shown
the terminal's certificates, from one of the CVCA keys that EF.CVCA names down to the terminal's own; then the
terminal signs a challenge of the chip, together with who the chip is and which key it agreed with:

  ID_IC || r_IC || Comp(PK_DH,IFD)

ID_IC is the document number of the zone with its check digit after BAC, and the compressed key of the chip
after PACE. The private key is not here: `sign` signs, and may be a security module's.
"""

from collections.abc import Callable, Generator
from dataclasses import replace

from gated.document import tlv
from gated.document.access.security_infos import SecurityInfos
from gated.document.apdu import Command, Response
from gated.document.errors import AccessError, CvError, LdsError, TlvError
from gated.document.genuine.credentials import Chain
from gated.document.genuine.cv_certificates import parse_reference, signs
from gated.document.lds.directory import CVCA, ElementaryFile

CHALLENGE_LENGTH = 8
MAX_REFERENCES = 2

Sign = Callable[[bytes], bytes]

_BEHIND_NUMBER = 14  # characters of the MRZ information: birth and expiry, each with its check digit


def parse_cvca(raw: bytes) -> tuple[str, ...]:
    """EF.CVCA (Doc 9303-11, K.2): the references of the chip's trust points, the present one first.

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


def find_cvca(infos: SecurityInfos) -> ElementaryFile | None:
    """Where a chip keeps EF.CVCA by what DG14 says; None where it does not speak version 1.

    A file of another than the usual identifier has to be selected: its short identifier may be any.
    """
    spoken = [info for info in infos.terminal_authentication if info.version == 1]
    if not spoken:
        return None
    return CVCA if spoken[0].references is None else replace(CVCA, identifier=spoken[0].references)


def document_identifier(mrz_information: str) -> bytes:
    """ID_IC after BAC: the document number with its check digit, from the MRZ information."""
    return mrz_information[:-_BEHIND_NUMBER].encode("ascii")


def terminal_authentication(
    chain: Chain, sign: Sign, *, identifier: bytes, compressed: bytes
) -> Generator[Command, Response, None]:
    """Present the chain and prove to hold its key; after that the chip opens what the chain allows.

    `identifier` is ID_IC; `compressed` is Comp() of the terminal's ephemeral public key, `terminal_key` of
    what chip authentication or PACE with chip authentication mapping returned.
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
