"""What the daemons may say about themselves: a line per event, and only fields known to be harmless.

The theory is an allow-list of names *and* shapes. A code looks like `chip_lost`, a number is a number, and
only three fields hold sentences, which we wrote. Whatever else a caller passes is left out and counted in
`dropped`, so a mistake costs a detail and never a traveller's data. An exception is told by its type and the
lines it passed; its text only if its class is ours, for ours promise to carry no input, while a library's
text may quote the bytes it choked on. Tracebacks that end a thread or a process, warnings, and messages of
libraries go the same way, as the interpreter's own printing would quote them in full.
"""

import contextlib
import errno
import logging
import re
import sqlite3
import sys
import threading
import types
from enum import Enum
from pathlib import PurePath
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from gated.core.personal import MASK, Personal

# Words of ours: codes and ids out of our source or configuration, drawn by chance, or computed.
CODES = frozenset(
    {
        # which thing
        "process", "source", "device", "door", "lane", "peer", "unit", "gate", "officer", "passage", "model",
        "token",
        # what happened to it: members of vocabularies, codes of drivers and checks, names of our types
        "level", "code", "reason", "state", "outcome", "grade", "result", "kind", "signal", "status",
        "screen", "prompt", "lamps", "input", "output", "fact", "effect", "message", "command", "stage",
        "mode", "role",
        # in which version
        "version", "expected", "sha256", "head",
    }
)  # fmt: skip
# How much of it: lengths, durations, counters. Never a number that a document or a person carries.
NUMBERS = frozenset(
    {
        "count", "attempt", "entry", "entries", "line", "port", "pid", "status", "size", "limit", "frames",
        "backlog", "rate", "seconds", "age_s", "lease_s", "due_s", "interval_s", "version", "expected",
    }
)  # fmt: skip
# Yes or no, which can tell nothing about anybody.
FLAGS = frozenset({"active", "open", "ready", "shut", "latched", "synchronised"})
# Sentences: `event` and `fix` are literals of our source, `path` names our own files, two are made here.
TEXTS = frozenset({"event", "fix", "path", "exception", "timestamp"})
ALLOWED = CODES | NUMBERS | FLAGS | TEXTS

OURS = frozenset({"gated", "drivers", "models"})  # packages whose exception texts promise to carry no input
MAX_TEXT = 300  # a sentence of ours is shorter; anything longer is cut
MAX_TRACE = 4000
MAX_NUMBER = 10**12  # a count, a size or a time is smaller; a fingerprint written as a number is not
MAX_FRAMES = 12  # the outermost of a deep stack are the same main loop every time
MAX_CAUSES = 4

_HIDDEN = object()
_CODE = re.compile(
    r"(?!.*[0-9]{5})[a-z_][a-z0-9_.:/-]{0,79}"  # a word; five digits in a row are a number in disguise
    r"|(?:[A-Z][a-z]+){1,6}"  # the name of a type
    r"|[0-9a-f]{16}|[0-9a-f]{64}"  # a passage, a hash
    r"|[0-9]{1,4}(?:\.[0-9]{1,4}){1,3}"  # a version
)


class _Sink:
    """Writes a line to a stream in one piece. Without a stream it follows `sys.stderr`."""

    _lock = threading.Lock()

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        """Write one line. A log that cannot be written must not stop a gate, and nobody is left to tell."""
        stream = self._stream or sys.stderr
        with self._lock, contextlib.suppress(OSError, ValueError):
            stream.write(f"{line}\n")
            stream.flush()

    debug = info = warning = error = critical = fatal = log = msg


class _Foreign(logging.Handler):
    """Takes what libraries say through `logging` and keeps who said it and where; the words stay out."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one foreign record without its message."""
        raised = record.exc_info[1] if record.exc_info else None
        get(record.name).log(
            min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL),
            "a library spoke",
            path=_place(record.pathname),
            line=record.lineno,
            exc_info=raised,
        )


def get(name: str) -> FilteringBoundLogger:
    """Return the logger of a module; it may be taken before `configure` and follows it."""
    return cast("FilteringBoundLogger", structlog.get_logger(source=name))


def configure(
    process: str, stream: TextIO | None = None, *, json: bool | None = None, level: int = logging.INFO
) -> None:
    """Set up the log of this process, once, at the start of its main.

    Lines go to `stream` (standard error): `key=value` on a terminal, else JSON; `json` forces either. Takes
    over `logging`, `warnings` and what the interpreter prints about uncaught exceptions.
    """
    target = stream or sys.stderr
    _set_chain(process, stream, json=not target.isatty() if json is None else json, level=level)
    logging.captureWarnings(capture=True)
    logging.basicConfig(handlers=[_Foreign()], level=logging.WARNING, force=True)
    sys.excepthook = _uncaught
    sys.unraisablehook = _unraisable
    threading.excepthook = _thread_ended


def describe(error: BaseException) -> str:
    """Tell an exception and its causes by type and lines; the text only where the class is ours."""
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None and len(parts) < MAX_CAUSES:
        parts.append(_describe_one(current))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    if current is not None:
        parts.append("…")
    return "; from ".join(parts)[:MAX_TRACE]


def _set_chain(process: str, stream: TextIO | None, *, json: bool, level: int) -> None:
    def add_process(_: WrappedLogger, __: str, fields: EventDict) -> EventDict:
        fields["process"] = process
        return fields

    order = ["timestamp", "level", "process", "source", "event"]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.processors.LogfmtRenderer(key_order=order, drop_missing=True, bool_as_flag=False)
    )
    structlog.configure(
        processors=[
            add_process,
            structlog.processors.add_log_level,
            _tell_exception,
            keep_allowed,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Sink(stream),
        cache_logger_on_first_use=False,
    )


def keep_allowed(_: WrappedLogger, __: str, fields: EventDict) -> EventDict:
    """Pass fields whose name and shape are allowed, mask personal values, count the rest in `dropped`."""
    kept = {name: shown for name, value in fields.items() if (shown := _shown(name, value)) is not _HIDDEN}
    dropped = len(fields) - len(kept)
    kept.setdefault("event", "a line without words")
    if dropped:
        kept["dropped"] = dropped
    return kept


def _shown(name: str, value: object) -> object:
    """What is shown of a field: its value, a mask, or _HIDDEN."""
    plain = value.value if isinstance(value, Enum) else value
    if name not in ALLOWED:
        return _HIDDEN
    if isinstance(value, Personal):
        return MASK
    if isinstance(plain, str | PurePath) and name in TEXTS:
        return _one_line(str(plain), MAX_TRACE if name == "exception" else MAX_TEXT)
    word = isinstance(plain, str) and (isinstance(value, Enum) or _CODE.fullmatch(plain) is not None)
    number = isinstance(plain, int | float) and not isinstance(plain, bool) and abs(plain) <= MAX_NUMBER
    fits = (
        plain is None
        or (name in CODES and word)
        or (name in NUMBERS and number)
        or (name in FLAGS and isinstance(plain, bool))
    )
    return plain if fits else _HIDDEN


def _tell_exception(_: WrappedLogger, __: str, fields: EventDict) -> EventDict:
    """Turn `exc_info` into the field `exception`; no locals, no foreign text."""
    fields.pop("exception", None)
    info = fields.pop("exc_info", None)
    fields.pop("stack_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        fields["exception"] = describe(error)
    return fields


def _describe_one(error: BaseException) -> str:
    kind = type(error)
    own = kind.__module__.partition(".")[0] in OURS
    text = f": {_one_line(str(error), MAX_TEXT)}" if own else ""
    if isinstance(error, OSError) and not own and error.errno:
        text = f" {errno.errorcode.get(error.errno, error.errno)}"
    if isinstance(error, sqlite3.Error):
        text = f" {getattr(error, 'sqlite_errorname', '')}".rstrip()
    if isinstance(error, BaseExceptionGroup):
        inner = ", ".join(_describe_one(each) for each in error.exceptions[:MAX_CAUSES])
        text = f" of {len(error.exceptions)} ({inner})"
    return f"{kind.__qualname__}{text}{_trace(error.__traceback__)}"


def _trace(traceback: types.TracebackType | None) -> str:
    """The frames, innermost first: `file:line function`."""
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{_place(code.co_filename)}:{traceback.tb_lineno} {code.co_qualname}")
        traceback = traceback.tb_next
    return f" at {' < '.join(frames[: -MAX_FRAMES - 1 : -1])}" if frames else ""


def _place(filename: str) -> str:
    """A source file without the folder that it is installed in."""
    parts = PurePath(filename).parts
    for index, part in enumerate(parts[:-1]):
        if part == "site-packages" or part in OURS:
            return "/".join(parts[index + (part == "site-packages") :])
    return "/".join(parts[-2:])


def _one_line(text: str, limit: int) -> str:
    """Printable characters of one line, cut at `limit`."""
    shown = "".join(letter if letter.isprintable() else "·" for letter in text[: limit + 1])
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def _uncaught(kind: type[BaseException], error: BaseException, _: types.TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        get("main").info("interrupted")
    else:
        get("main").critical("the process ends on an error", exc_info=error)


def _unraisable(about: "sys.UnraisableHookArgs") -> None:
    get("main").error("an error could not be raised", exc_info=about.exc_value)


def _thread_ended(about: threading.ExceptHookArgs) -> None:
    name = about.thread.name if about.thread else "unknown"
    get("main").critical("a thread ends on an error", lane=name, exc_info=about.exc_value)


# What is logged before `configure`, or without it, is already safe: structlog's own default shows locals.
_set_chain("unconfigured", None, json=False, level=logging.INFO)
