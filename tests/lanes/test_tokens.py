"""The lanes of tokens, with gate-link's end of the line, and the eyes, in the test's hand."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from gated.core import effects as do
from gated.core import events as ev
from gated.document.mrz import Mrz
from gated.lanes import tokens as module
from gated.lanes.dossier import Dossiers, Template
from gated.lanes.tokens import FIXES, FindingLane, GateTokens, IssuingLane, KioskTokens
from gated.runtime import messages as say
from gated.runtime.bus import Peer
from gated.store.database import StoreError
from gated.store.tokens import MAX_WAITING, TokenStore, Waiting
from gated.tokens import mark
from gated.tokens.token import open_template, seal_template
from tests.lanes.rounds import BEGAN, NEXT, PASSAGE, SOON_S, Posted, come_round, leave, rounds_until
from tests.lanes.test_background import page
from tests.tokens.making import (
    GATE,
    GATE_KEY,
    GOOD,
    KIOSK,
    KIOSK_KEY,
    KIOSKS,
    LASTS_S,
    MODEL,
    NOW,
    TEMPLATE,
    made,
    received,
    token,
)

ANNA, OTHER = page(), page("740813")
ISSUE = do.IssueToken(passage=PASSAGE, checks=GOOD, officer="kim")


class Clock:
    """What the lanes take for the time of day."""

    def __init__(self) -> None:
        self.now = BEGAN

    def __call__(self) -> object:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "now_utc", clock)
    return clock


@pytest.fixture
def link(run: Path) -> Iterator[Peer[say.TokensFromLink]]:
    """gate-link's end of the line."""
    with Peer[say.TokensFromLink](f"ipc://{run}/tokens", say.TokensToLink, bind=False) as peer:
        yield peer


# --- at the kiosk --------------------------------------------------------------------------------------


class Eyes:
    """The vision process: gives out what it is asked for, as soon as the test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.lane: IssuingLane | None = None

    def give_template(self, passage: str, token: str) -> None:
        self.asked.append((passage, token))

    def give(self, passage: str = PASSAGE, name: str | None = None) -> None:
        known = name or self.asked[-1][1]
        sealed = seal_template(TEMPLATE, token(known).bound, GATE_KEY.public_key())
        assert self.lane is not None
        self.lane.hear(
            say.TemplateGiven(
                passage=passage, token=known, embedder=MODEL.name, version=MODEL.version, sealed=sealed
            )
        )


@pytest.fixture
def eyes() -> Eyes:
    return Eyes()


@pytest.fixture
def kiosk(run: Path, eyes: Eyes, dossiers: Dossiers, posted: Posted) -> Iterator[IssuingLane]:
    settings = KioskTokens(KIOSK, KIOSK_KEY, GATE, GATE_KEY.public_key(), LASTS_S)
    eyes.lane = IssuingLane(f"ipc://{run}/tokens", settings, eyes, dossiers, posted)
    dossiers.put_mrz(PASSAGE, ANNA)
    come_round(eyes.lane.lane)
    yield eyes.lane
    leave(eyes.lane.lane)


def passed(
    kiosk: IssuingLane, link: Peer[say.TokensFromLink], wait_s: float = SOON_S
) -> say.PassToken | None:
    """The next token that the kiosk passes to its link."""
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        come_round(kiosk.lane)
        message = link.receive(0.01)
        if isinstance(message, say.PassToken):
            return message
    return None


def test_a_kiosk_makes_a_token_and_says_so_when_the_centre_has_it(
    kiosk: IssuingLane, link: Peer[say.TokensFromLink], eyes: Eyes, posted: Posted
) -> None:
    kiosk.issue(ISSUE)
    come_round(kiosk.lane)
    (asked,) = eyes.asked
    eyes.give()
    sent = passed(kiosk, link)
    assert sent is not None
    assert sent.gate == GATE
    assert posted == [], "not before it is known to have gone"
    link.send(say.TokenPassed(number=sent.number))
    rounds_until(kiosk.lane, lambda: bool(posted))
    (issued,) = posted.of(ev.TokenIssued)
    assert (issued.passage, issued.token) == asked

    came = received(sent.body)
    assert (came.id, came.issued, came.expires) == (issued.token, NOW, NOW + LASTS_S)
    assert (came.outcome(), came.officer) == (GOOD, "kim")
    assert came.is_of(ANNA.text)
    assert open_template(came, GATE_KEY).reveal() == TEMPLATE


def test_a_token_that_does_not_get_through_is_passed_again(
    kiosk: IssuingLane, link: Peer[say.TokensFromLink], eyes: Eyes, posted: Posted
) -> None:
    kiosk.issue(ISSUE)
    come_round(kiosk.lane)
    eyes.give()
    first = passed(kiosk, link)
    assert first is not None
    link.send(say.TokenPassed(number=first.number, reason="no_link"))
    assert passed(kiosk, link) == first
    link.send(say.TokenPassed(number=first.number + 1))
    assert passed(kiosk, link, 1.0) == first, "of another token"
    assert posted == []
    link.send(say.TokenPassed(number=first.number))
    rounds_until(kiosk.lane, lambda: bool(posted))
    assert passed(kiosk, link, 0.8) is None, "it has gone"


def test_the_token_of_a_passage_that_ended_is_not_passed_on(
    kiosk: IssuingLane, link: Peer[say.TokensFromLink], eyes: Eyes, posted: Posted
) -> None:
    kiosk.issue(ISSUE)
    come_round(kiosk.lane)
    kiosk.forget(PASSAGE)
    eyes.give()
    assert passed(kiosk, link, 0.3) is None
    assert posted == []


def test_the_template_of_another_token_makes_none(
    kiosk: IssuingLane, link: Peer[say.TokensFromLink], eyes: Eyes
) -> None:
    kiosk.issue(ISSUE)
    come_round(kiosk.lane)
    eyes.give(NEXT)
    eyes.give(name="f" * 16)
    assert passed(kiosk, link, 0.3) is None


def test_without_a_template_there_is_no_token(
    kiosk: IssuingLane, link: Peer[say.TokensFromLink], eyes: Eyes, posted: Posted
) -> None:
    kiosk.issue(ISSUE)
    come_round(kiosk.lane)
    ((passage, name),) = eyes.asked
    kiosk.hear(say.TemplateNotGiven(passage=passage, token=name, reason="no_reference"))
    assert passed(kiosk, link, 0.3) is None
    assert posted == []


# --- at the gate ---------------------------------------------------------------------------------------


class Gate:
    """A gate's lane of tokens that can be restarted on its disk."""

    def __init__(self, run: Path, dossiers: Dossiers, posted: Posted) -> None:
        self.address = f"ipc://{run}/tokens"
        self.path = run / "tokens.db"
        self.dossiers = dossiers
        self.posted = posted
        self.settings = GateTokens(GATE, GATE_KEY, KIOSKS, LASTS_S, MODEL)
        self.start()

    def start(self) -> None:
        self.store = TokenStore(self.path)
        self.lane = FindingLane(self.address, self.settings, self.store, self.dossiers, self.posted)
        come_round(self.lane.lane)

    def restart(self) -> None:
        leave(self.lane.lane)
        self.start()

    def bring(self, link: Peer[say.TokensFromLink], raw: bytes) -> None:
        """gate-link brings a token; it is told when the gate is done with it."""
        link.send(say.TokenCame(body=raw))
        deadline = time.monotonic() + SOON_S
        while (answer := link.receive(0.01)) is None:
            assert time.monotonic() < deadline
            come_round(self.lane.lane)
        assert answer == say.TokenTaken(mark=mark(raw))

    def found(self, mrz: Mrz = ANNA, passage: str = PASSAGE) -> ev.AnyEvent:
        """Lay this document down, and say what comes of it."""
        self.dossiers.begin(passage, BEGAN)
        self.dossiers.put_mrz(passage, mrz)
        self.posted.clear()
        self.lane.find(passage)
        come_round(self.lane.lane)
        (event,) = self.posted
        return event

    def refused(self, mrz: Mrz = ANNA, passage: str = PASSAGE) -> str:
        event = self.found(mrz, passage)
        assert isinstance(event, ev.TokenRefused)
        assert event.passage == passage
        return event.reason


@pytest.fixture
def gate(run: Path, dossiers: Dossiers, posted: Posted) -> Iterator[Gate]:
    gate = Gate(run, dossiers, posted)
    yield gate
    leave(gate.lane.lane)


def of(mrz: Mrz, name: str = "1" * 16, **of_token: object) -> bytes:
    """A token for this document."""
    return made(token(name, zone=mrz.text, **of_token))  # type: ignore[arg-type]


def test_a_gate_finds_the_token_of_the_document_that_lies_there(
    gate: Gate, link: Peer[say.TokensFromLink], dossiers: Dossiers
) -> None:
    gate.bring(link, of(OTHER, "2" * 16))
    gate.bring(link, of(ANNA))
    found = gate.found()
    assert isinstance(found, ev.TokenFound)
    assert (found.passage, found.token, found.checks) == (PASSAGE, "1" * 16, GOOD)
    template = dossiers.take_template(PASSAGE)
    assert isinstance(template, Template)
    assert (template.embedder, template.version) == (MODEL.name, MODEL.version)
    assert template.numbers.reveal() == TEMPLATE


def test_whoever_has_no_token_goes_to_the_counter(gate: Gate, link: Peer[say.TokensFromLink]) -> None:
    gate.bring(link, of(OTHER))
    assert gate.refused() == "token_missing"


def test_a_token_counts_once_though_the_document_may_be_laid_down_again_before(
    gate: Gate, link: Peer[say.TokensFromLink]
) -> None:
    gate.bring(link, of(ANNA))
    assert isinstance(gate.found(), ev.TokenFound)
    assert isinstance(gate.found(passage=NEXT), ev.TokenFound), "nobody has entered yet"
    assert gate.lane.use(NEXT)
    assert gate.lane.use(NEXT), "the release of the door is renewed"
    assert gate.refused(passage="c" * 16) == "token_used"
    gate.restart()
    assert gate.refused(passage="d" * 16) == "token_missing"


def test_a_crash_after_the_mark_and_before_the_door_refuses(
    gate: Gate, link: Peer[say.TokensFromLink]
) -> None:
    gate.bring(link, of(ANNA))
    gate.found()
    assert gate.store.use([("1" * 16, NOW + LASTS_S)], PASSAGE)  # and then the power goes
    gate.restart()
    assert isinstance(gate.found(passage=NEXT), ev.TokenRefused)


def test_a_passage_that_another_one_has_forestalled_opens_nothing(
    gate: Gate, link: Peer[say.TokensFromLink]
) -> None:
    gate.bring(link, of(ANNA))
    gate.found()
    gate.store.use([("1" * 16, NOW + LASTS_S)], NEXT)
    assert not gate.lane.use(PASSAGE)


def test_a_mark_that_cannot_be_written_opens_nothing(gate: Gate, link: Peer[say.TokensFromLink]) -> None:
    gate.bring(link, of(ANNA))
    gate.found()
    gate.store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError):
        gate.lane.use(PASSAGE)


def test_a_passage_without_a_token_is_no_matter_of_this_lane(gate: Gate) -> None:
    assert gate.lane.use(PASSAGE)


def test_a_replayed_token_is_used_also_after_a_restart(gate: Gate, link: Peer[say.TokensFromLink]) -> None:
    raw = of(ANNA)
    gate.bring(link, raw)
    gate.found()
    gate.lane.use(PASSAGE)
    gate.bring(link, raw)
    assert gate.refused(passage=NEXT) == "token_used"
    gate.restart()
    gate.bring(link, raw)
    assert gate.refused(passage=NEXT) == "token_missing"
    assert gate.store.waiting() == ()


def test_all_tokens_of_a_document_are_used_together(gate: Gate, link: Peer[say.TokensFromLink]) -> None:
    gate.bring(link, of(ANNA))
    gate.bring(link, of(ANNA, "2" * 16, issued=NOW - 60))
    found = gate.found()
    assert isinstance(found, ev.TokenFound)
    assert found.token == "1" * 16, "the newest"
    gate.lane.use(PASSAGE)
    assert gate.refused(passage=NEXT) == "token_used"


def test_whoever_was_at_the_kiosk_again_passes_again(gate: Gate, link: Peer[say.TokensFromLink]) -> None:
    gate.bring(link, of(ANNA))
    gate.found()
    gate.lane.use(PASSAGE)
    gate.bring(link, of(ANNA, "2" * 16, issued=NOW + 30))
    assert isinstance(gate.found(passage=NEXT), ev.TokenFound)


def test_a_second_token_by_the_same_id_does_not_take_the_place_of_the_first(
    gate: Gate, link: Peer[say.TokensFromLink]
) -> None:
    gate.bring(link, of(ANNA))
    gate.bring(link, of(OTHER))
    assert gate.refused(OTHER) == "token_missing"
    assert isinstance(gate.found(), ev.TokenFound)


def test_a_token_expires(gate: Gate, link: Peer[say.TokensFromLink], clock: Clock) -> None:
    gate.bring(link, of(ANNA))
    clock.now = BEGAN + timedelta(seconds=LASTS_S)
    assert gate.refused() == "token_expired"
    gate.bring(link, of(OTHER, "2" * 16))
    assert gate.refused(OTHER) == "token_missing", "it came when it was over"


def test_a_token_from_a_kiosk_whose_clock_is_ahead_does_not_count_yet(
    gate: Gate, link: Peer[say.TokensFromLink], clock: Clock
) -> None:
    gate.bring(link, of(ANNA, issued=NOW + 600))
    assert gate.refused() == "token_not_yet_due"
    clock.now = BEGAN + timedelta(seconds=600)
    assert isinstance(gate.found(), ev.TokenFound)


def test_the_template_of_another_embedder_is_not_compared(
    gate: Gate, link: Peer[say.TokensFromLink], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.bring(link, of(ANNA, model=replace(MODEL, version="1" * 64)))
    gate.bring(link, of(OTHER, "2" * 16, model=replace(MODEL, name="another")))
    told: list[str] = []
    monkeypatch.setattr(module._log, "warning", lambda _, **fields: told.append(fields["code"]))
    assert gate.refused() == "token_of_another_embedder"
    assert gate.refused(OTHER) == "token_of_another_embedder"
    assert told == ["token_of_another_embedder"], "and not once for each traveller"


def test_what_does_not_hold_is_dropped_and_told_by_its_code_alone(
    gate: Gate, link: Peer[say.TokensFromLink], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, object]] = []
    monkeypatch.setattr(module._log, "warning", lambda text, **fields: told.append({"text": text, **fields}))
    wrong = bytearray(of(ANNA))
    wrong[-1] ^= 1
    for raw in (bytes(wrong), b"nonsense", of(ANNA, gate="lane-3"), of(ANNA, kiosk="kiosk-9")):
        gate.bring(link, raw)
    codes = [each["code"] for each in told]
    assert codes == [
        "token_signature_wrong",
        "token_malformed",
        "token_of_another_gate",
        "token_of_unknown_kiosk",
    ]
    assert all(each["fix"] == FIXES[str(each["code"])] for each in told)
    assert set().union(*told) == {"text", "stage", "code", "fix"}
    gate.bring(link, b"nonsense")
    assert len(told) == 4, "not as often as it comes"
    assert gate.refused() == "token_missing"


def test_tokens_that_came_before_a_stop_are_there_after_it(
    gate: Gate, link: Peer[say.TokensFromLink]
) -> None:
    gate.bring(link, of(ANNA))
    gate.restart()
    assert isinstance(gate.found(), ev.TokenFound)


def test_a_kiosk_that_is_no_longer_trusted_is_not_trusted_for_what_waits(
    gate: Gate, link: Peer[say.TokensFromLink]
) -> None:
    gate.bring(link, of(ANNA))
    gate.settings = gate.settings._replace(kiosks={})
    gate.restart()
    assert gate.refused() == "token_missing"


def test_a_gate_that_is_full_takes_no_more(gate: Gate, link: Peer[say.TokensFromLink]) -> None:
    for number in range(MAX_WAITING):
        gate.store.keep(Waiting(f"{number:016x}", NOW + LASTS_S, b"sealed"))
    gate.bring(link, of(ANNA, "f" * 16))
    assert gate.refused() == "token_missing"
