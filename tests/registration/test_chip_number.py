"""The number for life from DG11: read where it is asked for, believed where signed, and never guessed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given as assuming
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gated.core import events as ev
from gated.core.checks import Result, overall
from gated.core.personal import Personal
from gated.document.access import Password
from gated.document.reading import ChipFiles, drive, read_passport
from gated.lanes import chip as chip_lane
from gated.lanes.registration import RegistrationLane, numbered_by_chip
from gated.runtime import requests as say
from gated.store.registration_letters import Kind, chip_number, holding_by_chip
from hw_sim.passport import details, issuer
from hw_sim.passport.chip import Behaviour, Chip
from hw_sim.passport.issuer import Passport, issue, with_file
from tests.document.chips import Counted, Slot, zone
from tests.holder import ANNA
from tests.hw_sim.terminal import UTOPIA, passport
from tests.lanes.rounds import NEXT, PASSAGE, Posted, leave
from tests.lanes.test_chip import JPEG
from tests.lanes.test_chip import Bench as ChipBench
from tests.registration.test_lane import SETTINGS, Bench, page

NUMBER = "UTO-0042-17"
BY_CHIP = replace(SETTINGS, numbered=(), numbered_by_chip=("UTO",))


def bearing(number: bytes | None, *, other: dict[int, bytes] | None = None) -> Passport:
    elements = {} if number is None else {0x5F10: number}
    extra = {details.DG11: details.details(details.DG11, elements | (other or {}))}
    return issue(UTOPIA, ANNA, JPEG, protocols=issuer.PACE_AND_BAC, extra=extra)


def read(document: Passport, *also: int, behaviour: Behaviour | None = None) -> tuple[ChipFiles, int]:
    """The files of a chip, and how many commands that took."""
    slot = Slot(document, behaviour)
    commands = read_passport(Password.of_mrz(zone(document)), random=Counted(), also=also)
    return drive(commands, slot.transceive), len(slot.sent)


def test_the_group_is_read_where_it_is_asked_for_and_costs_nothing_elsewhere() -> None:
    document = bearing(NUMBER.encode())
    without, before = read(document)
    with_it, after = read(document, 11)
    assert ("dg11" in without, "dg11" in with_it) == (False, True)
    assert 0 < after - before <= 2
    plain, asked = read(passport(issuer.PACE_AND_BAC, JPEG), 11)
    assert "dg11" not in plain
    assert asked == read(passport(issuer.PACE_AND_BAC, JPEG))[1], "its security object names none"


@pytest.mark.parametrize(
    "behaviour", [Behaviour(), Behaviour(unprotected_errors=True, short_identifiers=False)]
)
def test_a_chip_that_does_not_give_the_group_is_read_all_the_same(behaviour: Behaviour) -> None:
    document = with_file(bearing(NUMBER.encode()), details.DG11, None)
    files, _ = read(document, 11, behaviour=behaviour)
    assert "dg11" not in files
    assert {"sod", "dg1", "dg2"} <= files.files.keys()


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChipBench]:
    monkeypatch.setattr(chip_lane, "AWAIT_CARD_S", 0.1)
    one = ChipBench(Posted(), numbered=True)
    yield one
    leave(one.lane.lane)


def told(reader: ChipBench, document: Passport) -> tuple[Result, str]:
    """What the checks come to, and whose number the chip is taken to tell."""
    reader.read(Chip(document))
    (chip_read,) = reader.posted.of(ev.ChipRead)
    number = reader.dossiers.personal_number(PASSAGE)
    return overall(chip_read.checks), "" if number is None else chip_number(number.reveal())


def test_what_the_state_signed_is_kept(reader: ChipBench) -> None:
    assert told(reader, bearing(NUMBER.encode())) == (Result.SUCCESSFUL, "UTO004217")
    assert NUMBER not in repr(reader.posted)
    reader.dossiers.end(PASSAGE)
    assert reader.dossiers.personal_number(PASSAGE) is None


@pytest.mark.parametrize(
    "number",
    [
        None,
        b"",
        b"4711",
        b"0" * 9,
        b"<<<<<<<<<",
        b"\xff\xfe\xff\xfe\xff",
        b"\x1b[2J12345",
        b"1" * 5000,
        b"12" * 17,
        "ЖУ12345".encode(),
        "straße1".encode(),
        b"12345\n67890",
    ],
)
def test_what_can_be_nobody_s_number_is_none_and_bars_nobody(reader: ChipBench, number: bytes | None) -> None:
    assert told(reader, bearing(number)) == (Result.SUCCESSFUL, "")


def test_two_numbers_are_none(reader: ChipBench) -> None:
    raw = bytearray(details.details(details.DG11, {0x5F10: b"UTO004217", 0x5F12: b"UTO004218"}))
    at = raw.rindex(b"\x5f\x12")
    raw[at : at + 2] = b"\x5f\x10"
    document = issue(UTOPIA, ANNA, JPEG, protocols=issuer.PACE_AND_BAC, extra={details.DG11: bytes(raw)})
    assert told(reader, document) == (Result.SUCCESSFUL, "")


def test_a_number_that_was_changed_is_none_and_the_passport_is_not_genuine(reader: ChipBench) -> None:
    document = bearing(NUMBER.encode())
    forged = details.details(details.DG11, {0x5F10: b"UTO-0042-18"})
    assert told(reader, with_file(document, details.DG11, forged)) == (Result.FAILED, "")


def test_only_nationals_of_named_states_are_asked_for_it() -> None:
    assert numbered_by_chip(BY_CHIP, page())
    assert not numbered_by_chip(BY_CHIP, page(state="FRA"))
    assert not numbered_by_chip(SETTINGS, page())
    assert not numbered_by_chip(None, page())


@settings(derandomize=True, max_examples=200, deadline=None)
@assuming(st.text(max_size=60))
def test_any_text_is_a_number_or_none(text: str) -> None:
    number = chip_number(text)
    assert number == "" or re.fullmatch("[A-Z0-9]{5,32}", number)
    holding_by_chip(page(), Personal(text))


# --- what the lane makes of it ----------------------------------------------------------------------------


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    one = Bench(tmp_path, Posted())
    one.lane = RegistrationLane(one.store, BY_CHIP, one.dossiers, one.posted)
    one.dossiers.put_personal_number(PASSAGE, Personal(NUMBER))
    one.lane.register(PASSAGE)
    one.rounds()
    one.posted.clear()
    yield one
    one.store.close()


def come_anew(bench: Bench, number: str | None = NUMBER, birth: str = "740812") -> None:
    bench.come(NEXT, page("M000000X1", birth))
    if number is not None:
        bench.dossiers.put_personal_number(NEXT, Personal(number))


def test_a_new_passport_takes_the_registration_over_without_a_second_question(bench: Bench) -> None:
    before = bench.lane.of(page())
    assert before is not None
    come_anew(bench, "UTO 0042 17")
    assert bench.lane.of(page("M000000X1")) is None, "the zone does not tell"
    bench.lane.ask(NEXT)
    bench.rounds()
    (answer,) = bench.posted.of(ev.ConsentAnswered)
    assert (answer.passage, answer.given, answer.text) == (NEXT, True, "2026-1")
    assert answer.registration == before.id
    bench.lane.pressed(given=False)
    assert len(bench.posted) == 1, "it is answered"
    bench.lane.register(NEXT)
    bench.lane.admitted(NEXT)
    bench.dossiers.end(NEXT)
    bench.rounds()
    (linked,) = bench.posted.of(ev.RegistrationLinked)
    (kept,) = bench.posted.of(ev.Registered)
    assert (linked.registration, linked.by, kept.registration) == (before.id, "personal_number", before.id)
    assert (bench.lane.of(page()), bench.store.count) == (None, 1)
    found = bench.lane.of(page("M000000X1"))
    assert found is not None
    assert (found.id, found.linked) == (before.id, 1)
    assert [letter.kind for letter in bench.store.letters(9)] == [Kind.REGISTERED, Kind.LINKED]


@pytest.mark.parametrize(
    ("number", "birth"),
    [(None, "740812"), ("UTO-0042-18", "740812"), (NUMBER, "740813"), ("000000000", "740812")],
)
def test_whoever_else_comes_is_asked(bench: Bench, number: str | None, birth: str) -> None:
    come_anew(bench, number, birth)
    bench.lane.ask(NEXT)
    bench.rounds()
    assert bench.posted == []
    bench.lane.pressed(given=True)
    (answer,) = bench.posted.of(ev.ConsentAnswered)
    assert answer.registration is None
    bench.lane.register(NEXT)
    bench.rounds()
    assert bench.store.count == 2


def test_a_traveller_who_is_quicker_answers_for_themselves(bench: Bench) -> None:
    come_anew(bench)
    bench.lane.ask(NEXT)
    bench.lane.pressed(given=False)
    bench.rounds()
    assert [answer.given for answer in bench.posted.of(ev.ConsentAnswered)] == [False]


def test_nobody_is_answered_for_when_the_passage_is_over(bench: Bench) -> None:
    come_anew(bench)
    bench.lane.ask(NEXT)
    bench.lane.forget(NEXT)
    bench.rounds()
    assert bench.posted == []


def test_who_is_let_through_otherwise_is_linked_too(bench: Bench) -> None:
    come_anew(bench)
    bench.lane.admitted(NEXT)
    bench.rounds()
    (linked,) = bench.posted.of(ev.RegistrationLinked)
    assert linked.by == "personal_number"
    assert bench.lane.of(page()) is None


def test_the_number_of_the_zone_is_never_taken_for_that_of_the_chip(bench: Bench) -> None:
    """The worked example tells ZE184226B in its zone."""
    other = page("X000000X1", "740812")
    bench.come("c" * 16, other)
    bench.store.register(
        replace(holding_by_chip(other, None).reveal(), source="zone", personal="UTO004217"),
        "2026-1",
        PASSAGE,
        1,
    )
    come_anew(bench, "ZE184226B")
    bench.lane.ask(NEXT)
    bench.rounds()
    assert bench.posted == []
    come_anew(bench)
    bench.lane.ask(NEXT)
    bench.rounds()
    before = bench.lane.of(page())
    assert before is not None
    assert [answer.registration for answer in bench.posted.of(ev.ConsentAnswered)] == [before.id]


def test_an_officer_s_link_keeps_the_number_for_the_passport_after(bench: Bench) -> None:
    before = bench.lane.of(page())
    assert before is not None
    word = say.LinkRegistration(
        registration=before.id,
        zone=page("M000000X1").text.encode(),
        officer="kim",
        said_at=1.0,
        signature=bytes(64),
    )
    assert bench.lane.answer(word) == say.Done()
    bench.posted.clear()
    bench.come(NEXT, page("N000000X1"))
    bench.dossiers.put_personal_number(NEXT, Personal(NUMBER))
    bench.lane.ask(NEXT)
    bench.rounds()
    assert [answer.registration for answer in bench.posted.of(ev.ConsentAnswered)] == [before.id]


def test_a_withdrawal_by_the_zone_looks_for_the_number_of_the_chip_as_well(
    bench: Bench, tmp_path: Path
) -> None:
    before = bench.lane.of(page())
    assert before is not None
    _, mark = bench.store._marks(bench.store.who(before.id).reveal())
    assert mark in b"".join(path.read_bytes() for path in tmp_path.glob("registrations.db*"))
    (tmp_path / "registrations.db-journal").write_bytes(mark)
    asked = say.AskRegistration(what="withdraw", zone=page().text.encode())
    answer = bench.lane.answer(asked)
    assert isinstance(answer, say.RegistrationTold)
    assert answer.left_behind == 1
    assert mark not in (tmp_path / "registrations.db").read_bytes()
