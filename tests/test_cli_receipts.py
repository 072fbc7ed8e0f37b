"""`gatectl journal verify` and `status`, where the centre has signed for the journal."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from gated.report import status_text
from gated.store import delivery as say
from gated.store.receipts import CONTRADICTED, RECEIPT, write_receipt
from tests.central.collecting import KEY, change, entries, lived
from tests.gatectl import Run, gatectl
from tests.store.test_pruning import pruned
from tests.test_config import filled
from tests.test_report_text import STATUS


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return gatectl(capsys)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    lived(tmp_path / "journal.db", range(2))
    lived(tmp_path / "journal.db", range(5, 6))
    return tmp_path / "journal.db"


def receipt(journal: Path, name: str = RECEIPT, seq: int = 0, gate: str = "lane-1") -> None:
    """Keep a receipt for an entry, the last one if none is named."""
    rows = entries(journal)
    number, link = rows[seq - 1 if seq else -1]
    at = say.Position(seq=number, hash=bytes.fromhex(link))
    write_receipt(journal.parent / name, say.sign(KEY, 1, gate, at, "2030-01-01"))


def problems(run: Run, *arguments: object) -> list[str]:
    status, out, err = run("journal", "verify", *arguments, "--json")
    assert err == ""
    told: list[str] = json.loads(out)["problems"]
    assert status == (1 if told else 0)
    return told


def test_a_receipt_that_fits_is_told(run: Run, journal: Path) -> None:
    receipt(journal, seq=12)
    status, out, _ = run("journal", "verify", "--file", journal)
    assert status == 0
    assert "the centre has signed for entries up to 12" in out


def test_a_journal_without_its_receipted_end_is_bad_news(run: Run, journal: Path) -> None:
    receipt(journal)
    last = entries(journal)[-1][0]
    change(journal, "DELETE FROM entries WHERE seq > 20", "DELETE FROM passages WHERE ended > 20")
    [told] = problems(run, "--file", journal)
    assert told.startswith(f"entry {last}: the centre signed for it at 2030-01-01, and it is not here")


def test_a_contradiction_stays_bad_news_after_newer_receipts(run: Run, journal: Path, tmp_path: Path) -> None:
    receipt(journal)
    other = tmp_path / "other"
    lived(other / "journal.db", range(30, 36))
    receipt(other / "journal.db")
    (other / RECEIPT).rename(journal.parent / CONTRADICTED)
    assert ["is not here" in told for told in problems(run, "--file", journal)] == [True]


def test_a_receipt_of_nobody_we_know_and_one_that_is_none_are_bad_news(
    run: Run, journal: Path, tmp_path: Path
) -> None:
    config = tmp_path / "gate.toml"
    text = filled().replace('"/var/lib/egate"', f'"{journal.parent}"')
    key = KEY.public_key().public_bytes_raw().hex()
    section = '[journal]\ncollector = "tcp://127.0.0.1:1"\nreceipt_key = "{}"\nkey_file = "k"\n'
    config.write_text(text + section.format(key))
    receipt(journal)
    assert problems(run, "--config", config) == []
    config.write_text(text + section.format("a" * 64))
    [told] = problems(run, "--config", config)
    assert "not signed by the centre" in told
    (journal.parent / RECEIPT).write_text("{}")
    [told] = problems(run, "--config", config)
    assert "cannot be read as a receipt" in told


def test_what_was_removed_counts_only_with_a_receipt(run: Run, journal: Path) -> None:
    receipt(journal)
    removed = pruned(journal, entries(journal)[-1][0])
    status, out, _ = run("journal", "verify", "--file", journal)
    assert status == 0
    assert f"the first {removed} were removed; the centre has them" in out
    (journal.parent / RECEIPT).unlink()
    [told] = problems(run, "--file", journal)
    assert told == f"entry {removed}: was removed, and all before it, without a receipt"


def test_the_status_says_how_far_the_centre_has_it_and_what_is_wrong() -> None:
    told = "\n".join(status_text(replace(STATUS, journal_receipted=7, journal_trouble={"centre_full": "do"})))
    assert "of which the centre has 7" in told
    assert "DELIVERY   centre_full" in told
    assert "the centre has" not in "\n".join(status_text(STATUS))
