"""`gatectl watchlist lookup`: what the gate's list says of a document and its holder.

It reads the files of the gate, so it answers also while `gated` is down, and changes nothing. The traveller's
lines come on standard input, never on the command line, which everybody on the machine may read.
"""

import argparse
from contextlib import closing
from pathlib import Path

from gated.commands.answer import Answer, UsageError, Words, read_input
from gated.commands.mrz import MAX_INPUT
from gated.config import load
from gated.core.personal import Personal
from gated.core.policy import PersonHits
from gated.core.values import Value
from gated.document.mrz import Mrz, MrzError, parse
from gated.runtime.clock import now_utc
from gated.store.false_hits import FalseHit, false_hits_in, read_shared
from gated.store.list_keys import read_list_keys
from gated.store.list_version import UNREADABLE
from gated.store.published import Published
from gated.store.watchlist import WatchlistError, held
from gated.watchlist.false_hits import Marking, doubtful, standing
from gated.watchlist.keyed import ListKeyError, ListKeys
from gated.watchlist.match import Answer as Found
from gated.watchlist.match import DocumentClaim, Hit, PersonClaim


class SetAside(Value):
    """A case that fits and is known not to be the holder's: by whose word, and of which day."""

    reference: str
    officer: str
    on: str


class Looked(Value):
    """What was found. `content` is the version that the list was published as, if it was gone back to.

    `set_aside` are hits that count for nothing: an officer found that the holder is another.
    """

    version: int
    content: int
    grade: str
    hits: tuple[Hit, ...]
    set_aside: tuple[SetAside, ...] = ()


def add(words: Words) -> None:
    """Put the command on the command line."""
    command = words.command("lookup", watchlist_lookup)
    text = "a list key, in place of those that the configuration names; may be given again"
    command.add_argument("--key", type=Path, action="append", default=[], metavar="FILE", help=text)


def watchlist_lookup(arguments: argparse.Namespace) -> Answer:
    """Ask the list in force for a document and its holder: the lines of the zone on standard input."""
    config = load(arguments.config).config
    try:
        zone = parse(b"\r\n".join(read_input(MAX_INPUT).split()))
        keys = read_list_keys(arguments.key or map(Path, config.watchlist.keys))
        now, watchlist = held(Path(config.paths.state) / "watchlist", keys)
    except MrzError as error:
        raise UsageError(f"{error}: give the lines of one zone") from error
    except (ListKeyError, WatchlistError) as error:
        raise UsageError(str(error)) from error
    document, person = _claims(zone)
    policy = config.policy.person_hits
    with closing(watchlist):
        try:
            hits = watchlist.lookup(document, person, policy)
        except UNREADABLE as error:
            raise UsageError("the watchlist cannot be read: check the disk, and who may read it") from error
    known = _known_false(Path(config.paths.state), keys, policy, document, doubtful(hits))
    hits = standing(hits, {each.reference for each in known})
    found = Looked(
        version=now.version,
        content=now.content,
        grade=Found(version=now.version, hits=hits).grade.value,
        hits=hits,
        set_aside=tuple(
            SetAside(
                reference=each.reference,
                officer=f"{each.officer} at {each.gate}" if each.gate else each.officer,
                on=each.at.date().isoformat(),
            )
            for each in known
        ),
    )
    aside = (
        f"set aside: person, {each.reference}: false, {each.officer}, {each.on}" for each in found.set_aside
    )
    return Answer(value=found, text=(_head(found), *map(_line, hits), *aside), good=not hits)


def _known_false(
    state: Path, keys: ListKeys, policy: PersonHits, document: DocumentClaim, cases: tuple[str, ...]
) -> tuple[FalseHit, ...]:
    """What officers found at this gate and at others. Raises StoreError."""
    path, marking = state / "false_hits.db", Marking(keys)
    if not cases or not path.exists():
        return ()
    (published,) = Published(state / "published").files("false_hits")["false_hits"] or (None,)
    shared = read_shared(published, marking) if published is not None else {}
    return false_hits_in(path, marking, policy.false_hit_days, document, cases, now_utc(), shared)


def _claims(zone: Mrz) -> tuple[DocumentClaim, PersonClaim]:
    document = DocumentClaim(
        number=Personal(zone.document_number), issuer=zone.issuer, type=zone.document_type
    )
    person = PersonClaim(
        surname=Personal(zone.surname),
        given=Personal(zone.given_names),
        birth=Personal(zone.birth_yymmdd),
        nationality=zone.nationality,
        may_be_cut=zone.name_fills_field,
    )
    return document, person


def _head(found: Looked) -> str:
    behind = f", the content of {found.content}" if found.content != found.version else ""
    said = f"{len(found.hits)} found, {found.grade}" if found.hits else "not listed"
    return f"version {found.version}{behind}: {said}"


def _line(hit: Hit) -> str:
    certain = "" if hit.certain else ", birth date not known in full"
    why = f", score {hit.score:.3f} ({'; '.join(hit.why)})" if hit.why else ""
    return f"{hit.kind}: {hit.grade.value}, {hit.reason}, {hit.reference}{certain}{why}"
