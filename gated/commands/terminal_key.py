"""A terminal's key and certificates from files, for reading fingers and irises on a desk (TR-03110)."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gated.commands.answer import UsageError, read_capped
from gated.document.errors import CvError
from gated.document.genuine.credentials import Credentials
from gated.document.genuine.cv_certificates import Role
from gated.document.reading import TerminalKey
from gated.document.trust.signatures import Scheme

MAX_FILE = 64 * 1024


def terminal_key(certificates: Sequence[Path], key: Path, on: date) -> TerminalKey:
    """Certificates (one a file, from the CVCA's down to the terminal's) and the key. Raises UsageError."""
    try:
        credentials = Credentials.load(read_capped(path, MAX_FILE) for path in certificates)
    except CvError as error:
        raise UsageError(f"--terminal-certificate: {error.code}: give CV certificates, one a file") from error
    own = [it for it in credentials.certificates if it.authorization.role is Role.TERMINAL]
    if len(own) != 1:
        raise UsageError("--terminal-certificate: give one terminal's certificate, with those above it")
    private, scheme = _private(key), own[0].key.scheme
    if isinstance(private, ec.EllipticCurvePrivateKey) != (scheme.name == "ecdsa"):
        raise UsageError(f"--terminal-key {key}: not the kind that its certificate names: give its own")
    return TerminalKey(credentials, lambda message: _sign(private, scheme, message), on)


def _private(path: Path) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    try:
        key = load_pem_private_key(read_capped(path, MAX_FILE), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(f"--terminal-key {path}: no private key: give it as PEM, unencrypted") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise UsageError(f"--terminal-key {path}: give an elliptic or an RSA key")
    return key


def _sign(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, scheme: Scheme, message: bytes) -> bytes:
    """As terminal authentication wants it: RSA bytes, or r and s side by side."""
    digest: hashes.HashAlgorithm = getattr(hashes, scheme.digest.upper())()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        width = (key.curve.key_size + 7) // 8
        r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(digest)))
        return r.to_bytes(width, "big") + s.to_bytes(width, "big")
    if scheme.name == "pss":
        return key.sign(message, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    return key.sign(message, padding.PKCS1v15(), digest)
