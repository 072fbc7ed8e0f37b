"""What an officer said of a hit counts for that document and that case, and shows neither."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.core.personal import Personal
from gated.store import false_hits
from gated.store.database import StoreError
from gated.store.false_hits import FalseHit, FalseHits, false_hits_in
from gated.watchlist.false_hits import Marking, doubtful, signed_text, standing
from gated.watchlist.keyed import ListKey, ListKeys
from gated.watchlist.match import DocumentClaim, Hit

OLD, NEW = ListKey(bytes(32)), ListKey(bytes(range(32)))
AT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
DAYS = 100


def document(number: str = "L898902C3", issuer: str = "UTO") -> DocumentClaim:
    return DocumentClaim(number=Personal(number), issuer=issuer)


class Gate:
    """The file of a gate that holds these keys."""

    def __init__(self, folder: Path, *keys: ListKey) -> None:
        self.path = folder / "false_hits.db"
        self.marking = Marking(ListKeys(keys or (NEW,)))
        self.hits = FalseHits(self.path, self.marking, DAYS)

    def say(self, reference: str = "C/1", at: datetime = AT, *, withdrawn: bool = False) -> None:
        self.hits.keep(self.marking.of(document(), reference), "officer-7", at, withdrawn=withdrawn)

    def known(
        self, claim: DocumentClaim | None = None, *references: str, at: datetime = AT
    ) -> tuple[FalseHit, ...]:
        return self.hits.of(claim or document(), references or ("C/1",), at)


def test_a_false_hit_is_known_again_with_who_said_so(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.say()
    gate.hits.close()
    gate = Gate(tmp_path)
    found = (FalseHit("C/1", "officer-7", AT),)
    assert gate.known(document("L898902C3<"), "C/1", "C/2") == found
    assert false_hits_in(gate.path, gate.marking, DAYS, document(), ["C/1"], AT) == found
    gate.hits.close()


def test_it_holds_for_that_document_and_that_case_only(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.say()
    assert gate.known(document("X1234567")) == ()
    assert gate.known(document(issuer="D")) == ()
    assert gate.known(document(), "C/11") == ()
    gate.hits.close()


def test_a_new_list_key_forgets_nothing_while_the_old_one_is_held(tmp_path: Path) -> None:
    gate = Gate(tmp_path, OLD)
    gate.say()
    gate.hits.close()
    gate = Gate(tmp_path, NEW, OLD)
    assert [hit.reference for hit in gate.known()] == ["C/1"]
    gate.say("C/2", AT + timedelta(hours=1))
    gate.say("C/1", AT + timedelta(hours=1), withdrawn=True)
    assert gate.known() == ()
    gate.hits.close()
    gate = Gate(tmp_path, NEW)
    assert [hit.reference for hit in gate.known(document(), "C/1", "C/2")] == ["C/2"]
    gate.hits.close()
    gate = Gate(tmp_path, ListKey(bytes(range(1, 33))))
    assert gate.known(document(), "C/1", "C/2") == ()
    gate.hits.close()


def test_the_last_word_counts_and_an_older_one_that_comes_later_does_not(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.say(at=AT)
    gate.say(at=AT + timedelta(seconds=5), withdrawn=True)
    gate.say(at=AT + timedelta(seconds=4))
    assert gate.known(at=AT + timedelta(minutes=1)) == ()
    gate.say(at=AT + timedelta(seconds=6))
    assert [hit.at for hit in gate.known(at=AT + timedelta(minutes=1))] == [AT + timedelta(seconds=6)]
    gate.hits.close()


def test_a_word_holds_for_its_days_and_is_then_deleted(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.say()
    end = AT + timedelta(days=DAYS)
    assert gate.known(at=end - timedelta(seconds=1))
    assert gate.known(at=end) == ()
    gate.say("C/2", end + timedelta(seconds=1))
    (left,) = gate.hits._connection.execute("SELECT count(*) FROM false_hit").fetchone()
    assert left == 1
    gate.hits.close()


def test_too_many_are_refused_and_those_before_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(false_hits, "MAX_KEPT", 2)
    gate = Gate(tmp_path)
    for reference in ("C/1", "C/2"):
        gate.say(reference)
    with pytest.raises(StoreError, match="false_hits_full"):
        gate.say("C/3")
    gate.say("C/1", withdrawn=True)
    assert [hit.reference for hit in gate.known(document(), "C/1", "C/2", "C/3")] == ["C/2"]
    gate.hits.close()


def test_the_file_shows_neither_document_nor_case(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.say("CASE/4711")
    gate.hits.close()
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"officer-7" in raw
    for plain in (b"L898902C3", b"CASE/4711"):
        assert plain not in raw


def test_what_cannot_be_kept_or_asked_is_an_error(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    with pytest.raises(ValueError, match="officer"):
        gate.hits.keep(gate.marking.of(document(), "C/1"), "somebody else\n", AT)
    gate.hits.close()
    with pytest.raises(StoreError):
        gate.known()
    with pytest.raises(StoreError):
        gate.say()
    with pytest.raises(StoreError):
        false_hits_in(tmp_path / "absent.db", gate.marking, DAYS, document(), ["C/1"], AT)


# --- which hits can be false ------------------------------------------------------------------------------

PERSON = Hit(kind="person", grade="stop", reason="wanted", reference="C/1")  # type: ignore[arg-type]
SAME_CASE = Hit(kind="document", grade="silent", reason="stolen", reference="C/1")  # type: ignore[arg-type]


def test_a_listed_document_lets_every_hit_stand() -> None:
    assert doubtful((PERSON, PERSON)) == ("C/1",)
    assert doubtful((PERSON, SAME_CASE)) == ()
    assert standing((PERSON, SAME_CASE), {"C/1"}) == (SAME_CASE,)


@given(
    st.lists(st.tuples(st.text("ABC/1", max_size=3), st.booleans()), min_size=2, max_size=2, unique=True),
    st.floats(0, 2e9),
)
def test_no_word_about_one_case_can_be_taken_for_another(
    words: list[tuple[str, bool]], said_at: float
) -> None:
    marks = ("0" * 16 + ":" + "1" * 32,)
    one, other = (signed_text(name, marks, "kim", said_at, withdrawn=taken) for name, taken in words)
    assert one != other
