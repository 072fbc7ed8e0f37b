"""The signed repository (TUF, consistent snapshots) of a central folder: what is current and how it changes.

The timestamp file is the one point of commitment: it names a snapshot, the snapshot names a version of the
targets, and those name every file by length and hash. All others are written first, under names that
are never used twice, and the timestamp is renamed into place last. A crash leaves the state before it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from gated.central.folder import CentralError, CentralFolder, write
from gated.core.values import Value
from gated.watchlist.replica import SIGNED_AT

S = TypeVar("S", Root, Targets, Snapshot, Timestamp)
KEPT_METADATA = (
    8  # versions of snapshot and targets metadata; a gate in the midst of a refresh needs the last
)


class Lifetimes(Value):
    """How long signed metadata is valid. The timestamp is signed again every minute while the server runs."""

    targets_days: float = 30.0
    snapshot_days: float = 30.0
    timestamp_hours: float = 24.0


class Repository:
    """Reads and extends the metadata. Callers hold the folder's lock while they change it."""

    def __init__(self, folder: CentralFolder) -> None:
        self._folder = folder

    def begin(self, now: datetime, lifetimes: Lifetimes) -> None:
        """Sign the first, empty state."""
        self._commit(Targets(version=1), Snapshot(version=1), Timestamp(version=1), now, lifetimes)

    def timestamp(self) -> Timestamp:
        """The current timestamp. Raises CentralError."""
        return self._load(self._folder.metadata / "timestamp.json", Timestamp)

    def snapshot(self) -> Snapshot:
        """The current snapshot. Raises CentralError."""
        version = self.timestamp().snapshot_meta.version
        return self._load(self._folder.metadata / f"{version}.snapshot.json", Snapshot)

    def targets(self) -> Targets:
        """What is published now. Raises CentralError."""
        version = self.snapshot().meta["targets.json"].version
        return self._load(self._folder.metadata / f"{version}.targets.json", Targets)

    def file(self, target: TargetFile) -> Path:
        """Where a published file lies: its name carries its hash."""
        folder, _, name = target.path.rpartition("/")
        return self._folder.targets / folder / f"{target.hashes['sha256']}.{name}"

    def publish(self, files: Mapping[str, TargetFile], now: datetime, lifetimes: Lifetimes) -> None:
        """Sign exactly these files as what is published now. They must lie in place. Raises CentralError."""
        targets, snapshot, timestamp = self.targets(), self.snapshot(), self.timestamp()
        before = dict(targets.targets)
        targets.targets = dict(files)
        targets.version += 1
        snapshot.version += 1
        timestamp.version += 1
        self._commit(targets, snapshot, timestamp, now, lifetimes)
        wanted = {self.file(target) for target in (*before.values(), *files.values())}
        self._sweep(targets, snapshot, wanted)

    def sign_again(self, now: datetime, lifetimes: Lifetimes) -> None:
        """Vouch for what is published, now: a new timestamp, and a new snapshot before the old one ends."""
        snapshot, timestamp = self.snapshot(), self.timestamp()
        timestamp.version += 1
        if snapshot.expires - now < timedelta(days=lifetimes.snapshot_days) / 2:
            snapshot.version += 1
            self._write_snapshot(snapshot, now, lifetimes)
        self._write_timestamp(timestamp, snapshot, now, lifetimes)

    def _commit(
        self, targets: Targets, snapshot: Snapshot, timestamp: Timestamp, now: datetime, lifetimes: Lifetimes
    ) -> None:
        targets.expires = _whole(now + timedelta(days=lifetimes.targets_days))
        raw = self._signed(targets)
        write(self._folder.metadata / f"{targets.version}.targets.json", raw)
        snapshot.meta = {"targets.json": MetaFile.from_data(targets.version, raw, ["sha256"])}
        self._write_snapshot(snapshot, now, lifetimes)
        self._write_timestamp(timestamp, snapshot, now, lifetimes)

    def _write_snapshot(self, snapshot: Snapshot, now: datetime, lifetimes: Lifetimes) -> None:
        snapshot.expires = _whole(now + timedelta(days=lifetimes.snapshot_days))
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
        metadata.sign(load_signer(self._folder, signed.type))
        return metadata.to_bytes()

    def _load(self, path: Path, kind: type[S]) -> S:
        try:
            signed = Metadata[S].from_file(str(path)).signed
        except (RepositoryError, OSError) as error:
            raise CentralError(
                f"{path}: not readable metadata: restore the folder from its backup"
            ) from error
        if not isinstance(signed, kind):
            raise CentralError(f"{path}: not {kind.type} metadata: restore the folder from its backup")
        return signed

    def _sweep(self, targets: Targets, snapshot: Snapshot, wanted: set[Path]) -> None:
        """Remove what no gate asks for any more; the last state stays for refreshes under way."""
        for path in (self._folder.targets / "watchlist").iterdir():
            if path not in wanted:
                path.unlink()
        for role, newest in (("targets", targets.version), ("snapshot", snapshot.version)):
            for path in self._folder.metadata.glob(f"*.{role}.json"):
                if int(path.name.partition(".")[0]) <= newest - KEPT_METADATA:
                    path.unlink()


def load_signer(folder: CentralFolder, role: str) -> CryptoSigner:
    """The signer of a role. Raises CentralError."""
    path = folder.keys / f"{role}.pem"
    try:
        if path.stat().st_mode & 0o077:
            raise CentralError(f"{path}: others may read this secret: chmod 600 {path}")
        return CryptoSigner(load_pem_private_key(path.read_bytes(), None))
    except OSError as error:
        raise CentralError(f"{path}: cannot be read ({error.strerror}): this needs the {role} key") from error
    except (ValueError, TypeError):
        raise CentralError(f"{path}: not a private key in PEM: restore it from its backup") from None


def utc_text(now: datetime) -> str:
    """Whole seconds of UTC, as headers and metadata write them."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
