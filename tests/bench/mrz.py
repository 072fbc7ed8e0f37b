"""How fast zones are parsed and examined: thousands of different ones of every format, on one core."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final, get_args

from gated.document.mrz import examine, parse
from hw_sim.passport.page import Entry, Format, print_zone
from tests.bench.clocked import median_ms, one_core

ZONES: Final = 2000
TODAY: Final = datetime(2026, 11, 26, tzinfo=UTC).date()
WANTED: Final = 20_000  # parses a second


def run() -> None:
    """Print zones a second for each format: parsed, and examined in full."""
    with one_core():
        for form in get_args(Format):
            zones = [print_zone(entry, form) for entry in _entries()]
            messages = ["\r\n".join(lines).encode() for lines in zones]
            parsed = _a_second(lambda given=messages: [parse(message) for message in given])
            examined = _a_second(lambda given=zones: [examine(lines, at=TODAY) for lines in given])
            told = f"{parsed:,.0f} parsed a second (wanted {WANTED:,}), {examined:,.0f} examined in full"
            print(f"  {form}: {told}")


def _a_second(action: Callable[[], object]) -> float:
    return 1000 * ZONES / median_ms(action, runs=7)


def _entries() -> list[Entry]:
    """People who do not exist, the same ones every time."""
    chance = random.Random(3)
    names = ("ERIKSSON", "VAN DER MUELLEN", "NILAVADHANANANDA", "O'CONNOR", "SMITH-JONES", "LO")
    given = ("ANNA MARIA", "CHAYAPA DEJTHAMRONG KRASUANG", "ENYA", "SUSIE MARGARET", "")
    return [
        Entry(
            surname=chance.choice(names),
            given_names=chance.choice(given),
            number=f"{chance.randrange(36**5, 36**6):09}"[-9:],
            birth=date(1930, 1, 1) + timedelta(days=chance.randrange(33_000)),
            expiry=date(2026, 1, 1) + timedelta(days=chance.randrange(3_600)),
            sex=chance.choice(("M", "F", "X")),
        )
        for _ in range(ZONES)
    ]
