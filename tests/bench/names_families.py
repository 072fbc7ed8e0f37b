"""Makes `gated/watchlist/names/families.bin` from two packages of the Python package index.

`python -m tests.bench.names_families RIGOUR NICKNAMES` takes the unpacked wheels of rigour 1.7.0 (MIT; its
`persons.txt` is drawn from Wikidata, CC0) and of nicknames 1.0.1 (Apache-2.0). Each line of the first is one
name with its spellings in many scripts; each row of the second a name and a pet form of it. Pet forms of
other languages than English, and abbreviations, stand in `names_pet_forms.txt` beside this file.
"""

import argparse
import csv
import hashlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from gated.watchlist.names.families import NICKNAMES, TABLE, pack
from gated.watchlist.names.words import spellings

FROM_RIGOUR = "rigour/data/names/persons.txt"
FROM_NICKNAMES = "nicknames/names.csv"
OWN = Path(__file__).with_name("names_pet_forms.txt")
TARGET = Path(__file__).parents[2] / "gated" / "watchlist" / "names" / TABLE


def main() -> None:
    """Write the table, and print its size and hash."""
    parser = argparse.ArgumentParser(description="Make the table of names and their spellings.")
    parser.add_argument("rigour", type=Path)
    parser.add_argument("nicknames", type=Path)
    arguments = parser.parse_args()
    members = {
        *variants(arguments.rigour / FROM_RIGOUR),
        *pet_forms(arguments.nicknames / FROM_NICKNAMES, OWN),
    }
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


def pet_forms(*sources: Path) -> Iterator[tuple[str, int]]:
    """A name and a pet form of it, as members of a pair."""
    for number, pair in enumerate(chain.from_iterable(map(_pairs, sources)), start=NICKNAMES):
        yield from ((spelling.upper(), number) for spelling in pair)


def _pairs(source: Path) -> Iterator[tuple[str, str]]:
    with source.open(encoding="utf-8", newline="") as rows:
        if source.suffix == ".csv":
            yield from ((row["name1"], row["name2"]) for row in csv.DictReader(rows))
            return
        for row in rows:
            name, _, forms = row.partition("#")[0].partition(":")
            yield from ((name, form) for form in forms.split())


if __name__ == "__main__":
    main()
