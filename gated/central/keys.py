"""Keys: made once, at `init` and at `keys`, never a default one and never one that others may read.

Four signing keys (TUF): root names the others and belongs off line after `init`; targets signs what is
published; snapshot and timestamp may live on the server. One CURVE pair for the server, one for each gate:
the gates' public keys are the allow-list.
"""

import contextlib
import re
from datetime import datetime, timedelta
from pathlib import Path

import zmq
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from gated.central.folder import CentralError, CentralFolder, write
from gated.central.repository import Lifetimes, Repository, load_signer
from gated.central.wire import KeyFileError, KeyPair, encode_key_file, read_key_file
from gated.core.values import Value

ROLES = (Root.type, Targets.type, Snapshot.type, Timestamp.type)
ROOT_DAYS = 3650  # the root key is off line; a gate in service must not outlive its trust unnoticed
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Handout(Value):
    """The files to carry to a gate, and the server's key for its `gate.toml`."""

    gate: str
    folder: str
    key_file: str
    root: str
    server_key: str


def initialise(folder: CentralFolder, now: datetime, lifetimes: Lifetimes) -> str:
    """Make all keys and an empty repository; return the server's public key. Raises CentralError, OSError."""
    if folder.keys.exists() or folder.repository.exists():
        raise CentralError(
            f"{folder.path}: is a central folder already: choose another, keys are made only once"
        )
    for path in (folder.path, folder.keys, folder.curve, folder.handout):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in (folder.gates, folder.metadata, folder.targets / "watchlist"):
        path.mkdir(mode=0o755, parents=True)
    for role in ROLES:
        write(folder.keys / f"{role}.pem", CryptoSigner.generate_ed25519().private_bytes, 0o600)
    pair = _key_pair()
    write(folder.curve / "server.key", encode_key_file(pair), 0o600)
    write(folder.curve / "server.pub", f"{pair.public_key}\n".encode())
    with folder.locked():
        _sign_root(folder, now)
        Repository(folder).begin(now, lifetimes)
    return pair.public_key


def _sign_root(folder: CentralFolder, now: datetime) -> None:
    root = Root(version=1, expires=now + timedelta(days=ROOT_DAYS), consistent_snapshot=True)
    signers = {role: load_signer(folder, role) for role in ROLES}
    for role, signer in signers.items():
        root.add_key(signer.public_key, role)
    metadata = Metadata(root)
    metadata.sign(signers[Root.type])
    write(folder.metadata / "1.root.json", metadata.to_bytes())


def admit_gate(folder: CentralFolder, gate: str) -> Handout:
    """Make a gate's key pair, allow it, and write what is to be carried to the gate. Raises CentralError."""
    folder.require()
    if not _NAME.fullmatch(gate):
        raise CentralError("the gate's name: small letters, digits and hyphens, at most 63")
    if (folder.gates / f"{gate}.pub").exists():
        raise CentralError(
            f"gate {gate} has a key: revoke it first (gate-central revoke {folder.path} --gate {gate})"
        )
    out = folder.handout / gate
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    pair = _key_pair()
    server_key = server_pair(folder).public_key
    write(out / "gate.key", encode_key_file(pair), 0o600)
    write(out / "server.pub", f"{server_key}\n".encode())
    write(out / "root.json", newest_root(folder).read_bytes())
    write(folder.gates / f"{gate}.pub", f"{pair.public_key}\n".encode())  # last: allowed once all is there
    return Handout(
        gate=gate,
        folder=str(out),
        key_file=str(out / "gate.key"),
        root=str(out / "root.json"),
        server_key=server_key,
    )


def revoke_gate(folder: CentralFolder, gate: str) -> None:
    """Take a gate off the allow-list; a server that runs notices at once. Raises CentralError."""
    folder.require()
    key = folder.gates / f"{gate}.pub"
    if not _NAME.fullmatch(gate) or not key.exists():
        raise CentralError("there is no such gate: see gate-central status")
    key.unlink()


def server_pair(folder: CentralFolder) -> KeyPair:
    """The server's own CURVE pair. Raises CentralError."""
    try:
        return read_key_file(folder.curve / "server.key")
    except KeyFileError as error:
        raise CentralError(str(error)) from error


def newest_root(folder: CentralFolder) -> Path:
    """The newest root metadata."""
    return max(folder.metadata.glob("*.root.json"), key=lambda path: int(path.name.partition(".")[0]))


def allowed_gates(folder: CentralFolder) -> dict[str, str]:
    """The allow-list: public key (Z85) to the gate's name. A file that is not a key counts as none."""
    gates: dict[str, str] = {}
    for path in folder.gates.glob("*.pub"):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            key = path.read_text("ascii").strip()
            if len(key) == 40:
                gates[key] = path.stem
    return gates


def _key_pair() -> KeyPair:
    public, secret = zmq.curve_keypair()
    return KeyPair(public_key=public.decode(), secret_key=secret.decode())
