"""The signed repository (TUF, consistent snapshots) of a central folder: what is current and how it changes.

The top-level targets only delegate: the watchlist and each other kind has a role of its own, with its own
keys, threshold and expiry (`gated.watchlist.publication.ROLES`). Who may publish rules cannot publish a list.

The timestamp file is the one point of commitment: it names a snapshot, the snapshot names a version of each
role's metadata, and those name every file by length and hash. All others are written first, under names that
are never used twice, and the timestamp is renamed into place last. A crash leaves the state before it.

A publication may be staged before: its metadata lie beside, take signatures one after the other, and become
current when their role's threshold is met.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from gated.central.folder import CentralError, CentralFolder, write
from gated.central.signers import load_signers
from gated.core.values import Value
from gated.watchlist.publication import ROLES
from gated.watchlist.replica import SIGNED_AT

S = TypeVar("S", Root, Targets, Snapshot, Timestamp)
KEPT_METADATA = 8  # versions of metadata; a gate in the midst of a refresh needs the last


class Lifetimes(Value):
    """How long signed metadata is valid. The timestamp is signed again every minute while the server runs.

    `targets_days` is the watchlist's, which is published often; `kinds_days` that of the other kinds and of
    the delegations.
    """

    targets_days: float = 30.0
    kinds_days: float = 365.0
    snapshot_days: float = 30.0
    timestamp_hours: float = 24.0

    def of(self, role: str) -> timedelta:
        """How long the metadata of a role are valid."""
        days = {"watchlist": self.targets_days, Snapshot.type: self.snapshot_days}
        return timedelta(days=days.get(role, self.kinds_days))


class Repository:
    """Reads and extends the metadata. Callers hold the folder's lock while they change it.

    `keys` are folders with further signing keys, such as a stick that an officer has brought.
    """

    def __init__(self, folder: CentralFolder, keys: tuple[Path, ...] = ()) -> None:
        self._folder = folder
        self._keys = keys

    def begin(self, thresholds: Mapping[str, int], now: datetime, lifetimes: Lifetimes) -> None:
        """Sign the first, empty state; `thresholds` are those of the delegated roles (1 by default)."""
        targets = Targets(version=1, delegations=Delegations({}, {}))
        for role in ROLES:
            signers = load_signers(self._folder, role, self._keys)
            delegate(targets, role, signers, thresholds.get(role, 1))
        changed = {Targets.type: targets} | {role: Targets(version=1) for role in ROLES}
        self._commit(changed, Snapshot(version=1, meta={}), Timestamp(version=1), now, lifetimes)

    def root(self) -> Root:
        """The current root. Raises CentralError."""
        return self._load(newest_root(self._folder), Root)

    def timestamp(self) -> Timestamp:
        """The current timestamp. Raises CentralError."""
        return self._load(self._folder.metadata / "timestamp.json", Timestamp)

    def snapshot(self) -> Snapshot:
        """The current snapshot. Raises CentralError."""
        version = self.timestamp().snapshot_meta.version
        return self._load(self._folder.metadata / f"{version}.snapshot.json", Snapshot)

    def roles(self) -> tuple[str, ...]:
        """The delegated roles that are here: a folder that an earlier version made lacks the later kinds."""
        meta = self.snapshot().meta
        return tuple(role for role in ROLES if f"{role}.json" in meta)

    def targets(self, role: str = Targets.type) -> Targets:
        """The current metadata of a role; what is published now, for a delegated one. Raises CentralError."""
        found = self.snapshot().meta.get(f"{role}.json")
        if found is None:
            place = self._folder.path
            raise CentralError(f"{place}: is older than the kind {role}: gate-central extend {place}")
        return self._load(self._folder.metadata / f"{found.version}.{role}.json", Targets)

    def file(self, target: TargetFile) -> Path:
        """Where a published file lies: its name carries its hash."""
        folder, _, name = target.path.rpartition("/")
        return self._folder.targets / folder / f"{target.hashes['sha256']}.{name}"

    def publish(
        self, role: str, files: Mapping[str, TargetFile], now: datetime, lifetimes: Lifetimes
    ) -> None:
        """Sign exactly these files, which lie in place, as what a role has published. Raises CentralError."""
        metadata = self._next(role, files, now, lifetimes)
        self._sign(metadata, role)
        self._adopt(role, metadata, now, lifetimes)

    def renew(self, role: str, now: datetime, lifetimes: Lifetimes) -> None:
        """Sign what a role has published again, for another lifetime. Raises CentralError."""
        self.publish(role, self.targets(role).targets, now, lifetimes)

    def stage(self, role: str, files: Mapping[str, TargetFile], now: datetime, lifetimes: Lifetimes) -> int:
        """Lay the next metadata of a role beside, without a signature; return their version."""
        metadata = self._next(role, files, now, lifetimes)
        self._folder.staged.mkdir(mode=0o700, exist_ok=True)
        write(self._staged_file(role), metadata.to_bytes())
        return metadata.signed.version

    def staged(self, role: str) -> Metadata[Targets] | None:
        """What is staged for a role. Raises CentralError."""
        path = self._staged_file(role)
        return self._read(path, Targets) if path.exists() else None

    def sign_staged(self, role: str) -> tuple[int, int]:
        """Sign what is staged with the keys here; return (signatures that count, threshold)."""
        metadata = self._staged_fresh(role)
        for signer in load_signers(self._folder, role, self._keys):
            metadata.sign(signer, append=True)
        write(self._staged_file(role), metadata.to_bytes())
        return self._counted(metadata, role)

    def publish_staged(self, role: str, now: datetime, lifetimes: Lifetimes) -> None:
        """Make current what is staged, once enough have signed it. Raises CentralError."""
        self._adopt(role, self._staged_fresh(role), now, lifetimes)
        self._staged_file(role).unlink()

    def add_roles(self, thresholds: Mapping[str, int], now: datetime, lifetimes: Lifetimes) -> None:
        """Delegate roles that are new, empty, to the keys that lie here for them. Raises CentralError."""
        targets = self.targets()
        for role, threshold in thresholds.items():
            delegate(targets, role, load_signers(self._folder, role, self._keys), threshold)
        targets.version += 1
        changed = {Targets.type: targets} | {role: Targets(version=1) for role in thresholds}
        self._advance(changed, now, lifetimes)

    def change_delegation(
        self, role: str, signers: Sequence[CryptoSigner], threshold: int, now: datetime, lifetimes: Lifetimes
    ) -> None:
        """Give a delegated role these keys alone; sign what it has published anew. Raises CentralError."""
        targets, published = self.targets(), self.targets(role)
        delegate(targets, role, signers, threshold)
        targets.version += 1
        published.version += 1
        self._advance({Targets.type: targets, role: published}, now, lifetimes)

    def sign_again(self, now: datetime, lifetimes: Lifetimes) -> None:
        """Vouch for what is published, now: a new timestamp, and a new snapshot before the old one ends."""
        snapshot, timestamp = self.snapshot(), self.timestamp()
        timestamp.version += 1
        if snapshot.expires - now < lifetimes.of(Snapshot.type) / 2:
            snapshot.version += 1
            self._write_snapshot(snapshot, now, lifetimes)
        self._write_timestamp(timestamp, snapshot, now, lifetimes)

    def replace_root(self, root: Root, before: Root, now: datetime, days: float) -> None:
        """Make this the root, signed as it asks and as the one before asks. Raises CentralError."""
        root.expires = _whole(now + timedelta(days=days))
        metadata = Metadata(root)
        for signer in load_signers(self._folder, Root.type, self._keys):
            metadata.sign(signer, append=True)
        for asked in (before, root):
            result = asked.get_verification_result(Root.type, metadata.signed_bytes, metadata.signatures)
            if not result.verified:
                raise _too_few(Root.type, len(result.signed), result.threshold)
        write(self._folder.metadata / f"{root.version}.root.json", metadata.to_bytes())

    def sign_role_again(self, role: str, now: datetime, lifetimes: Lifetimes) -> None:
        """Sign one of root's other roles anew, with every key that lies here for it."""
        if role == Targets.type:
            targets = self.targets()
            targets.version += 1
            self._advance({Targets.type: targets}, now, lifetimes)
            return
        snapshot, timestamp = self.snapshot(), self.timestamp()
        timestamp.version += 1
        if role == Snapshot.type:
            snapshot.version += 1
            self._write_snapshot(snapshot, now, lifetimes)
        self._write_timestamp(timestamp, snapshot, now, lifetimes)

    def _next(
        self, role: str, files: Mapping[str, TargetFile], now: datetime, lifetimes: Lifetimes
    ) -> Metadata[Targets]:
        targets = self.targets(role)
        targets.targets = dict(files)
        targets.version += 1
        targets.expires = _whole(now + lifetimes.of(role))
        return Metadata(targets)

    def _staged_file(self, role: str) -> Path:
        return self._folder.staged / f"{role}.json"

    def _staged_fresh(self, role: str) -> Metadata[Targets]:
        metadata = self.staged(role)
        if metadata is None:
            raise CentralError(f"nothing is staged for {role}: gate-central build")
        if metadata.signed.version != self.targets(role).version + 1:
            raise CentralError(f"{role} was published meanwhile: build again")
        return metadata

    def _counted(self, metadata: Metadata[Targets], role: str) -> tuple[int, int]:
        result = self.targets().get_verification_result(role, metadata.signed_bytes, metadata.signatures)
        return len(result.signed), result.threshold

    def _adopt(self, role: str, metadata: Metadata[Targets], now: datetime, lifetimes: Lifetimes) -> None:
        """Make verified metadata of a role current, and let go what nobody asks for any more."""
        have, wanted = self._counted(metadata, role)
        if have < wanted:
            raise _too_few(role, have, wanted)
        before = self.targets(role)
        raw = metadata.to_bytes()
        snapshot, timestamp = self.snapshot(), self.timestamp()
        self._place(role, metadata.signed.version, raw, snapshot)
        snapshot.version += 1
        timestamp.version += 1
        self._write_snapshot(snapshot, now, lifetimes)
        self._write_timestamp(timestamp, snapshot, now, lifetimes)
        kept = (*before.targets.values(), *metadata.signed.targets.values())
        self._sweep(role, {self.file(target) for target in kept}, snapshot)

    def _advance(self, changed: Mapping[str, Targets], now: datetime, lifetimes: Lifetimes) -> None:
        snapshot, timestamp = self.snapshot(), self.timestamp()
        snapshot.version += 1
        timestamp.version += 1
        self._commit(changed, snapshot, timestamp, now, lifetimes)

    def _commit(
        self,
        changed: Mapping[str, Targets],
        snapshot: Snapshot,
        timestamp: Timestamp,
        now: datetime,
        lifetimes: Lifetimes,
    ) -> None:
        for role, targets in changed.items():
            targets.expires = _whole(now + lifetimes.of(role))
            metadata = Metadata(targets)
            self._sign(metadata, role)
            self._place(role, targets.version, metadata.to_bytes(), snapshot)
        self._write_snapshot(snapshot, now, lifetimes)
        self._write_timestamp(timestamp, snapshot, now, lifetimes)

    def _place(self, role: str, version: int, raw: bytes, snapshot: Snapshot) -> None:
        write(self._folder.metadata / f"{version}.{role}.json", raw)
        snapshot.meta[f"{role}.json"] = MetaFile.from_data(version, raw, ["sha256"])

    def _write_snapshot(self, snapshot: Snapshot, now: datetime, lifetimes: Lifetimes) -> None:
        snapshot.expires = _whole(now + lifetimes.of(Snapshot.type))
        write(self._folder.metadata / f"{snapshot.version}.snapshot.json", self._signed(snapshot))

    def _write_timestamp(
        self, timestamp: Timestamp, snapshot: Snapshot, now: datetime, lifetimes: Lifetimes
    ) -> None:
        raw = (self._folder.metadata / f"{snapshot.version}.snapshot.json").read_bytes()
        timestamp.snapshot_meta = MetaFile.from_data(snapshot.version, raw, ["sha256"])
        timestamp.expires = _whole(now + timedelta(hours=lifetimes.timestamp_hours))
        timestamp.unrecognized_fields[SIGNED_AT] = utc_text(now)
        write(self._folder.metadata / "timestamp.json", self._signed(timestamp))

    def _signed(self, signed: S) -> bytes:
        metadata = Metadata[S](signed)
        self._sign(metadata, signed.type)
        return metadata.to_bytes()

    def _sign(self, metadata: Metadata[S], role: str) -> None:
        """Sign with every key of the role that lies here. Raises CentralError when there is none."""
        signers = load_signers(self._folder, role, self._keys)
        if not signers:
            raise CentralError(
                f"{self._folder.keys / role}.pem: is not here: this needs the {role} key; bring its folder"
                " with --keys"
            )
        for signer in signers:
            metadata.sign(signer, append=True)

    def _load(self, path: Path, kind: type[S]) -> S:
        return self._read(path, kind).signed

    def _read(self, path: Path, kind: type[S]) -> Metadata[S]:
        try:
            metadata = Metadata[S].from_file(str(path))
        except (RepositoryError, OSError) as error:
            raise CentralError(
                f"{path}: not readable metadata: restore the folder from its backup"
            ) from error
        if not isinstance(metadata.signed, kind):
            raise CentralError(f"{path}: not {kind.type} metadata: restore the folder from its backup")
        return metadata

    def _sweep(self, role: str, wanted: set[Path], snapshot: Snapshot) -> None:
        """Remove what no gate asks for any more; the last state stays for refreshes under way."""
        if (staged := self.staged(role)) is not None:
            wanted |= {self.file(target) for target in staged.signed.targets.values()}
        for path in (self._folder.targets / role).iterdir():
            if path not in wanted:
                path.unlink()
        newest = {name.removesuffix(".json"): meta.version for name, meta in snapshot.meta.items()}
        for name, version in (*newest.items(), (Snapshot.type, snapshot.version)):
            for path in self._folder.metadata.glob(f"*.{name}.json"):
                if int(path.name.partition(".")[0]) <= version - KEPT_METADATA:
                    path.unlink()


def delegate(targets: Targets, role: str, signers: Sequence[CryptoSigner], threshold: int) -> None:
    """Let these keys, and no others, sign for everything under the role's name."""
    delegations = targets.delegations
    if delegations is None or delegations.roles is None:
        raise CentralError("the targets delegate nothing: restore the folder from its backup")
    if role in delegations.roles:
        for key_id in list(delegations.roles[role].keyids):
            targets.revoke_key(key_id, role)
    delegations.roles[role] = DelegatedRole(
        name=role, keyids=[], threshold=threshold, terminating=True, paths=[f"{role}/*"]
    )
    for signer in signers:
        targets.add_key(signer.public_key, role)


def newest_root(folder: CentralFolder) -> Path:
    """The newest root metadata."""
    return max(folder.metadata.glob("*.root.json"), key=lambda path: int(path.name.partition(".")[0]))


def _too_few(role: str, have: int, wanted: int) -> CentralError:
    return CentralError(
        f"{role} needs {wanted} signatures and has {have}: let its other keys sign"
        " (gate-central sign, with --keys FOLDER)"
    )


def utc_text(now: datetime) -> str:
    """Whole seconds of UTC, as headers and metadata write them."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
