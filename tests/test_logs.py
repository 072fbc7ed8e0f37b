"""The log: canaries of personal data are planted wherever a caller can err, and none may come out."""

import ast
import io
import json
import logging
import sqlite3
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import structlog

from gated import logs
from gated.config import ConfigError
from gated.core.personal import MASK, Personal
from gated.core.ports import CardGone, DeviceGone
from gated.core.vocabulary import Device, Outcome

ROOT = Path(__file__).parents[1]
CANARIES = ("L898902C3", "ERIKSSON", "740812", "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<")  # Doc 9303-4


class Lines:
    """What was logged."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def last(self) -> dict[str, Any]:
        """The last line's fields."""
        fields = json.loads(self.text.splitlines()[-1])
        assert isinstance(fields, dict)
        return fields

    def assert_clean(self) -> None:
        assert self.text, "nothing was logged, so nothing is proved"
        for canary in CANARIES:
            assert canary not in self.text
            assert canary.lower() not in self.text.lower()


@pytest.fixture
def lines() -> Iterator[Lines]:
    """A configured log; what `configure` takes over is given back afterwards."""
    before = structlog.get_config()
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("gated", stream, json=True, level=logging.DEBUG)
    yield Lines(stream)
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    structlog.configure(**before)


def test_a_line_says_what_happened_where_and_when(lines: Lines) -> None:
    logs.get("drivers.ccid").warning("reader gone", device=Device.CHIP_READER, code="unplugged", attempt=2)
    stamp = lines.last.pop("timestamp")
    assert stamp.endswith("Z")
    assert {name: value for name, value in lines.last.items() if name != "timestamp"} == {
        "event": "reader gone",
        "level": "warning",
        "process": "gated",
        "source": "drivers.ccid",
        "device": "chip_reader",
        "code": "unplugged",
        "attempt": 2,
    }


def test_unknown_fields_are_dropped_and_counted(lines: Lines) -> None:
    logs.get("x").info("read", mrz=CANARIES[3], number=CANARIES[0], born=740812, count=2)
    lines.assert_clean()
    assert lines.last["dropped"] == 3
    assert lines.last["count"] == 2


@pytest.mark.parametrize("name", sorted(logs.CODES - {"level", "process"}))
@pytest.mark.parametrize(
    "value",
    [
        *CANARIES,
        CANARIES[0].encode(),
        [CANARIES[0]],
        {"name": CANARIES[1]},
        CANARIES,
        "a\ncode",
        "x" * 81,
        "n740812f",
    ],
)
def test_a_field_for_codes_takes_nothing_else(lines: Lines, name: str, value: object) -> None:
    logs.get("x").info("checked", **{name: value})
    lines.assert_clean()
    assert lines.last["dropped"] == 1
    assert name == "source" or name not in lines.last


@pytest.mark.parametrize("name", sorted(logs.NUMBERS | logs.FLAGS))
@pytest.mark.parametrize("value", [CANARIES[0], float("nan"), float("inf"), b"1", 10**16])
def test_a_field_for_numbers_takes_nothing_else(lines: Lines, name: str, value: object) -> None:
    logs.get("x").info("counted", **{name: value})
    lines.assert_clean()
    assert lines.last["dropped"] == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reason", "mrz_chip_mismatch"),
        ("fact", "MrzRead"),
        ("passage", "0123456789abcdef"),
        ("outcome", Outcome.REFERRED),
        ("version", 12),
        ("version", "1.2.0"),
        ("sha256", "0123456789abcdef" * 4),
        ("seconds", 0.25),
        ("open", True),
        ("port", 7701),
        ("state", None),
    ],
)
def test_words_numbers_and_flags_of_ours_pass(lines: Lines, name: str, value: object) -> None:
    logs.get("x").info("seen", **{name: value})
    assert lines.last[name] == value
    assert "dropped" not in lines.last


def test_a_vocabulary_s_own_spelling_passes(lines: Lines) -> None:
    class Spoken(StrEnum):
        SHOUTED = "IN CAPITALS"

    logs.get("x").info("seen", state=Spoken.SHOUTED)
    assert lines.last["state"] == "IN CAPITALS"


def test_a_personal_value_wears_its_mask(lines: Lines) -> None:
    logs.get("x").info("seen", reason=Personal(CANARIES[1]), surname=Personal(CANARIES[1]))
    lines.assert_clean()
    assert lines.last["reason"] == MASK
    assert lines.last["dropped"] == 1


def test_a_sentence_stays_one_line_of_bounded_length(lines: Lines) -> None:
    logs.get("x").info("seen", fix="unplug\nit\x1b[2J " + "x" * 1000, path=Path("/var/lib/egate/journal.db"))
    assert lines.last["fix"].startswith("unplug·it·[2J x")
    assert len(lines.last["fix"]) == logs.MAX_TEXT
    assert lines.last["path"] == "/var/lib/egate/journal.db"
    assert len(lines.text.splitlines()) == 1


def _parse(number: str) -> int:
    return int(number)


def _own() -> None:
    try:
        _parse(CANARIES[0])
    except ValueError as error:
        raise DeviceGone("mrz_scanner", "unplugged", "plug it in") from error


def test_a_foreign_exception_is_told_without_its_text(lines: Lines) -> None:
    try:
        _parse(CANARIES[0])
    except ValueError:
        logs.get("x").exception("parsing failed")
    lines.assert_clean()
    told = lines.last["exception"]
    assert told.startswith("ValueError at tests/test_logs.py:")
    assert " _parse < " in told


def test_an_exception_of_ours_is_told_with_its_text_and_its_cause(lines: Lines) -> None:
    try:
        _own()
    except DeviceGone as error:
        logs.get("x").error("device failed", exc_info=error)
    lines.assert_clean()
    told = lines.last["exception"]
    assert told.startswith("DeviceGone: mrz_scanner: unplugged: plug it in at tests/test_logs.py:")
    assert "; from ValueError at tests/test_logs.py:" in told


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, CANARIES[0], CANARIES[1]), "OSError ENOSPC"),
        (FileNotFoundError(2, CANARIES[0]), "FileNotFoundError ENOENT"),
        (KeyError(CANARIES[0]), "KeyError"),
        (UnicodeDecodeError("ascii", CANARIES[3].encode(), 0, 1, CANARIES[1]), "UnicodeDecodeError"),
        (ConfigError("gate.toml: gate: missing"), "ConfigError: gate.toml: gate: missing"),
        (CardGone("chip_reader", "lost", "leave it still"), "CardGone: chip_reader: lost: leave it still"),
        (ExceptionGroup(CANARIES[1], [ValueError(CANARIES[0])]), "ExceptionGroup of 1 (ValueError)"),
    ],
)
def test_what_an_exception_may_say(error: Exception, told: str) -> None:
    assert logs.describe(error) == told


def test_a_database_error_is_told_by_its_code(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError) as caught:
        sqlite3.connect(tmp_path / CANARIES[0] / "journal.db")
    told = logs.describe(caught.value)
    assert told.startswith("OperationalError SQLITE_CANTOPEN at ")
    assert CANARIES[0] not in told


def _nested(depth: int) -> None:
    if depth:
        _nested(depth - 1)
    raise ValueError(CANARIES[0])


def test_a_deep_stack_is_told_from_its_inner_end(lines: Lines) -> None:
    try:
        _nested(100)
    except ValueError:
        logs.get("x").exception("too deep")
    assert lines.last["exception"].count("_nested") == logs.MAX_FRAMES


def test_a_circle_of_causes_ends(lines: Lines) -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    logs.get("x").error("odd", exc_info=first)
    assert lines.last["exception"].endswith("; from …")


def test_locals_never_show(lines: Lines) -> None:
    def _read() -> None:
        surname = CANARIES[1]
        assert surname
        raise RuntimeError

    try:
        _read()
    except RuntimeError:
        logs.get("x").exception("failed", stack_info=True)
    lines.assert_clean()


def test_an_exception_handed_over_as_text_is_not_taken(lines: Lines) -> None:
    logs.get("x").error("failed", exception=f"ValueError: {CANARIES[0]}", exc_info=CANARIES[1])
    lines.assert_clean()


def test_libraries_are_named_and_not_quoted(lines: Lines) -> None:
    try:
        _parse(CANARIES[0])
    except ValueError:
        logging.getLogger("tuf.ngclient").exception("bad %s", CANARIES[0])
    lines.assert_clean()
    assert lines.last["source"] == "tuf.ngclient"
    assert lines.last["level"] == "error"
    assert "ValueError" in lines.last["exception"]
    logging.getLogger("urllib3").log(logging.ERROR + 3, CANARIES[1])
    lines.assert_clean()
    assert lines.last["source"] == "urllib3"


def test_warnings_are_not_quoted(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn(CANARIES[0], stacklevel=1)
    lines.assert_clean()
    assert lines.last["source"] == "py.warnings"


def _in_a_thread() -> None:
    thread = threading.Thread(target=_parse, args=(CANARIES[0],), name="mrz-scanner")
    thread.start()
    thread.join(5)


def _in_a_finaliser() -> None:
    class Late:
        def __del__(self) -> None:
            _parse(CANARIES[0])

    Late()


def _at_the_top() -> None:
    try:
        _parse(CANARIES[0])
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)


@pytest.mark.parametrize("crash", [_in_a_thread, _in_a_finaliser, _at_the_top])
def test_what_the_interpreter_would_print_is_clean(
    lines: Lines, capfd: pytest.CaptureFixture[str], crash: Callable[[], None]
) -> None:
    crash()
    lines.assert_clean()
    assert "ValueError at" in lines.last["exception"]
    assert capfd.readouterr() == ("", "")


def test_an_interruption_by_hand_is_no_error(lines: Lines) -> None:
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert lines.last["level"] == "info"
    assert lines.last["event"] == "interrupted"


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    class FullDisk(io.StringIO):
        tried = 0

        def write(self, text: str) -> int:
            self.tried += len(text)
            raise OSError(28, "No space left on device")

    before = structlog.get_config()
    disk = FullDisk()
    logs._set_chain("gated", disk, json=True, level=logging.INFO)
    logs.get("x").info("lost")
    structlog.configure(**before)
    assert disk.tried


def test_before_it_is_configured_the_log_is_as_careful() -> None:
    program = (
        f"from gated import logs; logs.get('x').error('early', mrz={CANARIES[3]!r}, reason={CANARIES[1]!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    told = done.stderr
    assert "level=error" in told
    assert "dropped=2" in told
    for canary in CANARIES:
        assert canary not in told


def test_a_terminal_gets_key_value() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    before = structlog.get_config()
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        logs._set_chain("gated", stream, json=not stream.isatty(), level=logging.INFO)
        logs.get("x").info("lane open", count=1)
    structlog.configure(**before)
    assert ' level=info process=gated source=x event="lane open" count=1' in terminal.getvalue()
    assert json.loads(pipe.getvalue())["count"] == 1


LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


def _log_calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call of a logger in what ships: `log.info(...)`, `self._log.error(...)`."""
    for package in ("gated", "drivers", "models"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                    continue
                owner = node.func.value
                name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
                if node.func.attr in LEVELS and name.lower().strip("_") in {"log", "logger"}:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_every_event_in_the_source_is_a_literal_and_every_field_is_allowed() -> None:
    faults = []
    seen = 0
    for place, call in _log_calls():
        seen += 1
        literal = len(call.args) == 1 and isinstance(call.args[0], ast.Constant)
        if not literal:
            faults.append(f"{place}: the event must be one literal string; put values into fields")
        faults += [
            f"{place}: field {keyword.arg!r} is not in gated.logs.ALLOWED"
            for keyword in call.keywords
            if keyword.arg not in logs.ALLOWED | {"exc_info"}
        ]
    assert seen
    assert not faults, "\n".join(faults)
