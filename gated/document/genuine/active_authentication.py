"""Active authentication (Doc 9303-11 section 6.1): the chip signs a challenge with the key of DG15.

`active_authentication` asks, `verify_active` judges, and the two may lie far apart in time. A verdict counts
only on top of passive authentication: whoever made up DG15 also has its private key.

RSA signs by ISO/IEC 9796-2 and names its hash in the trailer. ECDSA takes the hash that DG14 names in
ActiveAuthenticationInfo. Where DG14 names none, which the standard does not allow but chips older than that
rule do, any hash counts that is not longer than the curve's order; the choice gives nothing to a forger, who
would have to find a signature under one of them. A hash that DG14 names is cut where it is longer than the
order, as ECDSA has it. ECDSA signatures are taken in the plain form that the
standard asks for, and as the SEQUENCE that many chips send.

Keys: passports of ten years' validity carry RSA moduli of 1024 bits for active authentication, too short for
a document signer but of use here, where a key has to be broken for one passport each. `MIN_RSA_BITS` is that
minimum, and what is below is no key here (`rsa_key_length`); a stricter one is an argument, and what is below
that fails with `aa_rsa_key_too_short`.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass

from asn1crypto import algos
from asn1crypto import keys as asn1_keys

from gated.core.checks import Check, Result
from gated.document.access.security_infos import parse_security_infos
from gated.document.apdu import Command, Response, status_name
from gated.document.errors import AccessError, GenuineError, LdsError, TrustError
from gated.document.genuine.iso9796 import recover
from gated.document.groups.curves import Random
from gated.document.lds import parse_dg14, parse_dg15
from gated.document.trust import signatures
from gated.document.trust.asn1 import ASN1_ERRORS
from gated.document.trust.signatures import EllipticKey, PublicKey, RsaKey, Scheme

NAME = "active_authentication"
MIN_RSA_BITS = 1024
CHALLENGE_LENGTH = 8
MAX_SIGNATURE = 1024  # bytes; an RSA modulus of 8192 bits

_DIGESTS = ("sha256", "sha224", "sha384", "sha512", "sha1")
_BITS = {"sha1": 160, "sha224": 224, "sha256": 256, "sha384": 384, "sha512": 512}
_SHORT, _LONG = 256, 65_536  # as long an answer as there is, in each form
_NOT_OURS = {"key_unsupported", "curve_unknown", "signature_algorithm_unsupported"}  # nobody's fault but ours


@dataclass(frozen=True, slots=True, repr=False)
class ActiveEvidence:
    """What was asked and answered: nothing yet, until it is verified. `status` is the chip's status word."""

    challenge: bytes
    signature: bytes
    status: int = 0x9000

    def __repr__(self) -> str:
        return f"ActiveEvidence({len(self.signature)} bytes, {self.status:04x})"


def active_authentication(
    dg15: bytes, random: Random, wants_long_form: Callable[[int], bool] = lambda _: False
) -> Generator[Command, Response, ActiveEvidence]:
    """INTERNAL AUTHENTICATE with a challenge of eight bytes (section 6.1.3); `dg15` is the raw file.

    `wants_long_form` says of so many bytes of data whether it takes a long APDU for them to come at once,
    and long ones are carried. With an RSA key of 2048 bits it does within secure messaging, and there are
    chips that cut what does not fit into a short response; others give nothing at all in a long one that is
    not needed. So the form follows from the key, and where the signature is not whole, the other form is
    tried once, with another challenge. A refusal is no error here: it is evidence too.
    """
    least = _least_signature(dg15)
    long = wants_long_form(least)
    for form in (long, not long) if wants_long_form(_LONG) else (False,):
        challenge = random(CHALLENGE_LENGTH)
        response = yield Command(0x00, 0x88, 0x00, 0x00, challenge, _LONG if form else _SHORT)
        if response.ok and len(response.body) >= least:
            break
    return ActiveEvidence(challenge, response.body, response.status)


def verify_active(
    dg15: bytes, dg14: bytes | None, evidence: ActiveEvidence, *, min_rsa_bits: int = MIN_RSA_BITS
) -> Check:
    """Judge what the chip answered by the raw files DG15 and DG14 (None where the chip has no DG14).

    The verdict counts only where passive authentication found these very files to be the issuing state's.
    Undetermined where the key or hash is of a kind that is not known here. Never raises for what a chip gave.
    """
    try:
        _verify(parse_active_key(dg15), dg14, evidence, min_rsa_bits)
    except (GenuineError, TrustError) as error:
        result = Result.UNDETERMINED if error.code in _NOT_OURS else Result.FAILED
        return Check(NAME, result, error.code)
    return Check(NAME, Result.SUCCESSFUL)


def parse_active_key(dg15: bytes) -> PublicKey:
    """The key of DG15, the raw file. Raises GenuineError: `dg15_malformed`, `key_malformed` ..."""
    try:
        return signatures.parse_key(asn1_keys.PublicKeyInfo.load(parse_dg15(dg15), strict=True))
    except (LdsError, TrustError) as error:
        raise GenuineError(error.code) from error
    except ASN1_ERRORS as error:
        raise GenuineError("key_malformed") from error


def announced_digests(dg14: bytes | None) -> tuple[str, ...]:
    """The hashes that DG14 names for active authentication by ECDSA, none or, on a sane chip, one.

    Raises GenuineError: `dg14_malformed`, `security_infos_malformed`, `signature_algorithm_unsupported`.
    """
    if dg14 is None:
        return ()
    try:
        named = [info.algorithm for info in parse_security_infos(parse_dg14(dg14)).active_authentication]
        identifiers = [algos.SignedDigestAlgorithm({"algorithm": name}) for name in named]
        digests = [signatures.parse_scheme(identifier).digest for identifier in identifiers]
    except (AccessError, LdsError, TrustError) as error:
        raise GenuineError(error.code) from error
    return tuple(dict.fromkeys(digests))


def _verify(key: PublicKey, dg14: bytes | None, evidence: ActiveEvidence, min_rsa_bits: int) -> None:
    """Raises GenuineError or TrustError where the evidence proves nothing."""
    if evidence.status != 0x9000:
        raise GenuineError(f"aa_{status_name(evidence.status)}")
    if len(evidence.challenge) != CHALLENGE_LENGTH:
        raise GenuineError("aa_challenge_length")
    if not evidence.signature or len(evidence.signature) > MAX_SIGNATURE:
        raise GenuineError("signature_length")
    if isinstance(key, RsaKey):
        if key.n.bit_length() < min_rsa_bits:
            raise GenuineError("aa_rsa_key_too_short")
        recover(key, evidence.signature, evidence.challenge)
        return
    announced = announced_digests(dg14)
    if any(_signs(key, digest, evidence) for digest in announced or _fitting(key)):
        return
    if announced and any(_signs(key, digest, evidence) for digest in _fitting(key)):
        raise GenuineError("aa_hash_not_as_announced")
    raise GenuineError("signature_wrong")


def _fitting(key: EllipticKey) -> tuple[str, ...]:
    """The hashes that are not longer than the curve's order."""
    return tuple(digest for digest in _DIGESTS if _BITS[digest] <= key.curve.n.bit_length())


def _signs(key: EllipticKey, digest: str, evidence: ActiveEvidence) -> bool:
    return signatures.verifies(key, Scheme("ecdsa", digest), evidence.signature, evidence.challenge)


def _least_signature(dg15: bytes) -> int:
    """The fewest bytes that a signature by the key has: all of them with RSA."""
    try:
        key = parse_active_key(dg15)
    except GenuineError:
        return 1
    return (key.n.bit_length() + 7) // 8 if isinstance(key, RsaKey) else 1
