"""Keeping the published kinds up to date beside the watchlist, from the same verified state.

Each kind is taken for itself: what is wrong with one is remembered with its fix and hinders no other, and
what is in force goes on being used. How old each is, what failed last and which groups the gate is in lies in
`status.json`, for `gatectl` and for the age that survives a restart.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from gated.core.values import Value
from gated.store.published import InForce, Published
from gated.store.signed import FAILURES, Failed, NotUsable, Signed, failed, failure_code
from gated.watchlist.freshness import Age, Freshness
from gated.watchlist.publication import (
    KINDS,
    MAX_KIND_INDEX,
    Kind,
    KindIndex,
    PublishedFile,
    Release,
    file_path,
    groups_of,
    index_path,
    parse_kind_index,
    wanted,
)
from gated.watchlist.replica import Backwards
from gated.watchlist.snapshot import ListError

STATUS = "status.json"
ASKED_BACK = "go-back.json"
WITHDRAWN = "withdrawn"
MAX_STATUS = 64_000
KEEP_S = 60.0  # how old the status on disk may be while nothing but time has changed
Check = Callable[[Path, tuple[PublishedFile, ...]], None]
"""Raises NotUsable unless this gate can use the files in the folder."""


class KindStatus(Value):
    """A kind at this gate. `signed_at`: up to when the central side vouched that nothing newer is for it.

    `seen_at` is the latest time that was ever seen since, by which the age of that word goes on.
    """

    signed_at: float = 0.0
    seen_at: float = 0.0
    published: int = 0
    """The newest release that is published at all, whether it is for this gate or not."""
    groups: tuple[str, ...] = ()
    restart: bool = False
    """What is in force is used from the next start of the gate on."""
    code: str = ""
    fix: str = ""


class AskedBack(Value):
    """Somebody at the gate wants the content before back. Whoever may write the file may ask."""

    kind: Kind


class KindsUpdater:
    """Takes the releases that are for this gate. Belongs to the thread of the watchlist.

    `checks` say of a kind whether this gate can use a release; `took` hears of each that came into force.
    What is not of the kinds `at_once` is used from the next start on.
    """

    def __init__(
        self,
        published: Published,
        folder: Path,
        gate: str,
        checks: Mapping[Kind, Check],
        took: Callable[[Kind, InForce], None],
        at_once: frozenset[Kind] = frozenset(),
    ) -> None:
        self._published = published
        self._folder = folder
        self._gate = gate
        self._checks = checks
        self._took = took
        self._at_once = at_once
        self._refused: set[tuple[Kind, int]] = set()
        self._came = 0  # releases that came into force
        self._status = {kind: _started(each) for kind, each in read_status(folder).items()}
        self._kept_at = 0.0
        self._ages: dict[Kind, Age] = {}
        self._aging = threading.Lock()
        # What was seen to the end, index and version in force: nothing is to be done until one changes.
        self._settled: dict[Kind, tuple[str, int]] = {}

    @property
    def status(self) -> dict[Kind, KindStatus]:
        """Every kind that was ever heard of."""
        return dict(self._status)

    def age_s(self, kind: Kind, now: datetime, at: float) -> float | None:
        """Seconds since the central side last vouched for what is in force of a kind; None: nothing is.

        `now` is aware UTC, `at` the monotonic time. A clock that goes back does not make it younger, nor does
        a word about a release that this gate could not take, or went back from. For any thread.
        """
        if self._published.in_force(kind) is None:
            return None
        known = self._status.get(kind, KindStatus())
        with self._aging:
            age = self._ages.get(kind)
            if age is None:
                age = self._ages[kind] = Age(Freshness(signed_at=known.signed_at, seen_at=known.seen_at))
            age.confirm(known.signed_at, now.timestamp(), at)
            return age.seconds(now.timestamp(), at)

    def beside(self, signed: Signed | Failed, now: datetime) -> None:
        """Take what is for this gate from a verified state, or note why there is none."""
        before = dict(self._status)
        if isinstance(signed, Failed):
            for kind in KINDS:
                self._note(kind, signed)
        else:
            self._take_all(signed)
        self._keep(before, now)

    def go_back_if_asked(self) -> None:
        """Put the content before in force where somebody at the gate asked for it (`ask_back`)."""
        asked = self._folder / ASKED_BACK
        try:
            raw = asked.read_bytes()
            asked.unlink()
            kind = msgspec.json.decode(raw[:MAX_STATUS], type=AskedBack).kind
        except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError):
            return
        try:
            now = self._published.go_back(kind)
            self._refused.clear()  # it may fit beside what is in force now
        except (ListError, OSError) as error:
            code = "nothing_to_go_back_to" if isinstance(error, ListError) else failure_code(error)
            self._note(kind, failed(code))
            return
        known = self._status.get(kind, KindStatus())
        self._status[kind] = msgspec.structs.replace(known, restart=kind not in self._at_once)
        self._write()
        self._took(kind, now)

    def _take_all(self, signed: Signed) -> None:
        """Take every kind; what did not fit gets another try beside what has come, in whatever order."""
        before = self._came
        for kind in KINDS:
            self._take_one(kind, signed)
        if self._came > before:
            for kind, number in sorted(self._refused):
                self._refused.discard((kind, number))
                self._take_one(kind, signed)

    def _take_one(self, kind: Kind, signed: Signed) -> None:
        try:
            digest = signed.digest(index_path(kind))
            if digest is None:
                return
            now = self._published.in_force(kind)
            state = (digest, now.version if now else 0)
            if self._settled.get(kind) == state:
                self._vouched(kind, now, signed)
                return
            index = parse_kind_index(signed.target(index_path(kind), MAX_KIND_INDEX).read_bytes(), kind)
            self._take(index, signed)
        except FAILURES as error:
            self._note(kind, failed(failure_code(error)))
            return
        now = self._published.in_force(kind)
        self._settled[kind] = (digest, now.version if now else 0)

    def _take(self, index: KindIndex, signed: Signed) -> None:
        kind = index.kind
        now = self._published.in_force(kind)
        if now is not None and (not index.releases or index.releases[-1].version < now.version):
            raise Backwards(f"all that is published of {kind} is older than what is here")
        release = wanted(index, self._gate, now.version if now else 0)
        before = self._status.get(kind, KindStatus())
        known = KindStatus(
            signed_at=before.signed_at,
            seen_at=before.seen_at,
            published=index.releases[-1].version if index.releases else 0,
            groups=groups_of(index, self._gate),
        )
        known = msgspec.structs.replace(known, restart=before.restart)
        if release is None:
            listed = index.release(now.version) if now else None
            trouble = failed(WITHDRAWN) if listed is not None and listed.withdrawn else None
            self._status[kind] = known if trouble is None else _with(known, trouble)
            self._vouched(kind, now, signed)
            return
        self._status[kind] = known
        if (kind, release.version) in self._refused:
            raise NotUsable
        self._install(kind, release, signed)
        taken = msgspec.structs.replace(known, restart=kind not in self._at_once)
        self._status[kind] = msgspec.structs.replace(taken, signed_at=signed.signed_at)

    def _vouched(self, kind: Kind, now: InForce | None, signed: Signed) -> None:
        """Nothing newer is for this gate; which says nothing for what it went back to, or was withdrawn."""
        known = self._status[kind]
        if (now is None or now.content == now.version) and known.code != WITHDRAWN:
            self._status[kind] = msgspec.structs.replace(known, signed_at=signed.signed_at)

    def _install(self, kind: Kind, release: Release, signed: Signed) -> None:
        def fetch(file: PublishedFile) -> Path:
            return signed.target(file_path(kind, release.version, file.name), file.length)

        try:
            now = self._published.install(kind, release, fetch, self._checks.get(kind, _unknown))
        except NotUsable:
            self._refused.add((kind, release.version))
            raise
        self._came += 1
        self._took(kind, now)

    def _note(self, kind: Kind, trouble: Failed) -> None:
        self._settled.pop(kind, None)
        if kind in self._status or self._published.in_force(kind) is not None or trouble.code != "link_down":
            self._status[kind] = _with(self._status.get(kind, KindStatus()), trouble)

    def _keep(self, before: dict[Kind, KindStatus], now: datetime) -> None:
        """Write the status where something changed, or a minute has passed."""
        told = {kind: (each.code, each.published, each.groups) for kind, each in self._status.items()}
        was = {kind: (each.code, each.published, each.groups) for kind, each in before.items()}
        if told == was and abs(now.timestamp() - self._kept_at) < KEEP_S:
            return
        self._kept_at = now.timestamp()
        self._write()

    def _write(self) -> None:
        """Keep it through a power cut too: without it nobody knows how old the words are."""
        with self._aging:
            seen = {kind: age.freshness.seen_at for kind, age in self._ages.items()}
        kept = {
            kind: msgspec.structs.replace(each, seen_at=seen.get(kind, each.seen_at))
            for kind, each in self._status.items()
        }
        with contextlib.suppress(OSError):  # a full disk is somebody else's fault to tell
            self._folder.mkdir(parents=True, exist_ok=True)
            spare = self._folder / f"{STATUS}.new"
            with spare.open("wb") as file:
                file.write(msgspec.json.encode(kept))
                file.flush()
                os.fsync(file.fileno())
            spare.replace(self._folder / STATUS)


def ask_back(folder: Path, kind: Kind) -> None:
    """Ask the gate to put the content before in force. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    spare = folder / f"{ASKED_BACK}.new"
    spare.write_bytes(msgspec.json.encode(AskedBack(kind=kind)))
    spare.replace(folder / ASKED_BACK)


def read_status(folder: Path) -> dict[Kind, KindStatus]:
    """What was last noted of each kind; nothing where that cannot be read."""
    try:
        raw = (folder / STATUS).read_bytes()
        return msgspec.json.decode(raw, type=dict[Kind, KindStatus]) if len(raw) <= MAX_STATUS else {}
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}


def _unknown(_: Path, __: tuple[PublishedFile, ...]) -> None:
    raise NotUsable("this version knows no use for the kind")


def _started(known: KindStatus) -> KindStatus:
    return msgspec.structs.replace(known, restart=False)


def _with(known: KindStatus, trouble: Failed) -> KindStatus:
    return msgspec.structs.replace(known, code=trouble.code, fix=trouble.fix)
