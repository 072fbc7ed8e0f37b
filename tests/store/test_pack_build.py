import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.store import pack_build
from gated.store.documents import CHANGES, PACK, Documents
from gated.store.pack_build import pack_changes, record_of, step_of
from gated.watchlist.changes import parse_changes
from gated.watchlist.pack import Kind, Record, Tally
from gated.watchlist.snapshot import DocumentEntry, ListError
from tests.store.packs import CREATED, KEY, KEYS, entry, numbered, opened, pack_into
from tests.watchlist.strategies import documents as entries

lists = st.lists(entries, max_size=30)


def all_of(documents: Documents) -> set[Record]:
    return {record for number in range(256) for record in documents.pack.span(8, number)}


@settings(derandomize=True, max_examples=40, deadline=None)
@given(lists)
def test_a_pack_holds_what_came_each_once(
    tmp_path_factory: pytest.TempPathFactory, rows: list[DocumentEntry]
) -> None:
    folder = tmp_path_factory.mktemp("pack")
    built = pack_into(folder, rows)
    documents = Documents.open(folder, KEYS)
    wanted = {record_of(each, documents.pack.hashes) for each in rows}
    documents.verify()
    assert all_of(documents) == wanted
    assert (built.header.documents, built.doubles) == (len(wanted), len(rows) - len(wanted))
    tally = Tally(KEY)
    for record in wanted:
        tally.add(record)
    assert (tally.documents, tally.digest) == (built.header.documents, built.header.digest)
    documents.close()


@settings(derandomize=True, max_examples=40, deadline=None)
@given(lists, lists, st.sampled_from(["like before", "anew"]))
def test_the_step_between_two_packs_makes_the_second_of_the_first(
    tmp_path_factory: pytest.TempPathFactory, a: list[DocumentEntry], b: list[DocumentEntry], kinds: str
) -> None:
    folder = tmp_path_factory.mktemp("packs")
    before = opened(folder / "a", a, 1)
    after = opened(folder / "b", b, 2, like=before.pack.header.kinds if kinds == "like before" else ())
    (folder / "a" / CHANGES).write_bytes(before.after(pack_changes(before.pack, after.pack)))
    now = Documents.open(folder / "a", KEYS)
    assert now.state == after.state
    for each in (*a, *b):
        tag = before.pack.hashes.tag(each.number, each.issuer)
        assert now.find(tag) == after.find(tag)
    for documents in (before, after, now):
        documents.close()


def test_a_small_change_of_a_large_pack_is_found_by_its_seals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = opened(tmp_path / "a", numbered(range(40_000)), 1)
    after = opened(
        tmp_path / "b",
        [*numbered(range(5, 40_000)), entry("NEW1", "refer", reason="lost")],
        2,
        like=before.pack.header.kinds,
    )
    read: list[int] = []
    whole = before.pack.bucket

    def counted(bucket: int) -> bytes:
        read.append(bucket)
        return whole(bucket)

    monkeypatch.setattr(before.pack, "bucket", counted)
    step = parse_changes(pack_changes(before.pack, after.pack), KEYS)
    assert sorted(change.came for change in step) == [False] * 5 + [True]
    assert len(read) <= 6


def test_packs_of_other_sizes_are_compared_too(tmp_path: Path) -> None:
    before = opened(tmp_path / "a", numbered(range(70_000)), 1)
    after = opened(tmp_path / "b", numbered(range(69_000, 71_000)), 2)
    assert before.pack.header.bits != after.pack.header.bits
    for one, other in ((before, after), (after, before)):
        changes = list(parse_changes(_step(one, other), KEYS))
        assert len(changes) == 70_000


def _step(one: Documents, other: Documents) -> bytes:
    """A step has to go forward; which list is newer does not matter here."""
    if one.state.version > other.state.version:
        return pack_changes(other.pack, one.pack)
    return pack_changes(one.pack, other.pack)


def test_shards_that_went_to_disk_make_the_same_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = numbered(range(20_000))
    pack_into(tmp_path / "memory", rows)
    monkeypatch.setattr(pack_build, "IN_MEMORY", 30)
    pack_into(tmp_path / "disk", reversed(rows))
    assert (tmp_path / "memory" / PACK).read_bytes() == (tmp_path / "disk" / PACK).read_bytes()
    assert [path.name for path in (tmp_path / "disk").iterdir()] == [PACK]


def test_progress_is_told_up_to_the_last_document(tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []
    pack_build.build_pack(
        tmp_path / PACK,
        numbered(range(1000)),
        KEY,
        name="main",
        version=1,
        created=CREATED,
        progress=lambda stage, documents: told.append((stage, documents)),
    )
    assert ("taken", 1000) in told
    assert told[-1] == ("sorted", 1000)


def test_a_build_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    pack_into(tmp_path, numbered(range(10)))
    before = (tmp_path / PACK).read_bytes()

    def breaks() -> object:
        yield from numbered(range(5))
        raise OSError("the source is gone")

    with pytest.raises(OSError, match="the source is gone"):
        pack_into(tmp_path, breaks())  # type: ignore[arg-type]
    with pytest.raises(ListError, match="too_often_one_document"):
        pack_into(tmp_path, (entry("X1", reference=f"R-{number}") for number in range(5000)))
    assert (tmp_path / PACK).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [PACK]


def test_a_table_of_kinds_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_build, "MAX_KINDS", 3)
    with pytest.raises(ListError, match="too_many_kinds"):
        pack_into(tmp_path, (entry("X1", reason=f"r{number}") for number in range(4)))
    monkeypatch.setattr(pack_build, "MAX_DOCUMENTS", 3)
    with pytest.raises(ListError, match="too_many_documents"):
        pack_into(tmp_path, numbered(range(4)))


def test_a_kind_of_the_pack_before_keeps_its_place(tmp_path: Path) -> None:
    like = (Kind(type="", grade="silent", reason="other"), Kind(type="P", grade="stop", reason="stolen"))
    assert pack_into(tmp_path, [entry("X1"), entry("X2", "refer")], like=like).header.kinds == (
        *like,
        Kind(type="P", grade="refer", reason="stolen"),
    )


MEASURED = """
import resource, sys
from pathlib import Path
from gated.store import pack_build
from tests.store.packs import KEY, CREATED, entry

def rows(count):
    return (entry(f"A{number:07}") for number in range(count))

def built(count):
    target = Path(sys.argv[1]) / str(count)
    pack_build.build_pack(target, rows(count), KEY, name="main", version=1, created=CREATED)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

pack_build.IN_MEMORY = 1500
few, many = built(2_000), built(160_000)
print(many - few)
"""


def test_the_memory_of_a_build_does_not_grow_with_the_list(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, tmp_path],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert int(done.stdout) < 1500, "KiB; the records alone take 2,343"


def test_steps_of_one_version_to_itself_are_refused(tmp_path: Path) -> None:
    documents = opened(tmp_path, numbered(range(3)))
    step = step_of(documents, [entry("NEW1")], [], version=1, created=CREATED)
    with pytest.raises(ListError, match="backwards"):
        documents.after(step)
