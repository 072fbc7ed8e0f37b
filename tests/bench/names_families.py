"""Makes `gated/watchlist/names/families.bin` from two packages of the Python package index.

`python -m tests.bench.names_families RIGOUR NICKNAMES` takes the unpacked wheels of rigour 1.7.0 (MIT; its
`persons.txt` is drawn from Wikidata, CC0) and of nicknames 1.0.1 (Apache-2.0). Each line of the first is one
name with its spellings in many scripts; each row of the second a name and a pet form of it.
"""

import argparse
import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

from gated.watchlist.names.families import NICKNAMES, TABLE, pack
from gated.watchlist.names.words import spellings

FROM_RIGOUR = "rigour/data/names/persons.txt"
FROM_NICKNAMES = "nicknames/names.csv"
TARGET = Path(__file__).parents[2] / "gated" / "watchlist" / "names" / TABLE


def main() -> None:
    """Write the table, and print its size and hash."""
    parser = argparse.ArgumentParser(description="Make the table of names and their spellings.")
    parser.add_argument("rigour", type=Path)
    parser.add_argument("nicknames", type=Path)
    arguments = parser.parse_args()
    members = {*variants(arguments.rigour / FROM_RIGOUR), *pet_forms(arguments.nicknames / FROM_NICKNAMES)}
    TARGET.write_bytes(table := pack(members))
    print(f"{len(members):,} spellings, {len(table):,} bytes, SHA-256 {hashlib.sha256(table).hexdigest()}")


def families(source: Path) -> Iterator[set[str]]:
    """The spellings of each name in zone letters, words joined; the likeliest form of each."""
    with source.open(encoding="utf-8") as lines:
        for line in lines:
            written, _, _ = line.rpartition(" => ")
            yield {joined for spelling in written.split(", ") if len(joined := zone_form(spelling)) > 1}


def zone_form(spelling: str) -> str:
    """A spelling in zone letters, its words joined."""
    return "".join(forms[0] for word in spelling.split() if (forms := spellings(word)))


def variants(source: Path) -> Iterator[tuple[str, int]]:
    """Each spelling and the number of its name."""
    for number, family in enumerate(families(source)):
        yield from ((spelling, number) for spelling in family)


def pet_forms(source: Path) -> Iterator[tuple[str, int]]:
    """A name and a pet form of it, as members of a pair."""
    with source.open(encoding="utf-8", newline="") as rows:
        for number, row in enumerate(csv.DictReader(rows), start=NICKNAMES):
            yield row["name1"].upper(), number
            yield row["name2"].upper(), number


if __name__ == "__main__":
    main()
