"""`gatectl watchlist lookup`, and going back, on the files of a gate."""

import argparse
import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gated.central.packs import new_list_key
from gated.commands.answer import Answer, UsageError
from gated.commands.lists_status import watchlist_rollback
from gated.commands.watchlist_lookup import watchlist_lookup
from gated.core.personal import Personal
from gated.core.vocabulary import Grade
from gated.runtime.clock import now_utc
from gated.store.false_hits import FalseHits
from gated.store.list_keys import read_list_key
from gated.watchlist.false_hits import Marking
from gated.watchlist.keyed import ListKeys
from gated.watchlist.match import DocumentClaim
from tests.store.central_stand_in import Central, Gate, document, person
from tests.system.link_rig import GATE_TOML

# The specimen of Doc 9303-4, Appendix A.
ZONE = b"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10\n"


class _Input:
    def __init__(self, raw: bytes) -> None:
        self.buffer = io.BytesIO(raw)


class Desk:
    """A gate's files, a central side, and the command."""

    def __init__(self, folder: Path) -> None:
        self.central = Central(folder / "central")
        self.key = folder / "central" / "keys" / "list.key"
        keys = ListKeys([new_list_key(self.central.folder)])
        self.gate = Gate(folder / "state" / "watchlist", self.central, keys)
        self.config = folder / "gate.toml"
        values = {"requests": 1, "announcements": 2, "server_key": "x" * 40, "key_file": "/k", "timeout_s": 1}
        self.config.write_text(GATE_TOML.format(state=folder / "state", run=folder / "run", **values))

    def publish(self, *rows: str) -> None:
        self.central.publish(*rows)
        self.gate.refresh()

    def ask(self, *keys: Path) -> Answer:
        return watchlist_lookup(argparse.Namespace(config=self.config, key=list(keys)))

    def go_back(self) -> Answer:
        return watchlist_rollback(argparse.Namespace(config=self.config, kind="watchlist"))


Given = Callable[[bytes], None]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    return lambda raw: monkeypatch.setattr(sys, "stdin", _Input(raw))


@pytest.fixture
def desk(tmp_path: Path, given: Given) -> Desk:
    given(ZONE)
    return Desk(tmp_path)


def test_a_document_and_its_holder_are_looked_up_while_the_gate_has_the_list_open(
    desk: Desk, given: Given
) -> None:
    desk.publish(document("L898902C3", "silent"), person("Eriksson", "Anna Maria", "1974-08-XX", "stop"))
    found = desk.ask(desk.key)
    assert not found.good
    assert (found.value.version, found.value.grade) == (1, "stop")
    assert [hit.kind for hit in found.value.hits] == ["document", "person"]
    assert found.text[0] == "version 1: 2 found, stop"
    assert "C-1, birth date not known in full, score 0.99" in found.text[2]
    desk.publish(document("B00001"))
    given(ZONE)
    found = desk.ask(desk.key)
    assert (found.good, found.text) == (True, ("version 2: not listed",))


def test_a_hit_that_is_known_to_be_false_is_told_as_such(desk: Desk, given: Given, tmp_path: Path) -> None:
    desk.publish(person("Eriksson", "Anna Maria", "1974-08-12", "stop"))
    keys = ListKeys([read_list_key(desk.key)])
    marking = Marking(keys)
    hits = FalseHits(tmp_path / "state" / "false_hits.db", marking, 1000)
    document_of_zone = DocumentClaim(number=Personal("L898902C3"), issuer="UTO")
    hits.keep(marking.of(document_of_zone, "C-1"), "officer-7", now_utc())
    found = desk.ask(desk.key)
    assert (found.good, found.value.grade, found.value.hits) == (True, "none", ())
    assert found.text[1].startswith("set aside: person, C-1: false, officer-7, 20")
    desk.publish(person("Eriksson", "Anna Maria", "1974-08-12", "stop"), document("L898902C3", "silent"))
    given(ZONE)
    found = desk.ask(desk.key)
    assert (found.value.grade, found.value.set_aside) == ("stop", ())
    hits.close()


def test_what_cannot_be_asked_is_said_with_the_fix_and_without_the_traveller(
    desk: Desk, given: Given
) -> None:
    with pytest.raises(UsageError, match="no watchlist"):
        desk.ask(desk.key)
    desk.publish(document("L898902C3"))
    given(ZONE)
    with pytest.raises(UsageError, match="does not hold the key"):
        desk.ask()
    given(ZONE)
    with pytest.raises(UsageError, match="carry it over"):
        desk.ask(desk.key.with_name("absent.key"))
    given(b"no zone\n")
    with pytest.raises(UsageError, match="give the lines of one zone"):
        desk.ask(desk.key)


def test_going_back_is_asked_for_and_done_by_the_gate(desk: Desk) -> None:
    desk.publish(document("L898902C3"))
    with pytest.raises(UsageError, match="withdraw the wrong one at the centre"):
        desk.go_back()
    assert not desk.gate.watchlist.go_back_if_asked()
    desk.publish(document("B00001"))
    assert desk.go_back().value == {"kind": "watchlist", "version": 2, "content": 1}
    assert desk.gate.watchlist.go_back_if_asked()
    assert not desk.gate.watchlist.go_back_if_asked(), "once is enough"
    found = desk.ask(desk.key)
    assert (found.value.version, found.value.content, found.value.grade) == (2, 1, Grade.STOP.value)
    assert found.text[0] == "version 2, the content of 1: 1 found, stop"
    with pytest.raises(UsageError, match="no earlier watchlist"):
        desk.go_back()
