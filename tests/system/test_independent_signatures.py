"""Security objects against OpenSSL's program: it verifies what our states sign, and we what it signs."""

import subprocess
from base64 import encodebytes
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gated.core.checks import Check, Result
from gated.document.lds import parse_sod
from gated.document.tlv import encode
from gated.document.trust.store import TrustStore
from hw_sim.passport import lds, profiles
from hw_sim.passport.pki import Authority
from hw_sim.passport.profile import Profile
from tests.document.founded_states import GROUPS, authentication, security_object
from tests.system.independent import programs

MISSING = programs.missing(programs=("openssl",), packages="openssl")
pytestmark = [pytest.mark.independent, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

TODAY = date(2026, 11, 23)
STATES = [profile for profile in profiles.TABLE if profile.name.startswith("state-") or profile.name == "bac"]


def openssl(*arguments: object, folder: Path) -> None:
    done = subprocess.run(
        ["openssl", *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


# --- it verifies ours --------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", STATES, ids=lambda profile: profile.name)
def test_openssl_verifies_what_our_states_sign(profile: Profile, tmp_path: Path) -> None:
    # OpenSSL knows a root by its named curve only; nearly all real ones are written out.
    authority = Authority.establish("utopia", today=TODAY, **(profile.state | {"explicit": False}))
    content = lds.security_object({lds.DG1: b"one"}, profile.issued.get("digest", "sha256"))
    (tmp_path / "signed.der").write_bytes(authority.sign_document(content))
    coded = encodebytes(authority.anchor).decode()
    (tmp_path / "root.pem").write_text(f"-----BEGIN CERTIFICATE-----\n{coded}-----END CERTIFICATE-----\n")
    openssl(
        *("cms", "-verify", "-inform", "DER", "-in", "signed.der", "-binary", "-purpose", "any"),
        *("-CAfile", "root.pem", "-attime", int(datetime(2026, 11, 23, tzinfo=UTC).timestamp())),
        *("-out", "content"),
        folder=tmp_path,
    )
    assert (tmp_path / "content").read_bytes() == content


# --- we verify its -------------------------------------------------------------------------------------

CONFIGURATION = """
[req]
distinguished_name = name
prompt = no
x509_extensions = root
[name]
C = CH
O = Independent state
CN = CSCA
[root]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[signer]
keyUsage = critical, digitalSignature
authorityKeyIdentifier = keyid
subjectKeyIdentifier = hash
"""


@dataclass(frozen=True)
class Way:
    """How OpenSSL makes a key, and how it signs with it."""

    key: tuple[str, ...]
    sign: tuple[str, ...] = ("-md", "sha256")
    certify: tuple[str, ...] = ("-sha256",)


_RSA = ("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
_PSS = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest")


def _elliptic(curve: str, coding: str = "named_curve") -> tuple[str, ...]:
    options = (f"ec_paramgen_curve:{curve}", f"ec_param_enc:{coding}")
    return ("genpkey", "-algorithm", "EC", *(part for option in options for part in ("-pkeyopt", option)))


WAYS = {
    "rsa": Way(_RSA),
    "rsa-sha512": Way(_RSA, ("-md", "sha512"), ("-sha512",)),
    "rsa-sha1": Way(_RSA, ("-md", "sha1")),
    "rsa-pss": Way(
        _RSA,
        ("-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:32"),
        ("-sha256", *_PSS),
    ),
    "ecdsa-p256": Way(_elliptic("P-256")),
    "ecdsa-p521": Way(_elliptic("P-521"), ("-md", "sha512"), ("-sha512",)),
    "ecdsa-brainpool": Way(_elliptic("brainpoolP384r1"), ("-md", "sha384"), ("-sha384",)),
    "ecdsa-written-out": Way(_elliptic("brainpoolP256r1", "explicit")),
    "by-key-identifier": Way(_elliptic("P-256"), ("-md", "sha256", "-keyid")),
}


def signed_by_openssl(folder: Path, way: Way) -> tuple[bytes, bytes]:
    """A security object over `GROUPS`, and the root that answers for its signer."""
    (folder / "ca.cnf").write_text(CONFIGURATION)
    (folder / "content").write_bytes(security_object(GROUPS))
    for name in ("root", "signer"):
        openssl(*way.key, "-out", f"{name}.key", folder=folder)
    openssl(
        *("req", "-new", "-x509", "-config", "ca.cnf", "-key", "root.key", "-days", 4000),
        *("-out", "root.pem", *way.certify),
        folder=folder,
    )
    openssl("x509", "-in", "root.pem", "-outform", "DER", "-out", "root.der", folder=folder)
    openssl(
        *("req", "-new", "-config", "ca.cnf", "-key", "signer.key", "-out", "signer.csr"),
        *("-subj", "/C=CH/O=Independent state/CN=Document Signer"),
        folder=folder,
    )
    openssl(
        *("x509", "-req", "-in", "signer.csr", "-CA", "root.pem", "-CAkey", "root.key", "-set_serial", 77),
        *("-days", 3000, "-extfile", "ca.cnf", "-extensions", "signer", "-out", "signer.pem", *way.certify),
        folder=folder,
    )
    openssl(
        *("cms", "-sign", "-binary", "-nodetach", "-econtent_type", "2.23.136.1.1.1", "-in", "content"),
        *("-signer", "signer.pem", "-inkey", "signer.key", "-outform", "DER", "-out", "sod", "-nosmimecap"),
        *way.sign,
        folder=folder,
    )
    return encode(0x77, (folder / "sod").read_bytes()), (folder / "root.der").read_bytes()


@pytest.mark.parametrize("name", WAYS)
def test_we_verify_what_openssl_signs(name: str, tmp_path: Path) -> None:
    sod, root = signed_by_openssl(tmp_path, WAYS[name])
    assert parse_sod(sod)
    now = datetime.now(UTC)
    found = authentication(sod, TrustStore.load([], [root], []), at=now, issuing_state="CHE")
    assert [check for check in found.checks if check.result is not Result.SUCCESSFUL] == [
        Check("revocation", Result.UNDETERMINED, "crl_missing")
    ]
