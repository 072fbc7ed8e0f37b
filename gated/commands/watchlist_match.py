"""Whom a traveller may be: the zone of a document against an index of listed persons, field by field.

It prints cases and codes, no names: what the index holds stays in it.
"""

import argparse
import contextlib
from pathlib import Path

import msgspec

from gated.commands import watchlist_false_hit
from gated.commands.answer import Answer, UsageError, Words, configured, read_input
from gated.commands.mrz import MAX_INPUT
from gated.core.personal import Personal
from gated.core.policy import USUAL_HITS
from gated.document.mrz import MrzError, parse
from gated.runtime.clock import now_utc
from gated.store.false_hits import FalseHit, false_hits_in
from gated.store.list_keys import read_list_key
from gated.store.person_index import PersonHit, PersonIndex
from gated.watchlist.false_hits import Marking
from gated.watchlist.keyed import ListKeyError, ListKeys
from gated.watchlist.match import DocumentClaim, PersonClaim
from gated.watchlist.snapshot import ListError


def add(watchlist: Words) -> None:
    """Put `match` and `false-hit` under the word `watchlist`."""
    sub = watchlist.command("match", match)
    sub.add_argument("persons", type=Path, metavar="PERSONS", help="the index of listed persons, persons.db")
    sub.add_argument("--key", type=Path, required=True, metavar="FILE", help="the list key it was made under")
    text = "the least score of a hit (as the policy has it); to 0.88 also birth dates with a slip are sought"
    sub.add_argument("--least", type=_share, metavar="SCORE", help=text)
    text = "false_hits.db of a gate: tell which hits an officer found to be none"
    sub.add_argument("--false-hits", type=Path, metavar="FILE", help=text)
    watchlist_false_hit.add(watchlist)


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
    config = configured(arguments)
    policy = config.policy.person_hits if config is not None else USUAL_HITS
    with contextlib.closing(persons):
        hits = persons.lookup(claim, policy.least if arguments.least is None else arguments.least)
    if arguments.least is None:
        hits = tuple(hit for hit in hits if policy.are_reached(hit.grade, hit.score))
    false = {}
    if arguments.false_hits is not None:
        document = DocumentClaim(number=Personal(zone.document_number), issuer=zone.issuer)
        cases = [hit.reference for hit in hits]
        marking, days = Marking(ListKeys([key])), policy.false_hit_days
        known = false_hits_in(arguments.false_hits, marking, days, document, cases, now_utc())
        false = {each.reference: each for each in known}
    matched = tuple(_matched(hit, false.get(hit.reference)) for hit in hits)
    stand = [hit for hit in matched if not hit.false_by]
    return Answer(value=matched, text=tuple(map(_line, matched)) or ("nobody",), good=not stand, series=True)


class Matched(PersonHit):
    """A listed person who fits; `false_by` is the officer who found that the holder is another, and when."""

    false_by: str = ""
    false_at: str = ""


def _matched(hit: PersonHit, false: FalseHit | None) -> Matched:
    fields = msgspec.structs.asdict(hit)
    if false is not None:
        fields |= {"false_by": false.officer, "false_at": false.at.date().isoformat()}
    return Matched(**fields)


def _line(hit: Matched) -> str:
    said = "; ".join(f"{field.field} {', '.join(field.how)} {field.weight:+.1f}" for field in hit.fields)
    certain = "" if hit.certain else ", birth date not known in full"
    false = f"; false: {hit.false_by}, {hit.false_at}" if hit.false_by else ""
    return f"{hit.reference}: {hit.grade}, {hit.reason}, score {hit.score:.3f}{certain} ({said}){false}"


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("give a number from 0 to 1") from error
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("give a number from 0 to 1")
    return share
