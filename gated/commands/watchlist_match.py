"""Whom a traveller may be: the zone of a document against an index of listed persons, field by field.

It prints cases and codes, no names: what the index holds stays in it.
"""

import argparse
import contextlib
from pathlib import Path

from gated.commands.answer import Answer, UsageError, Words, read_input
from gated.commands.mrz import MAX_INPUT
from gated.core.personal import Personal
from gated.document.mrz import MrzError, parse
from gated.store.list_keys import read_list_key
from gated.store.person_index import LISTED, PersonHit, PersonIndex
from gated.watchlist.keyed import ListKeyError, ListKeys
from gated.watchlist.match import PersonClaim
from gated.watchlist.snapshot import ListError


def add(watchlist: Words) -> None:
    """Put `match` under the word `watchlist`."""
    sub = watchlist.command("match", match)
    sub.add_argument("persons", type=Path, metavar="PERSONS", help="the index of listed persons, persons.db")
    sub.add_argument("--key", type=Path, required=True, metavar="FILE", help="the list key it was made under")
    text = f"the least score of a hit (default {LISTED}); below 0.88 also birth dates with a slip are sought"
    sub.add_argument("--least", type=_share, default=LISTED, metavar="SCORE", help=text)


def match(arguments: argparse.Namespace) -> Answer:
    """Say which listed persons the holder of a document may be: the lines of its zone on standard input."""
    raw = read_input(MAX_INPUT)
    try:
        zone = parse(b"\r\n".join(raw.split()))
        key = read_list_key(arguments.key)
    except (MrzError, ListKeyError) as error:
        raise UsageError(f"{error}: give the lines of one zone, and the key of the index") from error
    claim = PersonClaim(
        surname=Personal(zone.name.primary),
        given=Personal(zone.name.secondary),
        birth=Personal(zone.birth_yymmdd),
        nationality=zone.nationality,
        may_be_cut=zone.name_fills_field,
    )
    try:
        persons = PersonIndex.open(arguments.persons, ListKeys([key]))
    except ListError as error:
        raise UsageError(f"{arguments.persons} was made under another key: give that one") from error
    with contextlib.closing(persons):
        hits = persons.lookup(claim, arguments.least)
    return Answer(value=hits, text=tuple(map(_line, hits)) or ("nobody",), good=not hits, series=True)


def _line(hit: PersonHit) -> str:
    said = "; ".join(f"{field.field} {', '.join(field.how)} {field.weight:+.1f}" for field in hit.fields)
    certain = "" if hit.certain else ", birth date not known in full"
    return f"{hit.reference}: {hit.grade}, {hit.reason}, score {hit.score:.3f}{certain} ({said})"


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("give a number from 0 to 1") from error
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("give a number from 0 to 1")
    return share
