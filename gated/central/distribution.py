"""The commands about what is published: build, sign, publish, withdraw, roll out; groups of gates, new keys.

`build` checks and lays beside, without any key; `sign` adds the signatures of the keys at hand; `publish`
makes it current once the threshold of its role is met. Where the keys are at hand, `publish` with what is to
be published does all three; without, it makes current what was built, or signs for another term what is.
"""

import argparse
import csv
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import msgspec

from gated.central.checks import check_release
from gated.central.folder import CentralError, CentralFolder
from gated.central.intake import BadRow, read_list, read_query
from gated.central.keys import TOP, Quorum, extend
from gated.central.kinds import Released, Signing, read_groups, release, roll_out, set_group, withdraw
from gated.central.progress import Progress
from gated.central.publish import KEEP_DELTAS, Published, publish, withdraw_list
from gated.central.registrations import KEY as REGISTRATION_KEY
from gated.central.repository import Lifetimes, Repository
from gated.central.rotation import Rotated, rotate
from gated.central.signers import load_signers
from gated.central.standings import KIND as STANDINGS
from gated.central.standings import RENEW, Sources, StandingsPublished, publish_standings
from gated.core.values import Value
from gated.watchlist.publication import KINDS, ROLES, USES, Kind, Stage
from gated.watchlist.snapshot import Entry

LIST = "watchlist"
Options = argparse.Namespace


class Adopted(Value):
    """What was built is published; or, with nothing built, what is published was signed again."""

    kind: str
    version: int
    expires: str
    renewed: bool


class Signatures(Value):
    """How many signatures what was built has, and how many it needs."""

    kind: str
    signatures: int
    needed: int


class Extended(Value):
    """The roles that the folder has got; none: it had them all."""

    roles: tuple[str, ...]


class Grouped(Value):
    """The groups of gates. Kinds learn of it when they are published the next time."""

    groups: dict[str, tuple[str, ...]]


def lifetimes(options: Options) -> Lifetimes:
    """The terms of what is signed."""
    return Lifetimes(
        targets_days=options.targets_days,
        kinds_days=options.kinds_days,
        snapshot_days=options.snapshot_days,
        timestamp_hours=options.timestamp_hours,
    )


def quorums(options: Options) -> dict[str, Quorum]:
    """How many keys each role gets, and how many must sign. Raises CentralError."""
    return dict(options.quorum)


def _build(options: Options, folder: CentralFolder) -> Published | Released | StandingsPublished:
    if (result := _published(options, folder, stage=True)) is None:
        raise CentralError("there is nothing to build: name a list, a query, or a kind and its files")
    return result


def _publish(options: Options, folder: CentralFolder) -> Published | Released | StandingsPublished | Adopted:
    return _published(options, folder, stage=False) or _adopt(options, folder)


def _published(
    options: Options, folder: CentralFolder, *, stage: bool
) -> Published | Released | StandingsPublished | None:
    if options.kind == STANDINGS or options.table is not None or options.registrations:
        return _standings(options, folder, stage=stage)
    if options.list is not None or options.query is not None:
        return _list(options, folder, stage=stage)
    if options.file:
        if options.kind in {None, LIST}:
            raise CentralError("--file belongs to a kind: name it with --kind, or give a list with --list")
        kind = cast("Kind", options.kind)
        sources = [_source(kind, each) for each in options.file]
        return release(
            folder,
            kind,
            sources,
            _stages(options, folder),
            _signing(options, stage=stage),
            lambda files: check_release(kind, files),
        )
    return None


def _standings(options: Options, folder: CentralFolder, *, stage: bool) -> StandingsPublished | None:
    if options.kind != STANDINGS:
        raise CentralError("--table and --registrations make standings: add --kind standings")
    if options.file or options.list is not None or options.query is not None:
        raise CentralError("standings are made here: name --table, --registrations, or both")
    if options.table is None and not options.registrations:
        return None
    key = options.registration_key or folder.keys / REGISTRATION_KEY
    sources = Sources(
        table=options.table,
        key=key if options.registrations else None,
        skip_bad=options.skip_bad,
        renew=timedelta(hours=options.renew_hours),
    )
    return publish_standings(folder, sources, _stages(options, folder), _signing(options, stage=stage))


def _list(options: Options, folder: CentralFolder, *, stage: bool) -> Published:
    progress = Progress("reading")
    count = passed_over = 0

    def counted(rows: Iterator[Entry | BadRow]) -> Iterator[Entry | BadRow]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    def passed(_: str) -> None:
        nonlocal passed_over
        passed_over += 1

    if options.query is not None:
        if options.database is None:
            raise CentralError("--query is asked of a database: name it with --database")
        source, rows = Path("query"), read_query(options.database, options.query)
    else:
        source = options.list
        rows = read_list(source, options.entity_grade, lambda share: progress.told(share, count), passed)
        if options.report is not None and options.report.exists() and options.report.samefile(source):
            raise CentralError(f"{options.report}: is the list itself: name another file for the report")
    folder.require()
    with ExitStack() as further:
        further.callback(progress.done)
        if options.report is not None:
            rows = _reported(
                rows, further.enter_context(options.report.open("w", encoding="utf-8", newline=""))
            )
        published = publish(
            folder,
            source,
            datetime.now(UTC),
            name=options.name,
            lifetimes=lifetimes(options),
            keep=options.keep,
            skip_bad=options.skip_bad,
            stage=stage,
            keys=tuple(options.keys),
            rows=counted(rows),
            may_be_empty=options.empty,
        )
    return msgspec.structs.replace(published, passed_over=passed_over)


def _reported(rows: Iterator[Entry | BadRow], report: Any) -> Iterator[Entry | BadRow]:
    """Write every bad row's line, field and fault; never what stands there."""
    writer = csv.writer(report)
    writer.writerow(("line", "field", "expected"))
    for row in rows:
        if isinstance(row, BadRow):
            writer.writerow((row.line, row.field, row.expected))
        yield row


def _adopt(options: Options, folder: CentralFolder) -> Adopted:
    folder.require()
    role, now = options.kind or LIST, datetime.now(UTC)
    with folder.locked():
        repository = Repository(folder, tuple(options.keys))
        built = repository.staged(role) is not None
        if built:
            repository.sign_staged(role)
            repository.publish_staged(role, now, lifetimes(options))
        else:
            repository.renew(role, now, lifetimes(options))
        current = repository.targets(role)
    expires = current.expires.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Adopted(kind=role, version=current.version, expires=expires, renewed=not built)


def _sign(options: Options, folder: CentralFolder) -> Signatures:
    folder.require()
    role = options.kind or LIST
    if not load_signers(folder, role, tuple(options.keys)):
        raise CentralError(f"no key of {role} is here: bring its folder with --keys")
    with folder.locked():
        have, needed = Repository(folder, tuple(options.keys)).sign_staged(role)
    return Signatures(kind=role, signatures=have, needed=needed)


def _withdraw(options: Options, folder: CentralFolder) -> Published | Released:
    if options.kind in {None, LIST}:
        return withdraw_list(folder, datetime.now(UTC), lifetimes(options), tuple(options.keys))
    if options.version is None:
        raise CentralError("which release? name it with --version, as gate-central status shows it")
    return withdraw(folder, options.kind, options.version, _signing(options))


def _rollout(options: Options, folder: CentralFolder) -> Released:
    if options.kind in {None, LIST}:
        raise CentralError("a watchlist is for every gate: name another kind with --kind")
    return roll_out(folder, options.kind, options.version, _stages(options, folder), _signing(options))


def _group(options: Options, folder: CentralFolder) -> Grouped:
    return Grouped(groups=set_group(folder, options.name, options.gate))


def _rotate(options: Options, folder: CentralFolder) -> Rotated:
    now = datetime.now(UTC)
    return rotate(folder, options.role, options.keep_quorum, now, lifetimes(options), tuple(options.keys))


def _extend(options: Options, folder: CentralFolder) -> Extended:
    now = datetime.now(UTC)
    return Extended(roles=extend(folder, now, lifetimes(options), dict(options.quorum), tuple(options.keys)))


def _source(kind: Kind, text: str) -> tuple[str, Path]:
    use, equals, path = text.partition("=")
    if not equals:
        use, path = USES[kind][0], text
        if len(USES[kind]) > 1:
            raise CentralError(f"what is {text} for? write USE=FILE, with one of: {', '.join(USES[kind])}")
    return use, Path(path)


def _stages(options: Options, folder: CentralFolder) -> tuple[Stage, ...]:
    folder.require()
    for unknown in sorted(set(options.group or ()) - set(read_groups(folder))):
        raise CentralError(f"there is no group {unknown}: gate-central group {folder.path} --name {unknown}")
    if options.share == 0:
        return ()
    return tuple(Stage(group=group, share=options.share) for group in options.group or [""])


def _signing(options: Options, *, stage: bool = False) -> Signing:
    return Signing(datetime.now(UTC), lifetimes(options), tuple(options.keys), stage)


def quorum(text: str) -> Quorum:
    """Parse `2/3`: two of three keys must sign."""
    threshold, _, keys = text.partition("/")
    try:
        return Quorum(threshold=int(threshold), keys=int(keys or threshold))
    except ValueError:
        raise argparse.ArgumentTypeError("SIGNATURES/KEYS, such as 2/3") from None


def role_quorum(text: str) -> tuple[str, Quorum]:
    """Parse `root=2/3`."""
    role, _, count = text.partition("=")
    if role not in (*TOP, *ROLES):
        raise argparse.ArgumentTypeError(f"ROLE=SIGNATURES/KEYS, with one of: {', '.join((*TOP, *ROLES))}")
    return role, quorum(count)


def _percent(text: str) -> int:
    return _whole(text, 0, 100, "a percentage, 0 to 100")


def _hours(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 8760:
        raise argparse.ArgumentTypeError("a number of hours, 0 to 8760")
    return value


def _natural(text: str) -> int:
    return _whole(text, 0, 1000, "a whole number from 0 to 1000")


def _release(text: str) -> int:
    return _whole(text, 1, 2**53, "the number of a release, as gate-central status shows it")


def _whole(text: str, least: int, most: int, said: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 16 or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(said)
    return int(text)


def add(command: Callable[..., argparse.ArgumentParser], times: argparse.ArgumentParser) -> None:
    """Put the commands on the command line."""
    keys = argparse.ArgumentParser(add_help=False)
    keys.add_argument(
        "--keys", action="append", default=[], type=Path, metavar="DIR", help="a folder with further keys"
    )
    kind = argparse.ArgumentParser(add_help=False)
    kind.add_argument("--kind", choices=ROLES, help=f"what it is ({LIST})")
    reach = argparse.ArgumentParser(add_help=False)
    reach.add_argument("--group", action="append", metavar="NAME", help="for these gates only")
    reach.add_argument(
        "--share", type=_percent, default=100, metavar="N", help="for so many in a hundred (100)"
    )
    for name, run, text in (
        ("build", _build, "check what is to be published, and lay it beside for signatures"),
        ("publish", _publish, "publish a list, or files of a kind; or what was built; or sign it again"),
    ):
        _add_contents(command(name, run, text, times, keys, kind, reach))
    command("sign", _sign, "sign what was built, with the keys that are here", times, keys, kind)
    withdrawing = command("withdraw", _withdraw, "publish what was good before again", times, keys, kind)
    withdrawing.add_argument(
        "--version", type=_release, metavar="N", help="the release of a kind that was wrong"
    )
    rolling = command("rollout", _rollout, "say anew which gates a release is for", times, keys, kind, reach)
    rolling.add_argument("--version", type=_release, required=True, metavar="N")
    grouping = command("group", _group, "say which gates are in a group")
    grouping.add_argument("--name", required=True)
    grouping.add_argument(
        "--gate", action="append", default=[], metavar="NAME", help="a gate; none: no group"
    )
    rotating = command("rotate", _rotate, "give a role new keys", times, keys)
    extending = command("extend", _extend, "add the kinds that are newer than this folder", times, keys)
    extending.add_argument(
        "--quorum", action="append", default=[], type=role_quorum, metavar="ROLE=M/N", help="as with init"
    )
    rotating.add_argument("--role", required=True, choices=(*TOP, *ROLES))
    rotating.add_argument(
        "--quorum", dest="keep_quorum", type=quorum, metavar="M/N", help="M of N keys must sign (as before)"
    )


def _add_contents(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", type=Path, metavar="FILE", help="a list: .csv or .jsonl")
    what.add_argument("--query", metavar="SQL", help="a list: the rows of this query")
    what.add_argument(
        "--file",
        action="append",
        default=[],
        metavar="[USE=]FILE",
        help=f"a file of a kind ({', '.join(KINDS)}) and, for trust, its use",
    )
    parser.add_argument("--database", metavar="FILE|URL", help="of the query: SQLite, or postgresql://...")
    parser.add_argument("--name", default="main", help="the list's name (main)")
    parser.add_argument("--keep", type=_natural, default=KEEP_DELTAS, metavar="N", help="deltas to keep")
    parser.add_argument("--table", type=Path, metavar="FILE", help="standings: the rows of this table (CSV)")
    parser.add_argument(
        "--registrations", action="store_true", help="standings: who registered at gates, as collected here"
    )
    parser.add_argument(
        "--registration-key",
        type=Path,
        metavar="FILE",
        help=f"what opens them; default: keys/{REGISTRATION_KEY}",
    )
    parser.add_argument(
        "--renew-hours",
        type=_hours,
        default=RENEW.total_seconds() / 3600,
        metavar="N",
        help="publish standings that have not changed when they are so old (6)",
    )
    parser.add_argument("--empty", action="store_true", help="publish the list even if nobody is on it")
    parser.add_argument("--skip-bad", action="store_true", help="go on without the rows that are wrong")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write every wrong row's line there (CSV)"
    )
    parser.add_argument(
        "--entity-grade",
        choices=("silent", "refer", "stop"),
        help="the grade of entities of FollowTheMoney, which have none",
    )
