"""What an officer found at one gate holds at the others, by their signature, until it is taken back."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gated.central.cli import main
from gated.central.packs import new_list_key
from gated.central.record_store import Sqlite
from gated.central.repository import Repository
from gated.core import events as ev
from gated.core.vocabulary import Grade
from gated.lanes.false_hits import FalseHitDesk, document_of, person_of
from gated.published_kinds import PublishedKinds, load_published
from gated.store.list_keys import read_list_key
from gated.store.replication import WatchlistUpdater
from gated.watchlist.false_hits import Marking, Shared, Word, parse_shared, signed_text
from gated.watchlist.keyed import ListKey, ListKeys
from gated.watchlist.match import gravest
from gated.watchlist.snapshot import ListError
from tests.lanes.rounds import Posted
from tests.lanes.test_background import page
from tests.store.central_stand_in import Central, Gate, person
from tests.system.link_rig import GATE_TOML

KIM, EVE = (Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32) for seed in (1, 2))
WANTED = person("ERIKSSON", "ANNA MARIA", "1974-08-12", "stop")
MRZ = page()
DAY = 86400.0


def word(
    keys: ListKeys,
    said_at: float,
    *,
    officer: str = "kim",
    signer: Ed25519PrivateKey = KIM,
    withdrawn: bool = False,
) -> ev.FalseHitDecided:
    """An officer's word that the holder of the specimen is not the person of C-1."""
    marks = Marking(keys).of(document_of(MRZ), "C-1")
    text = signed_text("C-1", marks, officer, said_at, withdrawn=withdrawn)
    return ev.FalseHitDecided(
        at=1.0,
        reference="C-1",
        marks=marks,
        officer=officer,
        said_at=said_at,
        signature=signer.sign(text).hex(),
        withdrawn=withdrawn,
    )


class Elsewhere:
    """Another gate, which takes what the centre publishes."""

    def __init__(self, folder: Path, central: Central, keys: ListKeys) -> None:
        folder.mkdir()
        self.folder, self.central, self.keys = folder, central, keys
        self.lists = Gate(folder / "watchlist", central, keys)
        self.open()

    def open(self) -> None:
        folder = self.folder
        values = {"requests": 1, "announcements": 2, "server_key": "x" * 40, "key_file": "/k", "timeout_s": 1}
        path = folder / "gate.toml"
        text = GATE_TOML.format(state=folder, run=folder / "run", **values)
        path.write_text(text.replace('"none"', '"dlib-resnet"').replace("gate-1", "gate-b"))
        loaded, published = load_published(path)
        self.posted = Posted()
        self.desk = FalseHitDesk(folder / "false_hits.db", self.lists.watchlist, 1096, self.posted)
        self.kinds = PublishedKinds(
            path, loaded, published, self.posted, {"false_hits": self.take}, self.keys
        )
        self.take()
        self.lists.updater = WatchlistUpdater(
            self.lists.watchlist, self.central, beside=self.kinds.updater.beside
        )

    def take(self) -> None:
        self.desk.take_shared(self.kinds.false_hits())

    def refresh(self) -> None:
        self.central.now = datetime.now(UTC)
        self.lists.refresh()

    def grade(self) -> tuple[Grade, tuple[ev.SetAside, ...]]:
        hits = self.lists.watchlist.lookup(document=document_of(MRZ), person=person_of(MRZ)).hits
        standing, aside = self.desk.sort(hits, document_of(MRZ))
        return gravest(hit.grade for hit in standing), aside

    def close(self) -> None:
        self.desk.close()
        self.lists.watchlist.close()


class Site:
    """A centre that has collected the journal of gate-a, and gate-b."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.central = Central(folder / "central")
        new_list_key(self.central.folder)
        self.keys = ListKeys([read_list_key(folder / "central" / "keys" / "list.key")])
        self.journals = Sqlite(folder / "central" / "journals.db")
        self.seq = 0
        self.officers = folder / "officers.toml"
        self.officers.write_text(
            f'[[officers]]\nname = "kim"\npublic_key = "{KIM.public_key().public_bytes_raw().hex()}"\n'
        )
        self.b = Elsewhere(folder / "b", self.central, self.keys)
        self.central.publish(WANTED)
        self.b.refresh()
        self.now = datetime.now(UTC).timestamp()

    def collect(self, *events: ev.AnyEvent, gate: str = "gate-a") -> None:
        """Hold these entries of a gate's journal, on the one branch that it has."""
        db = self.journals
        found = db.rows("SELECT id FROM branches WHERE gate = ?", (gate,))
        if not found:
            db.rows(
                "INSERT INTO branches (gate, first, anchor, parent, head, head_hash, last_utc, opened)"
                " VALUES (?, 1, ?, NULL, 0, ?, '', '2026')",
                (gate, bytes(32), bytes(32)),
            )
            found = db.rows("SELECT id FROM branches WHERE gate = ?", (gate,))
        for event in events:
            self.seq += 1
            text = msgspec.json.encode(event).decode()
            db.add_entries([(found[0][0], self.seq, "2026", text, "{}", bytes(32), 1)])
        db.rows("UPDATE branches SET head = ? WHERE id = ?", (self.seq, found[0][0]))

    def publish(self, *more: object) -> dict[str, Any]:
        self.capsys.readouterr()
        words = ["false-hits", self.central.folder.path, "--officers", self.officers, *more, "--json"]
        assert main([str(each) for each in words]) == 0, self.capsys.readouterr().err
        told: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        self.b.refresh()
        return told


@pytest.fixture
def site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Site]:
    one = Site(tmp_path, capsys)
    yield one
    one.b.close()
    one.journals.close()


def test_what_was_found_at_one_gate_holds_at_another_until_it_is_taken_back(site: Site) -> None:
    assert site.b.grade() == (Grade.STOP, ())
    site.collect(ev.DocumentRemoved(at=1.0), word(site.keys, site.now - 2 * DAY))
    told = site.publish()
    assert (told["words"], told["unsigned"], told["version"], told["unchanged"]) == (1, 0, 1, False)
    grade, (aside,) = site.b.grade()
    assert (grade, aside.reference, aside.officer, aside.gate) == (Grade.NONE, "C-1", "kim", "gate-a")
    assert site.publish()["unchanged"]
    site.collect(word(site.keys, site.now - DAY, withdrawn=True))
    told = site.publish()
    assert (told["words"], told["withdrawn"], told["version"]) == (1, 1, 2)
    assert site.b.grade() == (Grade.STOP, ())


def test_a_word_is_believed_by_its_officer_and_by_no_gate(site: Site) -> None:
    good = word(site.keys, site.now - DAY)
    others = (
        word(site.keys, site.now - DAY, signer=EVE),
        word(site.keys, site.now - DAY, officer="eve", signer=EVE),
        word(site.keys, site.now + DAY),  # else it would count for a day too long, and before all others
        replace(good, marks=(good.marks[0][:-1] + ("0" if good.marks[0][-1] != "0" else "1"),)),
        replace(good, reference="C-2"),
        replace(good, said_at=site.now),
    )
    site.collect(*others)
    told = site.publish()
    assert (told["words"], told["unsigned"]) == (0, len({each.signature for each in others}))
    assert site.b.grade()[0] is Grade.STOP


def test_an_old_word_that_is_brought_again_does_not_count(site: Site) -> None:
    old = word(site.keys, site.now - 3 * DAY)
    site.collect(old, word(site.keys, site.now - DAY, withdrawn=True))
    site.publish()
    site.collect(old, gate="gate-c")
    told = site.publish()
    assert (told["words"], told["withdrawn"], told["unchanged"]) == (1, 1, True)
    assert site.b.grade()[0] is Grade.STOP


def test_what_is_taken_back_elsewhere_stays_so_where_the_published_file_is_lost(site: Site) -> None:
    own = word(site.keys, site.now - 2 * DAY)
    assert site.b.desk._store is not None
    at = datetime.fromtimestamp(own.said_at, UTC)
    site.b.desk._store.keep(own.marks, "kim", at)
    assert site.b.grade()[0] is Grade.NONE
    site.collect(word(site.keys, site.now - DAY, withdrawn=True))
    site.publish()
    assert site.b.grade()[0] is Grade.STOP
    for path in (site.b.folder / "published" / "false_hits").rglob("*.json"):
        path.unlink()
    site.b.desk.close()
    site.b.open()
    assert site.b.kinds.false_hits() is None
    assert site.b.grade()[0] is Grade.STOP


def test_hits_stand_where_the_published_file_cannot_be_read(site: Site) -> None:
    site.collect(word(site.keys, site.now - DAY))
    site.publish()
    assert site.b.grade()[0] is Grade.NONE
    path = site.b.kinds.false_hits()
    assert path is not None
    path.write_bytes(b"{}")
    site.b.take()
    assert site.b.grade() == (Grade.STOP, ())


def test_the_published_file_names_neither_document_nor_case(site: Site) -> None:
    site.collect(word(site.keys, site.now - DAY))
    site.publish()
    path = site.b.kinds.false_hits()
    assert path is not None
    raw = path.read_bytes()
    assert b"kim" in raw
    assert b"C-1" not in raw
    assert b"L898902C3" not in raw


def test_words_grow_old(site: Site) -> None:
    site.collect(word(site.keys, site.now - 3 * DAY))
    assert site.publish()["words"] == 1
    assert site.publish("--days", "2")["words"] == 0
    assert site.b.grade()[0] is Grade.STOP


def test_what_does_not_change_is_signed_again_before_its_term_ends(site: Site) -> None:
    site.collect(word(site.keys, site.now - DAY))
    site.publish("--kinds-days", "29")

    def until() -> datetime:
        return Repository(site.central.folder).targets("false_hits").expires

    first = until()
    told = site.publish()
    assert (told["unchanged"], told["renewed"], told["version"]) == (True, True, 1)
    assert until() > first + timedelta(days=300)
    assert not site.publish()["renewed"]
    assert not site.publish("--build")["renewed"], "who signs is not who builds"
    assert site.b.grade()[0] is Grade.NONE


def test_a_quorum_signs_what_was_built(site: Site) -> None:
    site.collect(word(site.keys, site.now - DAY))
    told = site.publish("--build")
    assert (told["staged"], told["version"]) == (True, 1)
    assert site.b.grade()[0] is Grade.STOP
    folder = str(site.central.folder.path)
    assert main(["publish", folder, "--kind", "false_hits"]) == 0
    site.b.refresh()
    assert site.b.grade()[0] is Grade.NONE


@pytest.mark.parametrize("text", ["", "officers = []", '[[officers]]\nname = "kim"\npublic_key = "00"'])
def test_a_file_without_officers_is_told(site: Site, text: str) -> None:
    site.officers.write_text(text)
    words = ["false-hits", str(site.central.folder.path), "--officers", str(site.officers)]
    assert main(words) == 1
    assert "give [[officers]]" in site.capsys.readouterr().err


def test_marks_under_other_keys_are_no_use_and_no_harm(site: Site) -> None:
    site.collect(word(ListKeys([ListKey(bytes(32))]), site.now - DAY))
    assert site.publish()["words"] == 1
    assert site.b.grade()[0] is Grade.STOP


MARK = f"{'0' * 16}:{'1' * 32}"
GOOD = msgspec.json.encode(
    Shared(
        format="egate-false-hits/1",
        words=(Word(marks=(MARK,), gate="gate-a", officer="kim", said_at=1),),
    )
)


@settings(derandomize=True, max_examples=100)
@given(st.data())
def test_a_file_is_taken_whole_or_refused_by_one_error(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(GOOD) - 1))
    raw = GOOD[:at] + data.draw(st.binary(max_size=3)) + GOOD[at + 1 :]
    try:
        parsed = parse_shared(raw)
    except ListError:
        return
    assert isinstance(parsed, Shared)
