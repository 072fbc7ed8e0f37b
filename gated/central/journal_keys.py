"""The keys that gates sign their journals with, as the centre knows them: the public parts, and since when.

A gate makes its key itself; here it is put on record beside the gate's transport key. A record is never
taken back: a key that counts no more still tells, years later, who signed what was delivered while it did.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta

from gated.central.folder import CentralError, CentralFolder, write
from gated.core.values import Value
from gated.store.delivery import ToCentre, attested_by

SUFFIX: Final = ".journal"
MAX_FILE: Final = 64 * 1024
MAX_KEYS: Final = 64

Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class JournalKey(Value):
    """A key of one gate. `until`: from then on nothing more counts that is signed with it."""

    public_key: Hex32
    since: datetime
    until: datetime | None = None

    def counts(self, now: datetime) -> bool:
        """Whether what it signs is taken now."""
        return self.until is None or now < self.until


class _Record(Value):
    """What stands in the file, the oldest key first."""

    keys: Annotated[tuple[JournalKey, ...], Meta(max_length=MAX_KEYS)]


class Enrolled(Value):
    """A journal key is on record; `keeps` are earlier ones that count until then."""

    gate: str
    public_key: str
    keeps: tuple[str, ...]


def keys_of(gates: Path, gate: str) -> tuple[JournalKey, ...]:
    """Every key that a gate has ever had, by the record in this folder. Raises CentralError, OSError."""
    path = gates / f"{gate}{SUFFIX}"
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(MAX_FILE), type=_Record).keys
    except FileNotFoundError:
        return ()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise CentralError(f"{path}: no record of journal keys: put the copy back that was kept") from None


def all_keys(gates: Path) -> dict[str, tuple[JournalKey, ...]]:
    """The records of all gates, also of those that were revoked. Raises CentralError, OSError."""
    return {path.stem: keys_of(gates, path.stem) for path in sorted(gates.glob(f"*{SUFFIX}"))}


def counting(gates: Path, now: datetime) -> dict[str, str]:
    """Each gate's newest key, if it counts. Raises CentralError, OSError."""
    newest = {gate: keys[-1] for gate, keys in all_keys(gates).items() if keys}
    return {gate: key.public_key for gate, key in newest.items() if key.counts(now)}


def enrol(
    folder: CentralFolder, gate: str, public_key: str, now: datetime, keep_old: timedelta | None = None
) -> Enrolled:
    """Put a gate's key on record; the one before it counts for `keep_old` still.

    That must be said where there is one, for only the operator knows whether it leaked. Raises CentralError.
    """
    folder.require()
    if not (folder.gates / f"{gate}.pub").is_file():
        raise CentralError(f"there is no gate {gate}: gate-central keys first")
    with folder.locked():
        known = all_keys(folder.gates)
        for name, keys in known.items():
            if public_key in {each.public_key for each in keys}:
                raise CentralError(f"this key is on record, of {name}: gatectl journal key makes a new one")
        before = known.get(gate, ())
        if keep_old is None and any(each.counts(now) for each in before):
            raise CentralError(f"{gate} has a journal key: say with --keep-old DAYS how long it counts still")
        if len(before) >= MAX_KEYS:
            raise CentralError(f"{gate} has had {MAX_KEYS} journal keys: find out why, then rename it")
        until = now + (keep_old or timedelta())
        kept = tuple(_closed(each, until) for each in before)
        _write(folder, gate, (*kept, JournalKey(public_key=public_key, since=now)))
    still = tuple(f"{each.public_key} until {_utc(each.until)}" for each in kept if each.counts(now))
    return Enrolled(gate=gate, public_key=public_key, keeps=still)


def close_all(folder: CentralFolder, gate: str, now: datetime) -> None:
    """Nothing more counts that this gate signs. Raises CentralError, OSError."""
    with folder.locked():
        keys = keys_of(folder.gates, gate)
        if any(each.counts(now) for each in keys):
            _write(folder, gate, tuple(_closed(each, now) for each in keys))


class KeyRing:
    """The keys that count, read again when the folder of gates changes. Of one thread.

    A record that cannot be read has no keys: it stops its own gate, and no other.
    """

    def __init__(self, folder: CentralFolder) -> None:
        self._gates = folder.gates
        self._stamp = -1
        self._keys: dict[str, tuple[tuple[JournalKey, Ed25519PublicKey], ...]] = {}

    def has(self, gate: str, now: datetime) -> bool:
        """Whether the centre knows any key of this gate that counts."""
        return any(key.counts(now) for key, _ in self._of(gate))

    def signer(self, gate: str, said: ToCentre, now: datetime) -> bytes | None:
        """The public key that has signed this for the gate, if it counts."""
        keys = (public for key, public in self._of(gate) if key.counts(now))
        found = attested_by(keys, gate, said)
        return None if found is None else found.public_bytes_raw()

    def _of(self, gate: str) -> tuple[tuple[JournalKey, Ed25519PublicKey], ...]:
        """The newest first: it has signed nearly everything."""
        try:
            stamp = self._gates.stat().st_mtime_ns
            if stamp != self._stamp:
                self._stamp = stamp
                self._keys.clear()
            if gate not in self._keys:
                self._keys[gate] = tuple(
                    (each, Ed25519PublicKey.from_public_bytes(bytes.fromhex(each.public_key)))
                    for each in reversed(keys_of(self._gates, gate))
                )
        except (CentralError, OSError):
            return ()
        return self._keys[gate]


def _closed(key: JournalKey, until: datetime) -> JournalKey:
    return key if key.until is not None and key.until <= until else msgspec.structs.replace(key, until=until)


def _write(folder: CentralFolder, gate: str, keys: tuple[JournalKey, ...]) -> None:
    write(folder.gates / f"{gate}{SUFFIX}", msgspec.json.encode(_Record(keys=keys)) + b"\n")


def _utc(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
