"""A number that only the chip tells, at other gates: the centre publishes it, and it answers the question."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from gated.app import _registration
from gated.central.registrations import Holder, make_registration_key
from gated.central.standings import _row
from gated.core import events as ev
from gated.core.personal import Personal
from gated.document.mrz import Mrz
from gated.lanes import registration as registration_lane
from gated.lanes.dossier import Dossiers
from gated.lanes.elsewhere import Elsewhere
from gated.lanes.registration import RegistrationLane
from gated.rule_files import open_standings
from gated.runtime.clock import now_utc
from gated.store.registration_letters import holding_by_chip
from gated.store.registrations import NOT_HELD
from tests.lanes.rounds import BEGAN, NEXT, come_round, leave
from tests.registration.people import PASSAGE
from tests.registration.test_chip_number import BY_CHIP, NUMBER
from tests.registration.test_commands import Given
from tests.registration.test_commands import given as given  # noqa: PLC0414 - a fixture
from tests.registration.test_everywhere import ASKED, AT, MAKE, Gate, Site, table
from tests.registration.test_everywhere import site as site  # noqa: PLC0414 - a fixture
from tests.registration.test_lane import page
from tests.registration.test_template import Eyes

ANEW = page("M000000X1")
ANNA = holding_by_chip(page(), Personal(NUMBER)).reveal()


class Lane:
    """The registration lane of a gate of the site, for a state that numbers its people in the chip."""

    def __init__(self, gate: Gate, portraits: Eyes | None = None) -> None:
        self.gate = gate
        self.dossiers = Dossiers()
        self.standings = open_standings(gate.loaded.config, gate.keys, gate.kinds.standings)
        assert self.standings is not None
        elsewhere = Elsewhere(self.standings, gate.store)
        self.lane = RegistrationLane(
            gate.store, BY_CHIP, self.dossiers, gate.posted, portraits, 0.5, elsewhere
        )

    def come(self, mrz: Mrz, number: str | None = NUMBER) -> list[ev.ConsentAnswered]:
        """Somebody stands before the question; return what was answered for them."""
        self.gate.posted.clear()
        self.dossiers.end(NEXT)
        self.dossiers.begin(NEXT, BEGAN)
        self.dossiers.put_mrz(NEXT, mrz)
        if number is not None:
            self.dossiers.put_personal_number(NEXT, Personal(number))
        self.lane.ask(NEXT)
        come_round(self.lane.lane)
        self.lane.forget(NEXT)
        return self.gate.posted.of(ev.ConsentAnswered)

    def knows(self, mrz: Mrz = ANEW, number: str | None = NUMBER) -> bool:
        answers = self.come(mrz, number)
        assert all(each.given and each.registration for each in answers)
        return bool(answers)


@pytest.fixture
def b(site: Site) -> Iterator[Lane]:
    """Gate B, of which gate A registers Anna by the number of her chip."""
    site.a.register(ANNA)
    site.a.send()
    site.run("publish", *MAKE)
    site.b.refresh()
    one = Lane(site.b)
    yield one
    assert one.standings is not None
    one.standings.close()


def test_who_agreed_at_one_gate_is_not_asked_at_another_with_a_new_passport(site: Site, b: Lane) -> None:
    assert site.b.decides(ANEW) == ASKED, "the zone does not tell"
    (answer,) = b.come(ANEW, "UTO 0042 17")
    (number,) = [each.registration for each in site.a.store.letters(9)]
    assert (answer.passage, answer.given, answer.text) == (NEXT, True, "2026-1")
    assert answer.registration == number


def test_what_is_answered_elsewhere_is_kept_there_alone(site: Site, b: Lane) -> None:
    (answer,) = b.come(ANEW)
    b.lane.register(NEXT)
    b.lane.admitted(NEXT)
    b.dossiers.end(NEXT)
    come_round(b.lane.lane)
    (kept,) = site.b.posted.of(ev.Registered)
    assert (kept.passage, kept.registration, kept.sha256) == (NEXT, answer.registration, NOT_HELD)
    assert not site.b.posted.of(ev.RegistrationLinked)
    assert (site.b.store.count, site.b.store.letters(9)) == (0, ())


@pytest.mark.parametrize(
    ("mrz", "number"),
    [
        (ANEW, None),
        (ANEW, "UTO-0042-18"),
        (page("M000000X1", "740813"), NUMBER),
        (ANEW, "ZE184226B"),  # the number of her zone
    ],
)
def test_whoever_else_comes_is_asked(b: Lane, mrz: Mrz, number: str | None) -> None:
    assert b.knows()
    assert not b.knows(mrz, number)


def test_the_number_of_a_zone_is_never_taken_for_that_of_a_chip(site: Site, b: Lane) -> None:
    site.a.register(replace(ANNA, number="X1", personal="ZE184226B", source="zone"))
    site.a.send()
    site.run("publish", *MAKE)
    site.b.refresh()
    assert not b.knows(ANEW, "ZE184226B")
    assert b.knows()


def test_who_withdrew_is_asked_again_after_the_next_file(site: Site, given: Given, b: Lane) -> None:
    given(page().text.encode())
    site.run("registrations", "withdraw")
    assert b.knows(), "the file of before"
    site.run("publish", *MAKE)
    site.b.refresh()
    assert not b.knows()


def test_the_gate_that_deleted_it_goes_by_no_file_of_before(site: Site, b: Lane) -> None:
    a = Lane(site.a)
    site.a.refresh()
    (number,) = {each.registration for each in site.a.store.letters(9)}
    site.a.store.erase(number, "withdrawn", AT + 1)
    assert (a.knows(), b.knows()) == (False, True)
    assert a.standings is not None
    a.standings.close()


def test_the_register_s_word_goes_before(site: Site, b: Lane) -> None:
    site.run("publish", *MAKE, "--table", table(site, "UTO,L898902C3,yes,,frequent"))
    site.b.refresh()
    assert b.knows()
    for no in ("UTO,L898902C3,no,,", "UTO,L898902C3,yes,no,"):
        site.run("publish", *MAKE, "--table", table(site, no))
        site.b.refresh()
        assert not b.knows(), no


def test_nobody_is_answered_for_by_a_file_that_is_too_old(b: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    assert b.knows()
    later = now_utc() + timedelta(days=30)
    monkeypatch.setattr(registration_lane, "now_utc", lambda: later)
    assert not b.knows()


def test_a_passport_that_is_registered_here_is_not_answered_for_by_another_gate(site: Site, b: Lane) -> None:
    site.b.store.register(replace(ANNA, number="M000000X1", personal=""), "2026-1", PASSAGE, AT)
    assert not b.knows(), "whatever the reason that it is asked again"


def test_where_templates_are_kept_a_number_decides_nothing(site: Site, b: Lane) -> None:
    assert b.knows()
    strict = Lane(site.b, Eyes())
    assert not strict.knows()
    assert strict.standings is not None
    strict.standings.close()


def test_a_file_of_an_earlier_version_tells_of_no_chip_and_one_of_ours_is_read_by_it(
    site: Site, b: Lane
) -> None:
    assert b.knows()
    (path,) = site.b.files()
    database = sqlite3.connect(path)
    with database:
        database.execute("DROP TABLE chip")
    database.close()
    assert not b.knows()
    assert site.b.decides(page()) != ASKED, "the rest of it is known as before"


def test_a_damaged_record_answers_for_nobody(site: Site, b: Lane) -> None:
    (path,) = site.b.files()
    database = sqlite3.connect(path)
    with database:
        database.execute("UPDATE chip SET sealed = zeroblob(140)")
    database.close()
    assert not b.knows()


def test_nothing_of_the_number_can_be_read(site: Site, b: Lane) -> None:
    assert b.knows()
    paths: list[Path] = [*site.published(), *site.b.files()]
    for path in paths:
        raw = path.read_bytes()
        assert not any(word in raw for word in (b"UTO004217", b"0042", b"740812", b"2026-1"))
    for letter in site.a.store.letters(9):
        assert all(letter.registration.encode() not in path.read_bytes() for path in paths)


def test_the_lane_that_gated_builds_knows_of_other_gates(site: Site, b: Lane, tmp_path: Path) -> None:
    key_file = str(site.central.folder.keys / "list.key")
    centre_key = make_registration_key(site.central.folder)
    (tmp_path / "state").mkdir()
    config = replace(
        site.b.loaded.config,
        registration=replace(BY_CHIP, key_file=key_file, centre_key=centre_key),
        paths=replace(site.b.loaded.config.paths, state=str(tmp_path / "state")),
    )
    built = _registration(config, b.dossiers, site.b.posted, Eyes(), 0.5, b.standings)
    assert built is not None
    b.lane = built
    assert b.knows()
    assert not b.knows(number="UTO-0042-18")
    leave(built.lane)


def test_a_link_whose_registration_is_on_its_way_still_tells_of_the_document_alone() -> None:
    row = _row(Holder(ANNA, "a" * 32, None))
    assert (row.standing.registered, row.person, row.by_chip) == (True, None, None)
