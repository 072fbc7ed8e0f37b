"""Terminal authentication with certificates and keys that OpenPACE made: they open our chip's fingers."""

import secrets
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_private_key

from gated.core.settings.documents import DocumentSettings
from gated.document.access import Password, PasswordKind
from gated.document.genuine.credentials import Credentials
from gated.document.reading import ChipFiles, drive, read_passport
from gated.document.reading.proofs import TerminalKey
from hw_sim.passport import details, lds, profiles
from hw_sim.passport.chip import Chip
from hw_sim.passport.chip_terminal import TerminalTrust
from hw_sim.passport.issuer import Passport, issue
from hw_sim.passport.profile import PERSON, photograph
from tests.system.independent import programs

MISSING = programs.missing(programs=("openssl", "cvc-create"), packages="openssl openpace")
pytestmark = [pytest.mark.independent, pytest.mark.skipif(bool(MISSING), reason=MISSING)]
TODAY = datetime.now(UTC).date()  # the day that the program writes into certificates


@dataclass(frozen=True)
class Kind:
    """A curve and a signature scheme, by the names that the programs use."""

    curve: str
    scheme: str
    hash: hashes.HashAlgorithm


KINDS = [
    Kind("brainpoolP256r1", "ECDSA_SHA_256", hashes.SHA256()),
    Kind("prime256v1", "ECDSA_SHA_1", hashes.SHA1()),  # noqa: S303 - in use
    Kind("brainpoolP384r1", "ECDSA_SHA_384", hashes.SHA384()),
    Kind("brainpoolP512r1", "ECDSA_SHA_512", hashes.SHA512()),
]


class Made:
    """A verifying authority, a document verifier and an inspection system, made by `cvc-create`."""

    def __init__(self, folder: Path, kind: Kind, *rights: str) -> None:
        self._folder, self._kind = folder, kind
        self._run("openssl", "ecparam", "-name", kind.curve, "-genkey", "-noout", "-out", "plain")
        self._run(
            "openssl", "pkcs8", "-topk8", "-nocrypt", "-in", "plain", "-outform", "DER", "-out", "cvca.key"
        )
        self._create("cvca", "cvca", "UTIND00001", "--sign-with=cvca.key", "--read-finger", "--read-iris")
        self._create("dv", "dv_domestic", "UTDVIND00001", *_by("cvca"), "--read-finger", "--read-iris")
        self._create("is", "terminal", "UTISIND00001", *_by("dv"), *rights)
        key = load_der_private_key((folder / "is.key").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key

    @property
    def root(self) -> bytes:
        return (self._folder / "cvca.cv").read_bytes()

    @property
    def terminal_key(self) -> TerminalKey:
        files = [(self._folder / f"{name}.cv").read_bytes() for name in ("cvca", "dv", "is")]
        return TerminalKey(Credentials.load(files), self._sign, TODAY)

    def _sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(self._kind.hash)))
        length = (self._key.curve.key_size + 7) // 8
        return r.to_bytes(length, "big") + s.to_bytes(length, "big")

    def _create(self, name: str, role: str, holder: str, *options: str) -> None:
        own_key = () if name == "cvca" else (f"--out-key={name}.key",)
        self._run(
            "cvc-create", "--type=is", f"--role={role}", f"--chr={holder}", "--expires=991231",
            f"--scheme={self._kind.scheme}", f"--out-cert={name}.cv", *own_key, *options,
        )  # fmt: skip

    def _run(self, *command: str) -> None:
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def _by(signer: str) -> tuple[str, str]:
    return f"--sign-with={signer}.key", f"--sign-as={signer}.cv"


def passport_that_trusts(root: bytes) -> Passport:
    profile = profiles.BY_NAME["fingers"]
    return issue(
        profile.authority(TODAY),
        PERSON,
        photograph("jpeg"),
        protocols=profile.protocols,
        extra={lds.DG3: details.dg3([(2, details.WSQ_LIKE)])},
        terminal_authentication=TerminalTrust(roots=(root,), today=TODAY),
    )


def read(passport: Passport, key: TerminalKey) -> ChipFiles:
    chip = Chip(passport)
    password = Password(PasswordKind.MRZ, passport.access_key)
    return drive(
        read_passport(password, random=secrets.token_bytes, settings=DocumentSettings(), terminal_key=key),
        chip.command,
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.curve}-{kind.scheme}")
def test_a_terminal_that_openpace_certified_reads_the_fingers(kind: Kind, tmp_path: Path) -> None:
    made = Made(tmp_path, kind, "--read-finger")
    passport = passport_that_trusts(made.root)
    files = read(passport, made.terminal_key)
    assert files["dg3"].reveal() == passport.files[lds.DG3]


def test_a_terminal_that_was_not_granted_the_right_does_not(tmp_path: Path) -> None:
    made = Made(tmp_path, KINDS[0], "--read-iris")
    files = read(passport_that_trusts(made.root), made.terminal_key)
    assert "dg3" not in files
