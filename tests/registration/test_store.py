"""The gate's registrations: found by document and by person, sealed, and really gone once deleted."""

import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from gated.store.database import StoreError
from gated.store.registration_letters import (
    Erased,
    Kind,
    Linked,
    Registered,
    open_letter,
    sign_receipt,
)
from gated.store.registrations import NAME, Letter
from tests.registration.people import (
    ANNA,
    ANNA_ANEW,
    BERT,
    CENTRE,
    GATE,
    OTHER_KEY,
    PASSAGE,
    SIGNS,
    opened,
)

AT = 1_800_000_000
UTC = "2026-11-26T22:00:00+00:00"


def read(letter: Letter) -> object:
    return open_letter(letter.sealed, letter.kind, letter.registration, GATE, CENTRE)


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_who_registered_is_found_by_their_document_also_after_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        number, _ = store.register(ANNA, "2026-1", PASSAGE, AT)
    with opened(tmp_path) as store:
        found = store.find(ANNA)
        assert found is not None
        assert (found.id, found.by_person, found.text, found.agreed) == (number, False, "2026-1", AT)
        assert store.find(BERT) is None
        assert store.count == 1


def test_the_disk_shows_neither_document_nor_person(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.register(ANNA, "2026-1", PASSAGE, AT)
        raw = on_disk(tmp_path)
    for told in (ANNA.number, ANNA.personal, ANNA.birth):
        assert told.encode() not in raw


def test_a_new_passport_is_found_by_the_number_for_life_and_then_by_itself(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        number, _ = store.register(ANNA, "2026-1", PASSAGE, AT)
        anew = store.find(ANNA_ANEW)
        assert anew is not None
        assert (anew.id, anew.by_person) == (number, True)
        store.link(number, ANNA_ANEW, "personal_number", AT + 1)
        linked = store.find(ANNA_ANEW)
        assert linked is not None
        assert (linked.by_person, linked.linked, linked.agreed) == (False, 1, AT)
        old = store.find(replace(ANNA, personal=""))
        assert old is None, "the old document leads nowhere any more"


def test_one_number_with_another_date_of_birth_is_another_person(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.register(ANNA, "2026-1", PASSAGE, AT)
        other = replace(ANNA_ANEW, birth="740813")
        assert store.find(other) is None
        store.register(other, "2026-1", PASSAGE, AT)
        found = store.find(replace(ANNA, number="N1"))
        assert found is not None, "the first of them keeps the number"
        assert found.by_person


def test_who_registers_again_keeps_the_registration_with_the_newer_consent(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        first, _ = store.register(ANNA, "2026-1", PASSAGE, AT)
        again, _ = store.register(ANNA, "2027-1", PASSAGE, AT + 9)
        found = store.find(ANNA)
        assert found is not None
        assert (first, "2027-1") == (again, found.text)
        assert store.count == 1


def test_what_is_deleted_is_gone_from_the_bytes_of_the_files_and_the_proof_stays(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for number in range(40):
            store.register(replace(BERT, number=f"B{number:05}"), "2026-1", PASSAGE, AT)
        number, sha256 = store.register(ANNA, "2026-1", PASSAGE, AT)
        assert store.search(ANNA) >= 2, "the search finds what is there"
        erasure = store.erase(number, "withdrawn", AT + 5)
        assert store.search(ANNA) == 0
        assert store.find(ANNA) is None
        assert (erasure.record, store.erasure(number)) == (sha256, erasure)
        assert len(erasure.proof) == 64
        with pytest.raises(StoreError, match="registration_unknown"):
            store.erase(number, "withdrawn", AT + 6)
        assert store.count == 40


def test_a_deletion_without_overwriting_would_be_found(tmp_path: Path) -> None:
    """The search is no formality: a row that is merely deleted stays in the file."""
    with opened(tmp_path) as store:
        store.register(ANNA, "2026-1", PASSAGE, AT)
        plain = sqlite3.connect(tmp_path / NAME, isolation_level=None)
        plain.execute("PRAGMA secure_delete = OFF")
        plain.execute("DELETE FROM mark")
        plain.close()
        assert store.find(ANNA) is None
        assert store.search(ANNA) > 0


def test_letters_wait_for_the_centres_word_and_are_those_of_what_happened(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        number, _ = store.register(ANNA, "2026-1", PASSAGE, AT)
        store.link(number, ANNA_ANEW, "personal_number", AT + 1)
        first, second = store.letters(8)
        assert read(first) == Registered(who=ANNA, text="2026-1", agreed=AT, passage=PASSAGE)
        assert read(second) == Linked(who=ANNA_ANEW, by="personal_number", linked=AT + 1)
        receipt = sign_receipt(SIGNS, GATE, number, first.sealed, UTC)
        assert not store.acknowledge(replace(receipt, utc="2026"), SIGNS.public_key())
        assert store.letters(8) == (first, second)
        assert store.acknowledge(receipt, SIGNS.public_key())
        assert store.acknowledge(receipt, SIGNS.public_key()), "it may come twice"
        assert store.letters(8) == (second,)


def test_a_deletion_takes_unsent_letters_back_and_keeps_the_centres_receipt(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        number, sha256 = store.register(ANNA, "2026-1", PASSAGE, AT)
        store.erase(number, "withdrawn", AT + 5)
        (letter,) = store.letters(8)
        assert letter.kind is Kind.ERASED
        assert read(letter) == Erased(erased=AT + 5, reason="withdrawn", record=sha256)
        receipt = sign_receipt(SIGNS, GATE, number, letter.sealed, UTC)
        store.acknowledge(receipt, SIGNS.public_key())
    with opened(tmp_path) as store:
        erasure = store.erasure(number)
        assert erasure is not None
        assert erasure.receipt == receipt
        assert store.letters(8) == ()


def test_a_file_of_another_key_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.register(ANNA, "2026-1", PASSAGE, AT)
    with pytest.raises(StoreError, match="registrations_of_another_key"), opened(tmp_path, OTHER_KEY):
        pass


def test_a_record_moved_to_another_number_does_not_open(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.register(ANNA, "2026-1", PASSAGE, AT)
        store._do("UPDATE registration SET id = ?", "f" * 32)
        store._do("UPDATE mark SET registration = ?", "f" * 32)
        with pytest.raises(StoreError, match="registrations_of_another_key"):
            store.find(ANNA)
