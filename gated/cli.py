"""`gatectl`: what a technician, an officer or an investigator asks of one gate.

Every command (`gated.commands`) returns a value; `_print` alone writes, as text or, with --json, as JSON. The
exit status is 0 when all is well, 1 when the answer is bad news, 2 when the question could not be asked.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from gated.commands import (
    calibrate_camera,
    calibrate_doors,
    calibrate_sensors,
    document,
    face_compare,
    face_estimate,
    face_evaluate,
    face_evaluate_pad,
    face_height,
    face_liveness,
    face_quality,
    journal,
    lane,
    lists_history,
    lists_status,
    models,
    mrz,
    printable,
    proof,
    readers,
    registration,
    rules,
    rules_standings,
    selftest,
    trust,
    watchlist_lookup,
    watchlist_match,
    watchlist_score,
)
from gated.commands.answer import Answer, UsageError, Words
from gated.config import DEFAULT_CONFIG, ConfigError, load
from gated.runtime.control import NoAnswerError
from gated.store.database import StoreError

OK, BAD_NEWS, NOT_ASKED, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        answer = arguments.command(arguments)
    except (UsageError, ConfigError, NoAnswerError, StoreError) as error:
        return _fail(str(error), as_json=arguments.json)
    except KeyboardInterrupt:
        return INTERRUPTED
    return _say(answer, as_json=arguments.json)


def _say(answer: Answer, *, as_json: bool) -> int:
    """Print the answer. Whoever reads may stop reading; an answer that cannot be written is none."""
    if sys.stdout is None:  # it was closed before we began
        return _fail("standard output is closed: open it to read the answer", as_json=as_json)
    try:
        _print(answer, as_json=as_json)
        sys.stdout.flush()
    except BrokenPipeError:
        _print_no_more()
    except OSError as error:
        _print_no_more()
        return _fail(f"the answer cannot be written ({error.strerror}): make room for it", as_json=as_json)
    return OK if answer.good else BAD_NEWS


def _print_no_more() -> None:
    """What is still in the buffer must not be written when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def config_check(arguments: argparse.Namespace) -> Answer:
    """Check a configuration file before it goes to a gate."""
    loaded = load(arguments.file)
    text = f"{arguments.file}: good (gate {loaded.config.gate}, SHA-256 {loaded.sha256})"
    return Answer(value={"gate": loaded.config.gate, "sha256": loaded.sha256}, text=(text,))


def _print(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        for value in answer.value if answer.series else (answer.value,):
            print(printable.json(value))
        return
    for line in answer.text:
        print(printable.line(line))


def _fail(text: str, *, as_json: bool) -> int:
    told = printable.json({"error": text}) if as_json else f"gatectl: {printable.line(text)}"
    print(told, file=sys.stderr)
    return NOT_ASKED


def _common(*, left_out: bool) -> argparse.ArgumentParser:
    """What every command takes; `left_out`: as it is taken behind the words, where no default counts."""
    common = argparse.ArgumentParser(add_help=False)
    json, config = (argparse.SUPPRESS, argparse.SUPPRESS) if left_out else (False, DEFAULT_CONFIG)
    common.add_argument("--json", action="store_true", default=json, help="print JSON")
    text = f"in place of {DEFAULT_CONFIG}"
    common.add_argument("--config", type=Path, metavar="FILE", default=config, help=text)
    return common


def _parser() -> argparse.ArgumentParser:
    common = _common(left_out=True)
    parser = argparse.ArgumentParser(
        prog="gatectl",
        parents=[_common(left_out=False)],
        description="Ask and service one border-control gate.",
        epilog="Exit status: 0 all is well, 1 bad news, 2 the question could not be asked, 130 interrupted.",
    )
    words = Words(parser.add_subparsers(required=True, metavar="COMMAND", title="commands"), common)
    lane.add(words)
    on_lane = words.group("gate", "Tell the lane what to do; explore its rules, and draw them.")
    lane.add_gate(on_lane)
    proof.add(on_lane)
    journal.add(words)
    zone = words.group("mrz", "Read machine-readable zones.")
    mrz.add(zone)
    on_document = words.group("document", "Read and verify documents.")
    document.add(on_document)
    readers.add(on_document)
    trust.add_verify(on_document)
    trust.add(words)
    registration.add(words.group("registration", "Registrations at this gate: show, delete, prove it."))
    eligibility = words.group("rules", "Check, test and explain the rules of eligibility; try new ones.")
    rules.add(eligibility)
    rules_standings.add(eligibility)
    watchlist = words.group("watchlist", "Ask the lists, and measure how names are matched.")
    lists_status.add(watchlist)
    lists_history.add(watchlist)
    watchlist_lookup.add(watchlist)
    watchlist_match.add(watchlist)
    watchlist_score.add(watchlist)
    face = words.group("face", "Compare faces, and measure what the gate sees of a person.")
    face_compare.add(face)
    face_quality.add(face)
    face_liveness.add(face)
    face_height.add(face)
    face_evaluate.add(face)
    face_evaluate_pad.add(face)
    face_estimate.add(face)
    calibrate = words.group("calibrate", "Calibrate the gate's devices.")
    calibrate_camera.add(calibrate)
    calibrate_doors.add(calibrate)
    calibrate_sensors.add(calibrate)
    selftest.add(words)
    models.add(words)
    words.command("config-check", config_check).add_argument("file", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
