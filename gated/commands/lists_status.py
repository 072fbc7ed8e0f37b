"""`gatectl watchlist status` and `rollback`: what the centre publishes, as this gate holds it.

Both work on the files of the gate, so they answer also while `gated` is down. `rollback` asks: `gated` itself
puts the content before in force, at once or at its next start, and enters it into the journal.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from gated.commands.answer import Answer, UsageError, Words
from gated.config import load
from gated.core.values import Value
from gated.report import span
from gated.runtime.control import NoAnswerError, ask
from gated.runtime.requests import AskStatus, Status
from gated.store.kinds import KindStatus, ask_back, read_status
from gated.store.published import Published
from gated.store.watchlist import NothingBefore
from gated.store.watchlist import ask_back as ask_list_back
from gated.watchlist.publication import KINDS

LIST = "watchlist"


class KindHeld(Value):
    """A published kind at this gate. `content` differs from `version` after a rollback here."""

    kind: str
    version: int
    content: int
    sha256: str
    published: int
    age_s: float | None
    groups: tuple[str, ...]
    restart: bool
    code: str
    fix: str


def add(words: Words) -> None:
    """Put the commands on the command line."""
    words.command("status", watchlist_status)
    back = words.command("rollback", watchlist_rollback)
    back.add_argument("--kind", default=LIST, choices=(LIST, *KINDS), help="of which kind (the watchlist)")


def watchlist_status(arguments: argparse.Namespace) -> Answer:
    """Show every published kind: version, age, groups, the last failure and what to do about it."""
    config = load(arguments.config).config
    folder = Path(config.paths.state) / "published"
    held = kinds_held(folder, datetime.now(UTC))
    try:
        answer = ask(f"ipc://{config.paths.run}/control", AskStatus())
    except NoAnswerError:
        answer = None
    gate = answer if isinstance(answer, Status) else None
    text = (_list_line(gate), *(_line(each) for each in held))
    value = {
        "watchlist": gate and {"version": gate.watchlist_version, "age_s": gate.watchlist_age_s},
        "kinds": held,
    }
    return Answer(value=value, text=text, good=gate is not None and not any(each.code for each in held))


def watchlist_rollback(arguments: argparse.Namespace) -> Answer:
    """Put the content before back in force, under the present version, so that later ones count."""
    config = load(arguments.config).config
    folder, kind = Path(config.paths.state) / "published", arguments.kind
    if kind == LIST:
        return _list_back(Path(config.paths.state) / "watchlist")
    now = Published(folder).in_force(kind)
    if now is None or now.previous is None:
        raise UsageError(f"no earlier release of {kind} is kept here: withdraw the wrong one at the centre")
    try:
        ask_back(folder, kind)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written ({error.strerror}): ask as who runs gated") from error
    text = (
        f"{kind}: asked for content {now.previous} under version {now.version}; see gatectl watchlist status"
    )
    return Answer(value={"kind": kind, "version": now.version, "content": now.previous}, text=(text,))


def _list_back(state: Path) -> Answer:
    try:
        asked = ask_list_back(state)
    except NothingBefore as error:
        raise UsageError("no earlier watchlist is kept here: withdraw the wrong one at the centre") from error
    except OSError as error:
        raise UsageError(f"{state}: cannot be written ({error.strerror}): ask as who runs gated") from error
    text = f"watchlist: asked for content {asked.content} under version {asked.version}; its age counts on"
    return Answer(value={"kind": LIST, "version": asked.version, "content": asked.content}, text=(text,))


def kinds_held(folder: Path, now: datetime) -> tuple[KindHeld, ...]:
    """Every kind that this gate holds or ever heard of."""
    published, status = Published(folder), read_status(folder)
    found = {kind: (published.in_force(kind), status.get(kind)) for kind in KINDS}
    return tuple(
        KindHeld(
            kind=kind,
            version=held.version if held else 0,
            content=held.content if held else 0,
            sha256=held.sha256 if held else "",
            published=known.published,
            age_s=max(0.0, now.timestamp() - known.signed_at, known.seen_at - known.signed_at)
            if known.signed_at
            else None,
            groups=known.groups,
            restart=known.restart,
            code=known.code,
            fix=known.fix,
        )
        for kind, (held, heard) in found.items()
        if held is not None or heard is not None
        for known in [heard or KindStatus()]
    )


def _list_line(gate: Status | None) -> str:
    if gate is None:
        return "watchlist: gated does not answer: see gatectl status"
    if gate.watchlist_age_s is None:
        return "watchlist: none yet: check the link and the centre"
    return f"watchlist: version {gate.watchlist_version}, vouched for {span(gate.watchlist_age_s)} ago"


def _line(each: KindHeld) -> str:
    said = [f"version {each.version}" if each.version else "none in force"]
    if each.content != each.version:
        said.append(f"with the content of {each.content}")
    if each.published > each.version:
        said.append(f"{each.published} is published")
    if each.age_s is not None:
        said.append(f"vouched for {span(each.age_s)} ago")
    if each.groups:
        said.append(f"group {', '.join(each.groups)}")
    if each.restart:
        said.append("used from the next start of gated")
    if each.code:
        said.append(f"{each.code}: {each.fix}")
    return f"{each.kind}: {', '.join(said)}"
