"""How fast the shipped rules decide, with their why-trace and their record, on one core."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from gated.document.mrz import parse
from gated.rules import decide, read, tried
from gated.rules.knowledge import Facts
from gated.rules.recording import recorded
from gated.rules.sources import of_lists, of_moment, of_zone
from hw_sim.passport.page import Entry, print_zone
from tests.bench.clocked import median_ms, one_core

PACK: Final = Path(__file__).parents[2] / "config" / "rules" / "agency.toml"
NOW: Final = datetime(2026, 11, 26, 10, tzinfo=UTC)
WANTED: Final = 5_000  # evaluations a second
ROUNDS: Final = 100


def run() -> None:
    """Print evaluations a second: of given facts, and from the zone to the record of a passage."""
    with one_core():
        pack = read(PACK.read_bytes())
        facts = [example.facts for example in pack.examples]
        many = ROUNDS * len(facts)
        alone = many / median_ms(lambda: [decide(pack, each) for each in facts * ROUNDS], runs=7)
        explained = sum(1 for each in facts if all(why.law for why in decide(pack, each).why))
        text = "\r\n".join(print_zone(_traveller(), "TD3")).encode()

        def whole() -> None:
            for _ in range(many):
                mrz = parse(text)
                known = {**of_zone(mrz, NOW.date()), **of_moment(NOW, "departure"), **of_lists(())}
                found = Facts(known)
                decide(pack, found)
                recorded(found, "basic", pack.groups)

        passages = many / median_ms(whole, runs=7)
        print(f"  {len(pack.grounds)} grounds and {len(pack.rules)} rules of {PACK.name}")
        print(f"  {1000 * alone:,.0f} decisions a second with their traces (wanted {WANTED:,})")
        print(f"  {1000 * passages:,.0f} a second from the lines of the page to what goes on record")
        print(f"  {explained} of {len(facts)} decisions explained; {tried(pack).examples} examples come out")


def _traveller() -> Entry:
    return Entry(
        surname="ERIKSSON",
        given_names="ANNA MARIA",
        number="L898902C3",
        birth=date(1974, 8, 12),
        expiry=date(2032, 4, 15),
        sex="F",
    )
