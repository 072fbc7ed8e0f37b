"""A hit that an officer found to be false counts for nothing, on record; in doubt every hit stands."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from gated.central.packs import new_list_key
from gated.core import effects as do
from gated.core import events as ev
from gated.core.gate import Gate as Heart
from gated.core.policy import Policy
from gated.core.rulings import Ruling
from gated.core.settings.travellers import EligibilitySettings
from gated.core.step import step
from gated.core.vocabulary import Device, Grade
from gated.lanes import false_hits
from gated.lanes.background import BackgroundLane
from gated.lanes.condition import Condition
from gated.lanes.dossier import Dossiers
from gated.lanes.eligibility import Eligibility
from gated.lanes.false_hits import FalseHitDesk, document_of
from gated.rules import read
from gated.runtime import requests as say
from gated.runtime.clock import now_utc
from gated.watchlist.keyed import ListKeys
from tests.lanes.rounds import BEGAN, PASSAGE, Posted, come_round
from tests.lanes.test_background import page
from tests.store.central_stand_in import Central, Gate, document, person

WANTED = person("ERIKSSON", "ANNA MARIA", "1974-08-12", "stop")
NAMESAKE = WANTED.replace("C-1", "C-2").replace("stop", "refer")
ZONE = page().text.encode()
OTHER = ZONE.replace(b"L898902C36", b"M898902C33").replace(b"<<<<<16", b"<<<<<12")
AGENCY = Path(__file__).parents[2] / "config" / "rules" / "agency.toml"


class Bench:
    """A desk over a real list, its words on record and kept as the loop would, and the lane that asks it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.central = Central(folder / "central")
        keys = ListKeys([new_list_key(self.central.folder)])
        self.gate = Gate(folder / "state", self.central, keys)
        self.recorded = Posted()
        policy = Policy(match_threshold=0.5, liveness_threshold=0.5)
        began = ev.GateStarted(at=0.0, utc="2026-11-27T00:00:00Z", policy=policy, hashes={})
        self.heart = step(Heart(policy=policy), began)[0]
        self.keeps = True
        self.clock = 0
        self.desk = FalseHitDesk(folder / "false_hits.db", self.gate.watchlist, 1000, self.post)
        self.dossiers = Dossiers()
        self.lane = BackgroundLane(
            Eligibility(EligibilitySettings(forward="departure"), read(AGENCY.read_bytes())),
            self.gate.watchlist,
            self.dossiers,
            Condition(Device.WATCHLIST, self.recorded),
            self.recorded,
            false_hits=self.desk,
        )

    def post(self, event: ev.AnyEvent) -> None:
        self.recorded(event)
        heart, effects = step(self.heart, event)
        assert heart == self.heart, "an officer's word about a list moves nothing in the lane"
        if self.keeps:
            for effect in effects:
                assert isinstance(effect, do.KeepFalseHit)
                self.lane.keep(effect)
                come_round(self.lane.lane)

    def publish(self, *rows: str) -> None:
        self.central.publish(*rows)
        self.gate.refresh()

    def told(self, zone: bytes = ZONE, *references: str) -> say.FalseHitsTold:
        told = self.desk.answer(say.AskFalseHits(zone=zone, references=references))
        assert isinstance(told, say.FalseHitsTold)
        return told

    def speak(self, reference: str = "C-1", zone: bytes = ZONE, *, withdrawn: bool = False) -> str:
        """Say it by an officer whose signature was good; why it was refused."""
        self.clock += 1
        word = say.DecideFalseHit(
            reference=reference,
            marks=self.told(zone, reference).marks[reference],
            zone=zone,
            officer="kim",
            said_at=now_utc().timestamp() + self.clock / 1000,
            signature=bytes(64),
            withdrawn=withdrawn,
        )
        return self.decide(word)

    def decide(self, word: say.DecideFalseHit) -> str:
        reply = self.desk.answer(word)
        return reply.reason if isinstance(reply, say.Refused) else ""

    def check(self, zone: bytes = ZONE) -> ev.BackgroundChecked:
        self.dossiers.begin(PASSAGE, BEGAN)
        self.dossiers.put_mrz(PASSAGE, false_hits.parse(zone))
        self.lane.check(PASSAGE)
        come_round(self.lane.lane)
        return self.recorded.of(ev.BackgroundChecked)[-1]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    one = Bench(tmp_path)
    yield one
    one.desk.close()
    one.gate.watchlist.close()


def test_a_false_hit_is_set_aside_and_on_record(bench: Bench) -> None:
    bench.publish(WANTED, NAMESAKE)
    assert bench.check().grade is Grade.STOP
    assert bench.speak() == ""
    event = bench.check()
    assert (event.grade, event.hits) == (Grade.REFER, ("C-2",))
    (aside,) = event.set_aside
    assert (aside.reference, aside.officer) == ("C-1", "kim")
    assert bench.speak("C-2") == ""
    event = bench.check()
    assert (event.grade, event.hits, len(event.set_aside)) == (Grade.NONE, (), 2)
    assert {each.reference: each.false_by for each in bench.told().persons} == {"C-1": "kim", "C-2": "kim"}


def test_the_rules_hear_nothing_of_what_is_set_aside(bench: Bench) -> None:
    bench.publish(WANTED.replace("stop", "silent"))
    assert bench.check().ruling is Ruling.STOP, "the agency stops whoever has an exit ban"
    assert bench.speak() == ""
    event = bench.check()
    assert event.ruling is not Ruling.STOP
    assert all(each.reason != "exit_ban" for each in event.why)


def test_the_word_is_on_record_before_it_is_in_force_and_says_nothing_of_the_traveller(bench: Bench) -> None:
    bench.publish(WANTED)
    bench.keeps = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(false_hits, "KEPT_S", 0.02)
        assert bench.speak() == "not_kept"
    (event,) = bench.recorded.of(ev.FalseHitDecided)
    assert (event.reference, event.officer, event.withdrawn) == ("C-1", "kim", False)
    for plain in ("ERIKSSON", "L898902C3", "740812"):
        assert plain not in repr(event)
    assert bench.check().grade is Grade.STOP, "what was not kept lets the hit stand"
    _, effects = step(bench.heart, event)
    assert [type(effect) for effect in effects] == [do.KeepFalseHit], "a replay keeps it again"
    bench.keeps = True
    bench.post(event)
    assert bench.check().grade is Grade.NONE


def test_it_is_taken_back(bench: Bench) -> None:
    bench.publish(WANTED)
    assert bench.speak(withdrawn=True) == "not_known"
    assert bench.speak() == ""
    assert bench.speak(withdrawn=True) == ""
    event = bench.check()
    assert (event.grade, event.set_aside) == (Grade.STOP, ())


def test_another_document_is_looked_at_anew(bench: Bench) -> None:
    bench.publish(WANTED)
    assert bench.speak() == ""
    assert bench.check(OTHER).grade is Grade.STOP


@pytest.mark.parametrize("grade", ["silent", "stop"])
def test_a_listed_document_is_never_silenced_and_vouches_for_nobody(bench: Bench, grade: str) -> None:
    bench.publish(WANTED)
    assert bench.speak() == ""
    bench.publish(WANTED, document("L898902C3", grade))
    event = bench.check()
    assert (event.grade, event.set_aside) == (Grade.STOP, ())
    assert "C-1" in event.hits
    assert len(event.hits) == 2
    assert bench.told().listed
    assert bench.speak() == "document_listed"
    assert bench.speak(withdrawn=True) == "", "to take it back is never too late"


def test_only_a_hit_that_is_there_can_be_false(bench: Bench) -> None:
    bench.publish(WANTED)
    assert bench.speak("C-9") == "no_such_hit"
    assert bench.recorded == []


def test_the_marks_that_were_signed_must_be_of_this_document_and_case(bench: Bench) -> None:
    bench.publish(WANTED)
    word = say.DecideFalseHit(
        reference="C-1",
        marks=bench.told(OTHER, "C-1").marks["C-1"],
        zone=ZONE,
        officer="kim",
        said_at=1.0,
        signature=bytes(64),
    )
    assert bench.decide(word) == "marks_differ"
    assert bench.recorded == []
    assert "ERIKSSON" not in repr(word)
    assert b"ERIKSSON" not in word.signed_text
    changed = (
        replace(word, marks=bench.told(ZONE, "C-1").marks["C-1"]),
        replace(word, reference="C-2"),
        replace(word, withdrawn=True),
        replace(word, officer="eve"),
        replace(word, said_at=2.0),
    )
    assert all(each.signed_text != word.signed_text for each in changed)


def test_hits_stand_where_false_ones_cannot_be_asked(bench: Bench) -> None:
    bench.publish(WANTED)
    assert bench.speak() == ""
    bench.desk.close()
    event = bench.check()
    assert (event.grade, event.hits, event.set_aside) == (Grade.STOP, ("C-1",), ())


def test_hits_stand_where_a_word_could_not_be_kept_until_one_is(bench: Bench) -> None:
    """Else somebody whose false hit was taken back would go on passing."""
    bench.publish(WANTED)
    assert bench.speak() == ""
    assert bench.desk._store is not None
    bench.desk._store._connection.execute("PRAGMA query_only = ON")
    assert bench.speak(withdrawn=True) == "read_only"
    bench.desk._store._connection.execute("PRAGMA query_only = OFF")
    assert bench.check().grade is Grade.STOP
    assert [each.false_by for each in bench.told().persons] == [""]
    assert bench.speak() == ""
    assert bench.check().grade is Grade.NONE


def test_a_file_that_cannot_be_opened_leaves_the_gate_working_and_hits_standing(bench: Bench) -> None:
    bench.publish(WANTED)
    (bench.folder / "broken.db").write_bytes(b"no database" * 1000)
    desk = FalseHitDesk(bench.folder / "broken.db", bench.gate.watchlist, 1000, bench.post)
    refused = desk.answer(say.AskFalseHits(zone=ZONE))
    assert isinstance(refused, say.Refused)
    assert refused.reason == "damaged"
    hits = bench.gate.watchlist.lookup(document=document_of(page()), person=false_hits.person_of(page())).hits
    assert desk.sort(hits, document_of(page())) == (hits, ())


def test_a_gate_without_a_list_key_keeps_none(tmp_path: Path) -> None:
    central = Central(tmp_path / "central")
    gate = Gate(tmp_path / "state", central)
    central.publish(WANTED)
    gate.refresh()
    desk = FalseHitDesk(tmp_path / "false_hits.db", gate.watchlist, 1000, Posted())
    refused = desk.answer(say.AskFalseHits(zone=ZONE))
    assert isinstance(refused, say.Refused)
    assert refused.reason == "no_list_key"
    gate.watchlist.close()


def test_a_word_holds_no_longer_than_the_policy_has_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.publish(WANTED)
    assert bench.speak() == ""
    later = now_utc() + timedelta(days=1001)
    monkeypatch.setattr(false_hits, "now_utc", lambda: later)
    assert bench.check().grade is Grade.STOP


@pytest.mark.parametrize("zone", [b"", b"P<UTO", ZONE[:40]])
def test_what_is_no_zone_is_refused(bench: Bench, zone: bytes) -> None:
    bench.publish(WANTED)
    assert isinstance(bench.desk.answer(say.AskFalseHits(zone=zone)), say.Refused)
