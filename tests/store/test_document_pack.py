import os
import random
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gated.core.vocabulary import Grade
from gated.store.document_pack import DocumentPack
from gated.store.documents import CHANGES, PACK, Documents
from gated.store.pack_build import pack_changes, step_of
from gated.watchlist.keyed import ListKeys
from gated.watchlist.match import DocumentClaim
from gated.watchlist.pack import IN_BUCKET, MIN_BITS
from gated.watchlist.snapshot import ListError
from tests.store.packs import CREATED, KEY, KEYS, OTHER_KEY, claim, entry, numbered, opened, pack_into

MANY = 60_000  # more buckets than the fewest


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Documents]:
    documents = opened(tmp_path_factory.mktemp("large"), numbered(range(MANY)))
    yield documents
    documents.close()


def test_what_is_listed_is_found_and_nothing_else(large: Documents) -> None:
    assert large.pack.header.bits > MIN_BITS
    for number in range(0, MANY, 97):
        assert [hit.grade for hit in large.hits(claim(f"A{number:06}"))] == [Grade.STOP]
    for number in range(MANY, 2 * MANY, 97):
        assert large.hits(claim(f"A{number:06}")) == ()
    assert large.hits(claim("A000000", issuer="FRA")) == ()


def test_every_document_counts_and_the_whole_pack_passes_its_check(large: Documents) -> None:
    signs: list[int] = []
    large.verify(lambda: signs.append(1))
    assert signs
    assert large.state.documents == MANY
    assert large.pack.header.documents / 2**large.pack.header.bits <= IN_BUCKET


def test_a_hit_tells_grade_reason_and_a_reference_that_only_the_centre_resolves(tmp_path: Path) -> None:
    documents = opened(tmp_path, [entry("L898902C3", "refer", reason="lost", reference="CASE/77")])
    (hit,) = documents.hits(claim("L898902C3<"))
    number = KEY.id + ":" + documents.pack.hashes.reference("CASE/77").hex()
    assert (hit.kind, hit.grade, hit.reason, hit.reference) == ("document", Grade.REFER, "lost", number)


def test_one_document_may_be_listed_for_several_reasons_and_types(tmp_path: Path) -> None:
    documents = opened(
        tmp_path,
        [
            entry("X1", "silent", type_="", reason="watch"),
            entry("X1", "stop", type_="P"),
            entry("X1", "stop", type_="P", reference="R-2"),
            entry("X1", "refer", type_="ID", reason="lost"),
        ],
    )
    assert [hit.reason for hit in documents.hits(claim("X1"))] == ["watch", "stolen", "stolen"]
    assert [hit.reason for hit in documents.hits(claim("X1", kind="ID"))] == ["lost", "watch"]
    assert len(documents.hits(claim("X1", kind="<<"))) == 4


def test_neither_numbers_nor_references_stand_in_the_files(tmp_path: Path) -> None:
    documents = opened(tmp_path, [entry("L898902C3", reference="CASE/77")])
    step = step_of(documents, [entry("QX7654321", reference="CASE/78")], [], version=2, created=CREATED)
    written = (tmp_path / PACK).read_bytes() + documents.after(step)
    for secret in (b"L898902C3", b"QX7654321", b"CASE", KEY.reveal(), KEY.reveal().hex().encode()):
        assert secret not in written


def test_an_empty_list_is_a_list(tmp_path: Path) -> None:
    documents = opened(tmp_path, [])
    documents.verify()
    assert documents.hits(claim("L898902C3")) == ()
    assert documents.state.digest == "0" * 64


def test_a_pack_under_another_key_is_not_asked(tmp_path: Path) -> None:
    pack_into(tmp_path, numbered(range(3)))
    with pytest.raises(ListError, match="unknown_key"):
        DocumentPack.open(tmp_path / PACK, ListKeys([OTHER_KEY]))
    DocumentPack.open(tmp_path / PACK, ListKeys([OTHER_KEY, KEY])).close()


@pytest.mark.parametrize("seed", range(4))
def test_a_byte_that_changed_on_disk_is_found_when_it_is_read_and_never_hides_a_document(
    tmp_path: Path, seed: int
) -> None:
    pack_into(tmp_path, numbered(range(300)))
    whole = (tmp_path / PACK).read_bytes()
    chance = random.Random(seed)
    for _ in range(60):
        at = chance.randrange(len(whole))
        damaged = bytearray(whole)
        damaged[at] ^= 1 << chance.randrange(8)
        (tmp_path / PACK).write_bytes(damaged)
        with pytest.raises(ListError):
            _ask_everything(tmp_path)


def _ask_everything(folder: Path) -> None:
    """Ask for every document; each must be found until the damage is."""
    documents = Documents.open(folder, KEYS)
    try:
        for number in range(300):
            assert documents.hits(claim(f"A{number:06}"))
        documents.verify()
    finally:
        documents.close()


def test_a_pack_that_was_cut_or_grew_is_refused(tmp_path: Path) -> None:
    pack_into(tmp_path, numbered(range(300)))
    whole = (tmp_path / PACK).read_bytes()
    for content in (b"", whole[:5], whole[:12], whole[:200], whole[:-1], whole + b"\0", b"x" * len(whole)):
        (tmp_path / PACK).write_bytes(content)
        with pytest.raises(ListError):
            Documents.open(tmp_path, KEYS)


def test_a_pack_that_is_cut_while_it_is_open_is_an_error_and_no_free_pass(tmp_path: Path) -> None:
    documents = opened(tmp_path, numbered(range(300)))
    os.truncate(tmp_path / PACK, 4000)
    with pytest.raises(ListError, match="truncated"):
        _ask(documents)


def _ask(documents: Documents) -> None:
    for number in range(300):
        documents.hits(claim(f"A{number:06}"))


def test_a_step_adds_and_removes_beside_the_pack(tmp_path: Path) -> None:
    documents = opened(tmp_path, numbered(range(300)))
    step = step_of(documents, [entry("NEW1")], numbered([7]), version=2, created=CREATED)
    (tmp_path / CHANGES).write_bytes(documents.after(step))
    now = Documents.open(tmp_path, KEYS)
    assert (now.state.version, now.state.documents, now.changes) == (2, 300, 2)
    assert now.hits(claim("NEW1"))
    assert now.hits(claim("A000007")) == ()
    assert now.hits(claim("A000008"))
    assert documents.hits(claim("A000007")), "who has the old version open is answered from it"
    back = step_of(now, numbered([7]), [entry("NEW1")], version=3, created=CREATED)
    (tmp_path / CHANGES).write_bytes(now.after(back))
    again = Documents.open(tmp_path, KEYS)
    assert (again.state.version, again.state.digest, again.changes) == (3, documents.state.digest, 0)


def test_a_step_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    documents = opened(tmp_path / "a", numbered(range(300)))
    other = opened(tmp_path / "b", numbered(range(1, 301)))
    step = step_of(other, [entry("NEW1")], numbered([300]), version=2, created=CREATED)
    with pytest.raises(ListError, match="does_not_fit"):
        documents.after(step)
    for came, went in ((numbered([7]), []), ([], numbered([300])), (numbered([8]), numbered([8]))):
        with pytest.raises(ListError, match="does_not_fit"):
            step_of(documents, came, went, version=2, created=CREATED)


def test_changes_of_another_pack_are_refused(tmp_path: Path) -> None:
    documents = opened(tmp_path / "a", numbered(range(300)))
    other = opened(tmp_path / "b", numbered(range(200)))
    step = step_of(other, [entry("NEW1")], [], version=2, created=CREATED)
    (tmp_path / "a" / CHANGES).write_bytes(other.after(step))
    with pytest.raises(ListError, match="does_not_fit"):
        Documents.open(tmp_path / "a", KEYS)
    other_list = pack_into(tmp_path / "c", numbered(range(300)), name="other").header
    assert other_list.digest == documents.state.digest
    stranger = Documents.open(tmp_path / "c", KEYS)
    with pytest.raises(ListError, match="another_list"):
        documents.after(step_of(stranger, [entry("NEW1")], [], version=2, created=CREATED))
    with pytest.raises(ListError, match="another_list"):
        pack_changes(documents.pack, stranger.pack)


def test_lookups_go_on_while_a_pack_is_built_and_renamed_over_the_one_that_is_asked(tmp_path: Path) -> None:
    documents = opened(tmp_path, numbered(range(5000)))
    done = threading.Event()
    answers: set[int] = set()

    def look() -> None:
        while not done.is_set():
            answers.add(len(documents.hits(claim("A000007"))))

    looker = threading.Thread(target=look)
    looker.start()
    try:
        pack_into(tmp_path, numbered(range(1000, 30_000)), 2)
    finally:
        done.set()
        looker.join()
    assert answers == {1}
    now = Documents.open(tmp_path, KEYS)
    assert (now.state.version, now.hits(claim("A000007"))) == (2, ())


def test_closing_twice_is_no_fault_and_a_closed_pack_answers_nothing(tmp_path: Path) -> None:
    documents = opened(tmp_path, numbered(range(3)))
    documents.close()
    documents.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        documents.hits(claim("A000001"))


def test_an_error_shows_nothing_of_the_traveller(tmp_path: Path) -> None:
    documents = opened(tmp_path, numbered(range(300)))
    os.truncate(tmp_path / PACK, 4000)
    asked: DocumentClaim = claim("SECRET777")
    told = ""
    for number in range(300):
        with suppress(ListError):
            documents.hits(claim(f"A{number:06}"))
        try:
            documents.hits(asked)
        except ListError as error:
            told = f"{error!r}{error}"
    assert "SECRET" not in told
