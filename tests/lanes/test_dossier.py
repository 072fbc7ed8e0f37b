"""Dossiers: the one place of personal data, empty again when the passage ends."""

import gc
import weakref
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from gated.core.personal import Personal
from gated.document.mrz import parse
from gated.lanes.dossier import MAX_OPEN, Dossiers
from tests.lanes.rounds import BEGAN, NEXT, PASSAGE

# Doc 9303-4, appendix B
PAGE = parse(b"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10")


def test_what_is_put_in_is_found_by_its_passage_alone(dossiers: Dossiers) -> None:
    assert dossiers.mrz(PASSAGE) is None
    dossiers.put_mrz(PASSAGE, PAGE)
    assert dossiers.mrz(PASSAGE) == (PAGE, BEGAN)
    assert dossiers.mrz(NEXT) is None


def test_a_page_waits_for_the_document_laid_down_last_until_it_is_read(dossiers: Dossiers) -> None:
    page = Personal(b"page")
    assert dossiers.put_page(page)
    dossiers.begin(NEXT, BEGAN)
    assert dossiers.put_page(Personal(b"another"))
    assert dossiers.take_page(PASSAGE) == page
    assert dossiers.take_page(NEXT) == Personal(b"another")
    assert dossiers.take_page(NEXT) is None
    dossiers.put_mrz(NEXT, PAGE)
    assert not dossiers.put_page(page)
    dossiers.end(PASSAGE)
    dossiers.end(NEXT)
    assert not dossiers.put_page(page)
    assert dossiers.take_page(PASSAGE) is None


def test_a_photograph_is_given_out_once(dossiers: Dossiers) -> None:
    dossiers.put_photograph(PASSAGE, Personal(b"image"))
    assert dossiers.take_photograph(PASSAGE) == Personal(b"image")
    assert dossiers.take_photograph(PASSAGE) is None


def test_the_end_of_a_passage_leaves_nothing(dossiers: Dossiers) -> None:
    class Image:
        pass

    image = Image()
    known = weakref.ref(image)
    dossiers.put_photograph(PASSAGE, Personal(image))  # type: ignore[arg-type]  # one that can be watched go
    dossiers.put_mrz(PASSAGE, PAGE)
    del image
    dossiers.end(PASSAGE)
    gc.collect()
    assert known() is None
    assert dossiers.mrz(PASSAGE) is None
    assert not dossiers.is_open(PASSAGE)
    assert dossiers._open == {}
    dossiers.end(PASSAGE)


def test_a_closed_dossier_cannot_be_filled(dossiers: Dossiers) -> None:
    dossiers.end(PASSAGE)
    dossiers.put_mrz(PASSAGE, PAGE)
    dossiers.put_photograph(PASSAGE, Personal(b"image"))
    assert dossiers.mrz(PASSAGE) is None
    assert dossiers.take_photograph(PASSAGE) is None


def test_beginning_again_keeps_what_is_known(dossiers: Dossiers) -> None:
    dossiers.put_mrz(PASSAGE, PAGE)
    dossiers.begin(PASSAGE, BEGAN)
    assert dossiers.mrz(PASSAGE) is not None


def test_of_too_many_the_oldest_goes(dossiers: Dossiers) -> None:
    dossiers.put_mrz(PASSAGE, PAGE)
    for number in range(MAX_OPEN):
        dossiers.begin(f"{number:016x}", BEGAN)
    assert not dossiers.is_open(PASSAGE)
    assert all(dossiers.is_open(f"{number:016x}") for number in range(MAX_OPEN))


def test_nothing_of_it_shows_in_words(dossiers: Dossiers) -> None:
    dossiers.put_mrz(PASSAGE, PAGE)
    dossiers.put_photograph(PASSAGE, Personal(b"image"))
    assert "ERIKSSON" not in f"{dossiers.mrz(PASSAGE)!r}{dossiers._open!r}"


def test_the_day_is_the_gates_own() -> None:
    dossiers = Dossiers(ZoneInfo("Asia/Seoul"))
    dossiers.begin(PASSAGE, datetime(2026, 11, 25, 16, 30, tzinfo=UTC))
    dossiers.put_mrz(PASSAGE, PAGE)
    known = dossiers.mrz(PASSAGE)
    assert known is not None
    assert known[1].date() == date(2026, 11, 26)
