"""Keys: made once, at `init` and at `keys`, never a default one and never one that others may read.

The signing roles (TUF): root names the others and belongs off line after `init`, and so does targets, which
names the keys of the kinds; each kind's keys sign what is published of it; snapshot and timestamp may live on
the server. Any role but these two may ask for several signatures. One CURVE pair for the server, one for each
gate: the gates' public keys are the allow-list.
"""

import contextlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import zmq
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from gated.central.folder import CentralError, CentralFolder, write
from gated.central.journal_keys import close_all
from gated.central.receipts import receipt_public
from gated.central.repository import Lifetimes, Repository, newest_root
from gated.central.signers import MAX_KEYS, key_name, load_signers
from gated.central.wire import KeyFileError, KeyPair, encode_key_file, read_key_file
from gated.core.values import Value
from gated.watchlist.publication import ROLES

TOP = (Root.type, Targets.type, Snapshot.type, Timestamp.type)
ROOT_DAYS = 3650  # the root key is off line; a gate in service must not outlive its trust unnoticed
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Handout(Value):
    """The files to carry to a gate, and the centre's keys for its `gate.toml`: of the line, of receipts."""

    gate: str
    folder: str
    key_file: str
    root: str
    server_key: str
    receipt_key: str


class Quorum(Value):
    """How many keys a role has, and how many of them must sign."""

    threshold: int = 1
    keys: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be met."""
        if not 1 <= self.threshold <= self.keys <= MAX_KEYS:
            raise ValueError("signatures and keys: 1 <= signatures <= keys <= 16")


def initialise(
    folder: CentralFolder, now: datetime, lifetimes: Lifetimes, quorums: Mapping[str, Quorum] | None = None
) -> str:
    """Make all keys and an empty repository; return the server's public key. Raises CentralError, OSError."""
    if folder.keys.exists() or folder.repository.exists():
        raise CentralError(
            f"{folder.path}: is a central folder already: choose another, keys are made only once"
        )
    quorums = {role: (quorums or {}).get(role, Quorum()) for role in (*TOP, *ROLES)}
    for path in (folder.path, folder.keys, folder.curve, folder.handout, folder.staged):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in (folder.gates, folder.metadata, *(folder.targets / role for role in ROLES)):
        path.mkdir(mode=0o755, parents=True)
    for role, quorum in quorums.items():
        make_keys(folder.keys, role, quorum.keys)
    pair = _key_pair()
    write(folder.curve / "server.key", encode_key_file(pair), 0o600)
    write(folder.curve / "server.pub", f"{pair.public_key}\n".encode())
    with folder.locked():
        _sign_root(folder, now, quorums)
        thresholds = {role: quorums[role].threshold for role in ROLES}
        Repository(folder).begin(thresholds, now, lifetimes)
    return pair.public_key


def extend(
    folder: CentralFolder,
    now: datetime,
    lifetimes: Lifetimes,
    quorums: Mapping[str, Quorum] | None = None,
    keys: tuple[Path, ...] = (),
) -> tuple[str, ...]:
    """Give a folder that an earlier version made the roles that it lacks, with keys of their own.

    Needs the key of `targets`. Returns the new roles; may be done again. Raises CentralError, OSError.
    """
    folder.require()
    with folder.locked():
        repository = Repository(folder, keys)
        lacking = [role for role in ROLES if role not in repository.roles()]
        wanted = {role: (quorums or {}).get(role, Quorum()) for role in lacking}
        for role, quorum in wanted.items():
            (folder.targets / role).mkdir(mode=0o755, exist_ok=True)
            make_keys(folder.keys, role, quorum.keys)  # those of a try that was cut short count for nothing
        if wanted:
            thresholds = {role: quorum.threshold for role, quorum in wanted.items()}
            repository.add_roles(thresholds, now, lifetimes)
    return tuple(wanted)


def make_keys(where: Path, role: str, count: int) -> None:
    """Make the signing keys of a role, for their owner alone."""
    for number in range(1, count + 1):
        write(where / key_name(role, number), CryptoSigner.generate_ed25519().private_bytes, 0o600)


def _sign_root(folder: CentralFolder, now: datetime, quorums: Mapping[str, Quorum]) -> None:
    root = Root(version=1, expires=now + timedelta(days=ROOT_DAYS), consistent_snapshot=True)
    for role in TOP:
        for signer in load_signers(folder, role):
            root.add_key(signer.public_key, role)
        root.roles[role].threshold = quorums[role].threshold
    metadata = Metadata(root)
    for signer in load_signers(folder, Root.type):
        metadata.sign(signer, append=True)
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
    if (list_key := folder.keys / "list.key").exists():
        write(out / "list.key", list_key.read_bytes(), 0o600)
    write(folder.gates / f"{gate}.pub", f"{pair.public_key}\n".encode())  # last: allowed once all is there
    return Handout(
        gate=gate,
        folder=str(out),
        key_file=str(out / "gate.key"),
        root=str(out / "root.json"),
        server_key=server_key,
        receipt_key=receipt_public(folder),
    )


def revoke_gate(folder: CentralFolder, gate: str) -> None:
    """Take a gate off the allow-list, and let none of its journal keys count any more; noticed at once.

    Raises CentralError.
    """
    folder.require()
    key = folder.gates / f"{gate}.pub"
    if not _NAME.fullmatch(gate) or not key.exists():
        raise CentralError("there is no such gate: see gate-central status")
    key.unlink()
    close_all(folder, gate, datetime.now(UTC))


def server_pair(folder: CentralFolder) -> KeyPair:
    """The server's own CURVE pair. Raises CentralError."""
    try:
        return read_key_file(folder.curve / "server.key")
    except KeyFileError as error:
        raise CentralError(str(error)) from error


def allowed_gates(folder: CentralFolder) -> dict[str, str]:
    """The allow-list: public key (Z85) to the gate's name. A file that is not a key counts as none."""
    return gates_in(folder.gates)


def gates_in(where: Path) -> dict[str, str]:
    """The allow-list in a folder of public keys."""
    gates: dict[str, str] = {}
    for path in where.glob("*.pub"):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            key = path.read_text("ascii").strip()
            if len(key) == 40:
                gates[key] = path.stem
    return gates


def _key_pair() -> KeyPair:
    """Draw a pair whose public key no command line takes for an option: Z85 has a dash among its letters."""
    public, secret = zmq.curve_keypair()
    while public.startswith(b"-"):
        public, secret = zmq.curve_keypair()
    return KeyPair(public_key=public.decode(), secret_key=secret.decode())
