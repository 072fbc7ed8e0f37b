"""What an attacker, a bad disk or a mistake can do to a refresh: each is named, the list in force stays."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tuf.api.metadata import TargetFile

from gated.central.repository import Lifetimes, Repository
from gated.core.personal import Personal
from gated.core.vocabulary import Grade
from gated.store.replication import FIXES, Failed, Refreshed, Unchanged, Updated, WatchlistUpdater
from gated.watchlist.match import DocumentClaim
from gated.watchlist.replica import INDEX, Index, PublishedSnapshot
from gated.watchlist.snapshot import snapshot_lines
from tests.store.central_stand_in import Central, Gate, document

CREATED = "2026-11-23T03:00:00Z"
SHORT = Lifetimes(timestamp_hours=1 / 3600, snapshot_days=1, targets_days=1)


@pytest.fixture
def central(tmp_path: Path) -> Central:
    central = Central(tmp_path / "central")
    central.publish(document("L898902C3"))
    return central


@pytest.fixture
def gate(tmp_path: Path, central: Central) -> Iterator[Gate]:
    """A gate that holds version 1."""
    gate = Gate(tmp_path / "state", central)
    assert gate.refresh() == Updated(version=1, by="snapshot")
    yield gate
    assert gate.watchlist.version >= 1
    claim = DocumentClaim(number=Personal("L898902C3"), issuer="UTO")
    assert gate.watchlist.lookup(document=claim).grade is Grade.STOP
    gate.watchlist.close()


def failure(result: Refreshed) -> str:
    assert isinstance(result, Failed), result
    assert result.fix == FIXES[result.code]
    return result.code


def only(name: str, change: Callable[[bytes], bytes]) -> Callable[[str, bytes], bytes]:
    return lambda url, content: change(content) if name in url else content


def other_key(content: bytes) -> bytes:
    """Flip the last hexadecimal digit of every signature."""
    parts = content.split(b'"sig":"')
    assert len(parts) > 1
    return b'"sig":"'.join(
        [parts[0], *((b"0" if part[:1] != b"0" else b"1") + part[1:] for part in parts[1:])]
    )


def test_a_bad_signature(gate: Gate, central: Central) -> None:
    central.sign_again(later_s=1)
    central.tamper = only("timestamp.json", other_key)
    assert failure(gate.refresh()) == "bad_signature"
    central.tamper = only("nothing", bytes)
    assert gate.refresh() == Unchanged(version=1)


@pytest.mark.parametrize("name", ["snapshot.json", "watchlist.json", "index.json", "delta-1-2.jsonl"])
def test_bytes_that_are_not_the_signed_ones(gate: Gate, central: Central, name: str) -> None:
    central.publish(document("L898902C3"), document("B00001"))
    central.tamper = only(name, lambda content: content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    assert failure(gate.refresh()) == "bad_hash"
    assert gate.watchlist.version == 1


@pytest.mark.parametrize(
    "name", ["timestamp.json", "snapshot.json", "watchlist.json", "index.json", "delta-1-2.jsonl"]
)
def test_truncated_files(gate: Gate, central: Central, name: str) -> None:
    central.publish(document("L898902C3"), document("B00001"))
    central.tamper = only(name, lambda content: content[: len(content) // 2])
    assert failure(gate.refresh()) in {"malformed", "bad_hash"}
    assert gate.watchlist.version == 1


@pytest.mark.parametrize(
    "name", ["timestamp.json", "snapshot.json", "watchlist.json", "index.json", "delta-1-2.jsonl"]
)
def test_oversized_files(gate: Gate, central: Central, name: str) -> None:
    central.publish(document("L898902C3"), document("B00001"))
    central.tamper = only(name, lambda content: content + b" " * 2_000_000)
    assert failure(gate.refresh()) == "oversized"


def test_expired_metadata(gate: Gate, central: Central) -> None:
    central.sign_again(later_s=1)
    central.sign_again(later_s=-600, lifetimes=SHORT)
    assert failure(gate.refresh()) == "expired"


def test_a_word_from_the_future_would_never_grow_old_and_is_refused(gate: Gate, central: Central) -> None:
    central.sign_again(later_s=3600)
    central.now -= timedelta(seconds=3600)
    assert failure(gate.refresh()) == "clock"
    central.now += timedelta(seconds=3600 - 200)
    assert gate.refresh() == Unchanged(version=1)


def signed(central: Central, index: bytes, snapshot: bytes = b"") -> None:
    """Publish these very bytes with good signatures: a central side that errs."""
    files = {}
    for path, content in ((INDEX, index), ("watchlist/snapshot-9.jsonl", snapshot)):
        files[path] = TargetFile.from_data(path, content, ["sha256"])
        Repository(central.folder).file(files[path]).write_bytes(content)
    Repository(central.folder).publish("watchlist", files, central.now, Lifetimes())


def index_of(snapshot: bytes, name: str = "main", version: int = 9) -> bytes:
    published = PublishedSnapshot(path="watchlist/snapshot-9.jsonl", length=len(snapshot))
    return msgspec.json.encode(Index(list=name, version=version, created=CREATED, snapshot=published))


def snapshot_of(name: str = "main", version: int = 9) -> bytes:
    return b"".join(line + b"\n" for line in snapshot_lines(name, version, CREATED, ()))


@pytest.mark.parametrize(
    ("index", "snapshot", "expected"),
    [
        (b"{}", b"x", "malformed"),
        (b"[" * 50_000, b"x", "malformed"),
        (b" " * 300_000, b"x", "oversized"),
        (index_of(b"x", name="other"), b"x", "malformed"),
        (index_of(b"x"), b"garbage\n", "malformed"),
        (index_of(b"x"), b"\x00" * 5000, "malformed"),
        (index_of(b"x"), snapshot_of()[:-1], "malformed"),
        (index_of(b"x"), snapshot_of(name="other"), "malformed"),
        (index_of(b"x"), snapshot_of(version=8), "malformed"),
    ],
)
def test_what_is_signed_but_wrong(
    gate: Gate, central: Central, index: bytes, snapshot: bytes, expected: str
) -> None:
    signed(central, index, snapshot)
    assert failure(gate.refresh()) == expected
    assert not (gate.place(2).with_name(".next")).exists()


def test_an_older_timestamp_is_a_rollback(gate: Gate, central: Central) -> None:
    old = (central.folder.metadata / "timestamp.json").read_bytes()
    central.sign_again(later_s=60)
    gate.refresh()
    (central.folder.metadata / "timestamp.json").write_bytes(old)
    assert failure(gate.refresh()) == "rollback"


def test_an_older_repository_is_a_rollback_even_when_tuf_has_forgotten(
    gate: Gate, central: Central, tmp_path: Path
) -> None:
    shutil.copytree(central.folder.repository, tmp_path / "before")
    central.publish(document("L898902C3"), document("B00001"))
    gate.refresh()
    shutil.rmtree(central.folder.repository)
    shutil.copytree(tmp_path / "before", central.folder.repository)
    assert failure(gate.refresh()) == "rollback"
    shutil.rmtree(gate.state / "tuf")  # the metadata of the last refresh, lost with the disk's last writes
    central.sign_again(later_s=120)  # even if the old state is vouched for anew
    assert failure(gate.refresh()) == "rollback"
    assert gate.watchlist.version == 2


def test_an_older_word_is_a_rollback_even_when_tuf_has_forgotten(gate: Gate, central: Central) -> None:
    old = (central.folder.metadata / "timestamp.json").read_bytes()
    central.sign_again(later_s=60)
    gate.refresh()
    shutil.rmtree(gate.state / "tuf")
    (central.folder.metadata / "timestamp.json").write_bytes(old)
    assert failure(gate.refresh()) == "rollback"


def test_another_central_server_is_not_believed(gate: Gate, tmp_path: Path) -> None:
    stranger = Central(tmp_path / "stranger")
    stranger.publish(document("B00001"))
    stranger.publish(document("B00002"))
    gate.updater = WatchlistUpdater(gate.watchlist, stranger)
    shutil.rmtree(gate.state / "tuf")
    assert failure(gate.refresh()) == "bad_signature"


def test_no_root_of_trust_no_list(gate: Gate) -> None:
    (gate.state / "trust" / "root.json").unlink()
    assert failure(gate.refresh()) == "no_trust"


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[" * 100_000, b'{"signed": {}, "signatures": []}', b"\xff"]
)
def test_a_root_that_is_none(gate: Gate, content: bytes) -> None:
    (gate.state / "trust" / "root.json").write_bytes(content)
    assert failure(gate.refresh()) in {"malformed", "no_trust", "bad_signature"}


def test_nothing_published(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate", Central(tmp_path / "empty"))
    assert failure(gate.refresh()) == "missing"
    assert gate.watchlist.version == 0


def test_no_link(gate: Gate, central: Central) -> None:
    central.down = True
    assert failure(gate.refresh()) == "link_down"


REFRESH_ON_A_FULL_DISK = """
import resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from gated.central.folder import CentralFolder
from gated.store.replication import WatchlistUpdater
from gated.store.watchlist import Watchlist
from tests.store.central_stand_in import Central

state, central, limit = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
fetcher = Central.__new__(Central)
fetcher.folder, fetcher.down, fetcher.fetched = CentralFolder(central), False, []
fetcher.tamper = lambda url, content: content
watchlist = Watchlist.open(state)
if limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
result = WatchlistUpdater(watchlist, fetcher).refresh(datetime.now(UTC), 1.0)
print(result.code, watchlist.version, [path.name for path in state.glob("*.next*")])
"""


def refresh_elsewhere(gate: Gate, central: Central, limit: int, *before: str) -> str:
    gate.watchlist.close()
    try:
        done = subprocess.run(
            [
                *before,
                sys.executable,
                "-c",
                REFRESH_ON_A_FULL_DISK,
                gate.state,
                central.folder.path,
                str(limit),
            ],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=Path(__file__).parents[2],
        )
    finally:
        gate.open()
    return done.stdout.strip()


def test_a_disk_that_takes_no_more(gate: Gate, central: Central) -> None:
    central.publish(document("L898902C3"), *(document(f"A{number:05}") for number in range(5000)))
    assert refresh_elsewhere(gate, central, 100_000) == "disk 1 []"


def test_a_full_disk(gate: Gate, central: Central) -> None:
    central.publish(document("L898902C3"), *(document(f"A{number:05}") for number in range(5000)))
    script = (
        'cp -a "$0" "$0.copy" && mount -t tmpfs -o size=300k none "$0" && cp -a "$0.copy/." "$0" && exec "$@"'
    )
    in_a_small_disk = ("unshare", "--map-root-user", "--mount", "sh", "-c", script, str(gate.state))
    try:
        said = refresh_elsewhere(gate, central, 0, *in_a_small_disk)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(
            "needs the right to mount a tmpfs in a namespace of its own (unshare --map-root-user --mount)"
        )
    assert said == "disk_full 1 []"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["timestamp", "2.root"]), content=st.binary(max_size=200))
def test_whatever_stands_in_for_metadata_never_raises(
    gate: Gate, central: Central, name: str, content: bytes
) -> None:
    path = central.folder.metadata / f"{name}.json"
    before = path.read_bytes() if path.exists() else None
    path.write_bytes(content)
    try:
        failure(gate.refresh())
    finally:
        path.unlink() if before is None else path.write_bytes(before)


def test_what_tuf_left_behind_when_killed_is_swept(gate: Gate) -> None:
    (gate.state / "tuf" / "tmpabc123").write_bytes(b"half")
    (gate.state / "incoming").mkdir()
    (gate.state / "incoming" / "half").write_bytes(b"half")
    assert gate.refresh() == Unchanged(version=1)
    assert not list((gate.state / "tuf").glob("tmp*"))
    assert "incoming" not in os.listdir(gate.state)  # noqa: PTH208
