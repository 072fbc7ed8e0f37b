"""A reading that is recorded can be read again, and only as it was."""

import contextlib

import msgspec
import pytest
from hypothesis import given

from gated.core.settings.documents import DocumentSettings
from gated.document.access import Password, PasswordKind
from gated.document.errors import AccessError, DocumentError
from gated.document.reading import SHORT_APDUS, drive, read_passport
from gated.document.reading.transcript import (
    Exchange,
    Recorder,
    Transcript,
    TranscriptError,
    parse_transcript,
    replay,
    told,
)
from hw_sim.passport.chip import Behaviour, NoAnswer
from hw_sim.passport.issuer import Passport, with_another_page
from tests.document.chips import BAC, PACE, Counted, Slot, assert_complete, passport, zone
from tests.document.material import FUZZ, damaged, refused

SETTINGS = DocumentSettings()


def recorded(
    document: Passport, behaviour: Behaviour | None = None, page: Passport | None = None
) -> Transcript:
    slot = Slot(document, behaviour)
    clock = iter(range(100_000))
    recorder = Recorder(slot.transceive, Counted(), lambda: next(clock) / 1000)
    password = Password.of_mrz(zone(page or document))
    historical = slot.chip.atr[4:-1]
    commands = read_passport(
        password, random=recorder.random, settings=SETTINGS, limits=SHORT_APDUS, historical=historical
    )
    with contextlib.suppress(DocumentError, NoAnswer):
        drive(commands, recorder.transceive)
    return recorder.transcript(
        password, version="1", reader="slot", limits=SHORT_APDUS, settings=SETTINGS, historical=historical
    )


def again(transcript: Transcript) -> Transcript:
    return parse_transcript(msgspec.json.encode(transcript))


@pytest.mark.parametrize("document", [passport(BAC), passport(PACE)], ids=["bac", "pace"])
def test_a_recorded_reading_is_read_again(document: Passport) -> None:
    assert_complete(replay(again(recorded(document))), document)


def test_a_reading_that_failed_fails_again() -> None:
    transcript = recorded(passport(PACE), page=with_another_page(passport(PACE), "X12345678"))
    with pytest.raises(AccessError, match="access_denied"):
        replay(again(transcript))


def test_a_chip_that_was_lost_is_lost_again_at_the_same_command() -> None:
    transcript = recorded(passport(PACE), Behaviour(lost_at=12))
    with pytest.raises(TranscriptError, match="transcript_ends") as refusal:
        replay(again(transcript))
    assert refusal.value.number == 12 == len(transcript.exchanges)


def test_another_command_than_was_recorded_is_named() -> None:
    transcript = recorded(passport(PACE))
    exchanges = list(transcript.exchanges)
    exchanges[4] = Exchange(command="00A40000", response="9000")
    changed = msgspec.structs.replace(transcript, exchanges=tuple(exchanges))
    with pytest.raises(TranscriptError, match="transcript_differs") as refusal:
        replay(changed)
    assert refusal.value.number == 5


def test_the_commands_are_told_without_what_is_secret() -> None:
    lines = [(purpose, status) for _, purpose, status in told(recorded(passport(PACE)))]
    assert lines[0] == ("SELECT 011C", "ok")
    assert ("MANAGE SECURITY ENVIRONMENT", "ok") in lines
    assert ("READ BINARY of file 1D (secured)", "ok") in lines
    assert ("READ BINARY at 223 (secured)", "ok") in lines


def test_times_are_in_milliseconds() -> None:
    assert {exchange.ms for exchange in recorded(passport(BAC)).exchanges} == {1.0}


def test_reprs_show_nothing_personal() -> None:
    transcript = recorded(passport(BAC))
    assert repr(transcript) == f"Transcript({len(transcript.exchanges)} exchanges, ‹personal›)"
    assert repr(transcript.exchanges[0]) == "Exchange(‹personal›)"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "transcript_malformed"),
        (b"[]", "transcript_malformed"),
        (b'{"format":"egate-transcript-1"}', "transcript_malformed"),
        (b"[" * 100_000, "transcript_malformed"),
    ],
)
def test_what_is_no_transcript(raw: bytes, code: str) -> None:
    with pytest.raises(TranscriptError, match=code):
        parse_transcript(raw)


@pytest.mark.parametrize(
    ("kind", "password"),
    [(PasswordKind.MRZ, "L898902C36É"), (PasswordKind.CAN, "\u20ac"), (PasswordKind.CAN, "١٢٣٤٥٦")],
)
def test_a_password_that_no_document_has_is_refused(kind: PasswordKind, password: str) -> None:
    """Before it comes to the codecs, whose errors would carry it along."""
    transcript = msgspec.structs.replace(recorded(passport(BAC)), kind=kind, password=password)
    with refused(TranscriptError, "transcript_malformed"):
        again(transcript)


def test_a_transcript_of_a_later_format_is_refused() -> None:
    later = msgspec.structs.replace(recorded(passport(BAC)), format="egate-transcript-9")
    with pytest.raises(TranscriptError, match="transcript_version"):
        again(later)


SAMPLE = msgspec.json.encode(recorded(passport(BAC, b"\xff\xd8\xff" + bytes(300))))


@FUZZ
@given(damaged(SAMPLE))
def test_damaged_transcripts_raise_one_family(raw: bytes) -> None:
    try:
        replay(parse_transcript(raw))
    except DocumentError:
        return
