"""`gate-central`: the reference central server's commands. They return values; `main` alone prints."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from gated import logs
from gated.central import (
    collect_command,
    distribution,
    false_hits_command,
    journal_key_command,
    registrations_command,
    status,
)
from gated.central.distribution import lifetimes, quorums, role_quorum
from gated.central.folder import CentralError, CentralFolder
from gated.central.intake import BadRow, read_list
from gated.central.keys import (
    Handout,
    admit_gate,
    initialise,
    revoke_gate,
    server_pair,
)
from gated.central.packs import all_keys, new_list_key, resolve
from gated.central.proxy import ProxySettings, stand_between
from gated.central.publish import BadRows
from gated.central.repository import Lifetimes, newest_root
from gated.central.serve import ServeSettings, serve
from gated.central.wire import KeyFileError, read_key_file
from gated.core.values import Value
from gated.tokens.keys import TokenKeyError, make_key
from gated.watchlist.snapshot import ListError


class Initialised(Value):
    """A new central folder."""

    folder: str
    server_key: str
    root: str


class ListKeyMade(Value):
    """The key that documents are packed under from the next list on; gates must have it before."""

    key_file: str
    id: str


class ListedDocument(Value):
    """A document of a list, for whoever may read the list."""

    number: str
    issuer: str
    type: str
    grade: str
    reason: str
    reference: str


class Resolved(Value):
    """What a reference in a gate's journal stands for."""

    reference: str
    documents: tuple[ListedDocument, ...]


class Revoked(Value):
    """A gate that may no longer fetch."""

    gate: str


class TokenKeyMade(Value):
    """A lane's key for tokens, and the public part of it, which the other lane's `[tokens]` names."""

    key_file: str
    lane: str
    public_key: str


class Listening(Value):
    """The addresses of the running server."""

    requests: str
    announcements: str
    server_key: str


def _init(options: argparse.Namespace, folder: CentralFolder) -> Initialised:
    key = initialise(folder, datetime.now(UTC), lifetimes(options), quorums(options))
    if not options.readable:
        new_list_key(folder)
    return Initialised(folder=str(folder.path), server_key=key, root=str(newest_root(folder)))


def _keys(options: argparse.Namespace, folder: CentralFolder) -> Handout:
    return admit_gate(folder, options.gate)


def _list_key(_: argparse.Namespace, folder: CentralFolder) -> ListKeyMade:
    key = new_list_key(folder)
    return ListKeyMade(key_file=str(folder.keys / "list.key"), id=key.id)


def _resolve(options: argparse.Namespace, folder: CentralFolder) -> Resolved:
    folder.require()
    entries = (row for row in read_list(options.list) if not isinstance(row, BadRow))
    found = resolve(entries, options.reference, all_keys(folder))
    documents = tuple(ListedDocument(**msgspec.structs.asdict(each)) for each in found)
    return Resolved(reference=options.reference, documents=documents)


def _revoke(options: argparse.Namespace, folder: CentralFolder) -> Revoked:
    revoke_gate(folder, options.gate)
    return Revoked(gate=options.gate)


def _serve(options: argparse.Namespace, folder: CentralFolder) -> None:
    logs.configure("gate-central")
    settings = ServeSettings(
        requests=options.requests,
        announcements=options.announcements,
        interval_s=options.interval,
        lifetimes=lifetimes(options),
        metrics=options.metrics,
    )

    def told(addresses: tuple[str, str]) -> None:
        key = server_pair(folder).public_key
        _show(
            Listening(requests=addresses[0], announcements=addresses[1], server_key=key), as_json=options.json
        )

    serve(folder, settings, told)


def _proxy(options: argparse.Namespace, folder: CentralFolder) -> None:
    if bool(options.journals) != bool(options.upstream_journals):
        raise CentralError("--journals and --upstream-journals: give both, or neither")
    logs.configure("gate-central")
    try:
        pair = read_key_file(options.key_file)
    except KeyFileError as error:
        raise CentralError(str(error)) from error
    settings = ProxySettings(
        requests=options.requests,
        announcements=options.announcements,
        upstream_requests=options.upstream_requests,
        upstream_announcements=options.upstream_announcements,
        server_key=options.server_key,
        gates=str(folder.path),
        journals=options.journals,
        upstream_journals=options.upstream_journals,
    )
    listening = Listening(
        requests=options.requests, announcements=options.announcements, server_key=pair.public_key
    )
    stand_between(settings, pair, lambda: _show(listening, as_json=options.json))


def _token_key(options: argparse.Namespace, _: CentralFolder) -> TokenKeyMade:
    public = make_key(options.file, options.lane)
    return TokenKeyMade(key_file=str(options.file), lane=options.lane, public_key=public)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 100_000:
        raise argparse.ArgumentTypeError("a number above 0")
    return value


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="gate-central", description="publishes signed content to the gates, and collects their journals"
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("folder", type=Path, metavar="DIR", help="the central folder")
    shared.add_argument("--json", action="store_true", help="print one JSON object")
    times = argparse.ArgumentParser(add_help=False)
    defaults = Lifetimes()
    times.add_argument("--targets-days", type=_positive, default=defaults.targets_days, metavar="N")
    times.add_argument("--kinds-days", type=_positive, default=defaults.kinds_days, metavar="N")
    times.add_argument("--snapshot-days", type=_positive, default=defaults.snapshot_days, metavar="N")
    times.add_argument("--timestamp-hours", type=_positive, default=defaults.timestamp_hours, metavar="N")

    def add(
        name: str, run: Callable[..., Any], text: str, *parents: argparse.ArgumentParser
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, parents=[shared, *parents])
        command.set_defaults(run=run)
        return command

    making = add("init", _init, "make all keys and an empty repository", times)
    making.add_argument(
        "--readable", action="store_true", help="no list key: whoever has a gate's disk reads the lists"
    )
    making.add_argument(
        "--quorum",
        action="append",
        default=[],
        type=role_quorum,
        metavar="ROLE=M/N",
        help="M of the role's N keys must sign (1/1)",
    )
    add("keys", _keys, "make a gate's key, allow it, and write the files for the gate").add_argument(
        "--gate", required=True, metavar="NAME"
    )
    add("list-key", _list_key, "make the key that documents are packed under, or a new one in its place")
    resolving = add(
        "resolve", _resolve, "what a hit on a packed document, as a gate's journal has it, stands for"
    )
    resolving.add_argument("reference", metavar="REFERENCE")
    resolving.add_argument("--list", required=True, type=Path, metavar="FILE", help="the list as handed in")
    add("revoke", _revoke, "take a gate off the allow-list").add_argument(
        "--gate", required=True, metavar="NAME"
    )
    distribution.add(add, times)
    serving = add("serve", _serve, "serve the gates until told to stop", times)
    serving.add_argument("--requests", required=True, metavar="tcp://HOST:PORT")
    serving.add_argument("--announcements", required=True, metavar="tcp://HOST:PORT")
    serving.add_argument(
        "--interval", type=_positive, default=60.0, metavar="S", help="seconds between signatures"
    )
    serving.add_argument("--metrics", default="", metavar="FILE", help="write Prometheus' text format there")
    standing_between = add("proxy", _proxy, "serve gates in the centre's place, and ask it what they ask")
    standing_between.add_argument("--key-file", required=True, type=Path, metavar="FILE", help="from keys")
    standing_between.add_argument("--server-key", required=True, metavar="KEY", help="of the centre")
    for name in ("requests", "announcements"):
        standing_between.add_argument(f"--{name}", required=True, metavar="tcp://HOST:PORT")
        standing_between.add_argument(f"--upstream-{name}", required=True, metavar="tcp://HOST:PORT")
    standing_between.add_argument("--journals", default="", metavar="tcp://HOST:PORT", help="take them here")
    standing_between.add_argument(
        "--upstream-journals", default="", metavar="tcp://HOST:PORT", help="of collect --proxy NAME"
    )
    collect_command.add(add, _show)
    journal_key_command.add(add)
    registrations_command.add(add)
    false_hits_command.add(add, times)
    status.add(add)
    text = "at a kiosk, or at its gate: make its own key for tokens; print the public part"
    making = commands.add_parser("token-key", help=text, description=text)
    making.add_argument("file", type=Path, metavar="FILE", help="the key file; it must not be there yet")
    making.add_argument(
        "--for", dest="lane", required=True, choices=("kiosk", "gate"), help="which lane this is"
    )
    making.add_argument("--json", action="store_true", help="print one JSON object")
    making.set_defaults(run=_token_key, folder=Path())
    return top


def _show(value: Value, *, as_json: bool) -> None:
    if as_json:
        text = msgspec.json.encode(value).decode()
    elif isinstance(value, status.CentralStatus):
        text = "\n".join(status.lines(value, datetime.now(UTC)))
    else:
        fields = msgspec.to_builtins(value)
        told = ((name.replace("_", " "), _plain(content)) for name, content in fields.items())
        text = "\n".join(f"{name}: {content or '-'}" for name, content in told)
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _plain(content: Any) -> str:
    if isinstance(content, dict):
        return ", ".join(f"{name} {value}" for name, value in content.items())
    if isinstance(content, list | tuple):
        rows = [_row(row) if isinstance(row, dict) else str(row) for row in content]
        return (
            ", ".join(rows)
            if all(isinstance(row, str) for row in content)
            else "".join(f"\n  {r}" for r in rows)
        )
    return str(content)


def _row(row: dict[str, Any]) -> str:
    """A row of a table, its empty fields left out; a bad row of a list is told by its line."""
    told = ((name.replace("_", " "), _plain(content)) for name, content in row.items())
    return ", ".join(f"{name} {text}" for name, text in told if text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Exit status 0; 1 when it failed, or found fault; 2 for a wrong command line."""
    options = parser().parse_args(arguments)
    try:
        result = options.run(options, CentralFolder(options.folder))
    except BadRows as error:
        for row in error.rows:
            sys.stderr.write(f"line {row.line}: {row.field or 'row'}: expected {row.expected}\n")
        sys.stderr.write(f"gate-central: {error}\n")
        return 1
    except (CentralError, ListError, TokenKeyError) as error:
        sys.stderr.write(f"gate-central: {error}\n")
        return 1
    except OSError as error:
        where = error.filename or options.folder  # a disk that is full names no file
        sys.stderr.write(
            f"gate-central: {where}: {error.strerror}: check the path, its rights and the disk\n"
        )
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("gate-central: stopped: what was current stays current\n")
        return 1
    try:
        if result is not None:
            _show(result, as_json=options.json)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # whoever reads may stop reading
            said = f"it is done, but the answer cannot be written ({error.strerror})"
            sys.stderr.write(f"gate-central: {said}: make room for it\n")
            return 1
    if isinstance(result, status.CentralStatus) and options.check and result.warnings:
        return 1
    return 0 if getattr(result, "good", True) else 1


if __name__ == "__main__":
    sys.exit(main())
