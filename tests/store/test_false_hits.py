"""What an officer said of a hit counts for that document and that case, and shows neither."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gated.core.personal import Personal
from gated.store.database import StoreError
from gated.store.false_hits import FalseHit, FalseHits
from gated.watchlist.keyed import ListKey
from gated.watchlist.match import DocumentClaim

OLD, NEW = ListKey(bytes(32)), ListKey(bytes(range(32)))
AT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def document(number: str = "L898902C3", issuer: str = "UTO") -> DocumentClaim:
    return DocumentClaim(number=Personal(number), issuer=issuer)


def test_a_false_hit_is_known_again_with_who_said_so(tmp_path: Path) -> None:
    hits = FalseHits(tmp_path / "false_hits.db", [NEW])
    hits.remember(document(), "C/1", "officer-7", AT)
    hits.close()
    hits = FalseHits(tmp_path / "false_hits.db", [NEW])
    assert hits.of(document("L898902C3<"), ["C/1", "C/2"]) == (FalseHit("C/1", "officer-7", AT),)
    hits.close()


def test_it_holds_for_that_document_and_that_case_only(tmp_path: Path) -> None:
    hits = FalseHits(tmp_path / "false_hits.db", [NEW])
    hits.remember(document(), "C/1", "officer-7", AT)
    assert hits.of(document("X1234567"), ["C/1"]) == ()
    assert hits.of(document(issuer="D"), ["C/1"]) == ()
    assert hits.of(document(), ["C/11"]) == ()
    hits.close()


def test_a_new_list_key_forgets_nothing_while_the_old_one_is_held(tmp_path: Path) -> None:
    hits = FalseHits(tmp_path / "false_hits.db", [OLD])
    hits.remember(document(), "C/1", "officer-7", AT)
    hits.close()
    hits = FalseHits(tmp_path / "false_hits.db", [NEW, OLD])
    assert [hit.reference for hit in hits.of(document(), ["C/1"])] == ["C/1"]
    assert hits.forget(document(), "C/1")
    assert not hits.forget(document(), "C/1")
    assert hits.of(document(), ["C/1"]) == ()
    hits.close()


def test_the_file_shows_neither_document_nor_case(tmp_path: Path) -> None:
    hits = FalseHits(tmp_path / "false_hits.db", [NEW])
    hits.remember(document(), "CASE/4711", "officer-7", AT)
    hits.close()
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"officer-7" in raw
    for plain in (b"L898902C3", b"CASE/4711"):
        assert plain not in raw


def test_what_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="list key"):
        FalseHits(tmp_path / "false_hits.db", [])
    hits = FalseHits(tmp_path / "false_hits.db", [NEW])
    with pytest.raises(ValueError, match="officer"):
        hits.remember(document(), "C/1", "somebody else\n", AT)
    hits.close()
    with pytest.raises(StoreError):
        hits.of(document(), ["C/1"])
