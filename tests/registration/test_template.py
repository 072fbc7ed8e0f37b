"""Where templates are kept: number and portrait take a registration over together, and none gets out."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from gated.core import events as ev
from gated.core.personal import Personal
from gated.core.portraits import Portrait
from gated.core.rulings import Ruling
from gated.core.settings.travellers import EligibilitySettings
from gated.lanes.eligibility import Eligibility
from gated.lanes.registration import RegistrationLane
from gated.rules.standing import Standing
from gated.rules.standing_rows import Lifelong, StandingRow
from gated.runtime import requests as say
from gated.runtime.messages import PortraitTold
from gated.store.registration_letters import Kind, Linked, Registered, open_letter
from gated.store.registrations import Registrations
from gated.store.standings import Standings, build
from gated.watchlist.keyed import ListKeys
from tests.lanes.rounds import NEXT, PASSAGE, Posted
from tests.registration.people import CENTRE, GATE, KEY
from tests.registration.test_lane import REGISTERED, SETTINGS, Bench, page
from tests.rules.packs import small_pack

NUMBERS, ANEW = b"\x3f\x11\x22\x33" * 32, b"\x3e\x44\x55\x66" * 32
VERSION = "1" * 64
KEEPS = replace(SETTINGS, keeps="template")
THRESHOLD = 0.6


def portrait(numbers: bytes = NUMBERS, version: str = VERSION) -> Portrait:
    return Portrait(embedder="some-embedder", version=version, numbers=numbers)


class Eyes:
    """Notes what the lane asks, and answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Personal[Portrait] | None]] = []

    def ask_portrait(self, passage: str, kept: Personal[Portrait] | None) -> None:
        self.asked.append((passage, kept))


class TemplateBench(Bench):
    """The lane, with somebody registered by passport and portrait."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Posted())
        self.eyes = Eyes()
        self.lane = RegistrationLane(
            self.store, KEEPS, self.dossiers, self.posted, self.eyes, threshold=THRESHOLD
        )

    def asked(self, passage: str, **told: Any) -> None:
        """The question comes; the vision process answers."""
        self.lane.ask(passage)
        self.rounds()
        self.lane.hear(PortraitTold(passage=passage, **told))
        self.rounds()

    def registered(self, **told: Any) -> str:
        self.asked(PASSAGE, **({"portrait": portrait()} | told))
        self.lane.pressed(given=True)
        self.lane.register(PASSAGE)
        self.lane.forget(PASSAGE)
        self.rounds()
        self.posted.clear()
        found = self.lane.of(page())
        assert found is not None
        return found.id


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[TemplateBench]:
    one = TemplateBench(tmp_path)
    yield one
    one.store.close()


def test_number_and_portrait_together_take_the_registration_over(bench: TemplateBench) -> None:
    number = bench.registered()
    assert bench.eyes.asked == [(PASSAGE, None)], "nobody of this number is registered"
    bench.come(NEXT, page("M000000X1"))
    assert bench.lane.of(page("M000000X1")) is None, "the number alone is not enough"
    bench.asked(NEXT, portrait=portrait(ANEW), likeness=THRESHOLD)
    assert bench.eyes.asked[-1] == (NEXT, Personal(portrait()))
    (answer,) = bench.posted.of(ev.ConsentAnswered)
    assert (answer.given, answer.registration) == (True, number)
    bench.lane.register(NEXT)
    bench.lane.admitted(NEXT)
    bench.lane.forget(NEXT)
    bench.rounds()
    (linked,) = bench.posted.of(ev.RegistrationLinked)
    assert (linked.registration, linked.by) == (number, "personal_number")
    assert bench.store.portrait(number) == Personal(portrait(ANEW)), "that of the newer passport is kept"
    assert (bench.store.count, bench.lane.of(page())) == (1, None)


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"portrait": portrait(ANEW), "likeness": THRESHOLD - 0.001}, "portrait_differs"),
        (
            {"portrait": portrait(ANEW, "2" * 64), "reason": "template_of_another_embedder"},
            "template_of_another_embedder",
        ),
        ({"portrait": portrait(ANEW), "reason": "template_unusable"}, "template_unusable"),
        ({"reason": "no_reference"}, "no_reference"),
    ],
)
def test_without_a_portrait_that_matches_the_traveller_is_a_new_one(
    bench: TemplateBench, told: dict[str, Any], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    number = bench.registered()
    bench.come(NEXT, page("M000000X1"))
    bench.asked(NEXT, **told)
    assert bench.posted == []
    assert code in "".join(capsys.readouterr())
    bench.lane.pressed(given=True)
    (answer,) = bench.posted.of(ev.ConsentAnswered)
    assert answer.registration is None
    bench.lane.register(NEXT)
    bench.lane.admitted(NEXT)
    bench.rounds()
    assert bench.posted.of(ev.RegistrationLinked) == []
    (kept,) = bench.posted.of(ev.Registered)
    assert kept.registration != number
    assert bench.store.count == 2


def test_a_registration_without_a_template_is_taken_over_by_nobody(
    bench: TemplateBench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.registered(portrait=None, reason="no_reference")
    bench.come(NEXT, page("M000000X1"))
    bench.asked(NEXT, portrait=portrait(ANEW), likeness=1.0)
    assert bench.eyes.asked[-1] == (NEXT, None)
    assert bench.posted == []
    assert "no_template" in "".join(capsys.readouterr())


def test_an_answer_about_another_passage_or_unasked_is_nobody_s(bench: TemplateBench) -> None:
    bench.registered()
    bench.come(NEXT, page("M000000X1"))
    bench.lane.ask(NEXT)
    bench.rounds()
    bench.lane.hear(PortraitTold(passage="c" * 16, portrait=portrait(), likeness=1.0))
    bench.rounds()
    assert bench.posted == []
    bench.lane.forget(NEXT)
    bench.lane.hear(PortraitTold(passage=NEXT, portrait=portrait(), likeness=1.0))
    bench.rounds()
    assert bench.posted == []


def test_an_officer_links_where_the_portrait_does_not_tell(bench: TemplateBench) -> None:
    number = bench.registered()
    zone = page("M000000X1").text.encode()
    word = say.LinkRegistration(
        registration=number, zone=zone, officer="kim", said_at=1.0, signature=bytes(64)
    )
    assert bench.lane.answer(word) == say.Done()
    assert bench.lane.of(page("M000000X1")) is not None
    assert bench.store.portrait(number) == Personal(portrait())


def test_the_standings_number_alone_does_not_admit_where_templates_are_kept(
    bench: TemplateBench, tmp_path: Path
) -> None:
    path, now = tmp_path / "standings.db", datetime.now(UTC)
    known = Standing(registered=True, consent=True)
    row = StandingRow("UTO", Personal("L898902C3"), known, Personal(Lifelong("ZE184226B", "740812")))
    build([row], path, KEY, 1, now)
    standings = Standings(path, ListKeys([KEY]), 3600.0)
    judge = Eligibility(EligibilitySettings(), small_pack(REGISTERED), standings, registration=bench.lane)
    for number, asked in (("L898902C3", False), ("M000000X1", True)):
        judged = judge.of(page(number), now, ())
        assert (judged.decision.ruling, judged.registration) == (Ruling.ADMIT, asked)
    judge.close()


def test_no_template_is_told_to_anybody_and_it_goes_with_the_registration(
    bench: TemplateBench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number = bench.registered()
    bench.come(NEXT, page("M000000X1"))
    bench.asked(NEXT, portrait=portrait(ANEW), likeness=1.0)
    bench.lane.register(NEXT)
    bench.rounds()
    letters = bench.store.letters(9)
    assert [letter.kind for letter in letters] == [Kind.REGISTERED, Kind.LINKED]
    for letter in letters:
        content = open_letter(letter.sealed, letter.kind, number, GATE, CENTRE)
        assert isinstance(content, Registered | Linked)
        assert not any(numbers in msgspec.msgpack.encode(content) for numbers in (NUMBERS, ANEW))
    kept = bench.store.portrait(number)
    told = repr((bench.posted, kept, portrait(), PortraitTold(passage=NEXT, portrait=portrait())))
    assert repr(NUMBERS[:4])[2:-1] not in told + "".join(capsys.readouterr())
    shown = bench.lane.answer(say.AskRegistration(what="show", zone=page("M000000X1").text.encode()))
    assert isinstance(shown, say.RegistrationTold)
    assert shown.embedder == "some-embedder"
    bench.store.erase(number, "withdrawn", 1)
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("registrations.db*"))
    assert NUMBERS not in raw
    assert ANEW not in raw
    with pytest.raises(Exception, match="registration_unknown"):
        bench.store.portrait(number)


def test_what_was_kept_before_templates_were_is_read_as_ever(tmp_path: Path) -> None:
    one = Bench(tmp_path, Posted())
    one.lane.register(PASSAGE)
    one.rounds()
    found = one.lane.of(page())
    assert found is not None
    assert one.store.portrait(found.id) is None
    one.store.close()
    again = Registrations(tmp_path, KEY, GATE, CENTRE.public_key())
    assert again.portrait(found.id) is None
    again.close()


@pytest.mark.parametrize("numbers", [b"", b"x" * 4097])
def test_a_template_has_a_size(numbers: bytes) -> None:
    raw = msgspec.msgpack.encode({"embedder": "e", "version": VERSION, "numbers": numbers})
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(raw, type=Portrait)
