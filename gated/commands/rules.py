"""Commands on rule packs: check one, test it, explain a decision, try it on the passages of a journal."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gated.commands.answer import Answer, UsageError, Words, configured
from gated.commands.journal import opened
from gated.commands.rules_journal import explained_passage, passages_in
from gated.commands.rules_report import decision_lines, dry_run_lines, pack_lines, tried_lines
from gated.rule_files import load_rules, read_pack
from gated.rules import Pack, RulesError, decide, tried
from gated.rules.dry_run import dry_run
from gated.rules.given import worded

MAX_PASSAGES = 10_000_000


def add(words: Words) -> None:
    """Put these commands on the command line."""
    for name, command in (("check", rules_check), ("test", rules_test)):
        words.command(name, command).add_argument("rules", type=Path, metavar="FILE")
    explains = words.command("explain", rules_explain)
    explains.add_argument("rules", type=Path, metavar="FILE", nargs="?", help="default: the gate's own")
    explains.add_argument(
        "--fact", action="append", default=[], metavar="NAME=VALUE", help="such as age=34; again for each"
    )
    explains.add_argument("--passage", metavar="ID", help="a passage of the journal, in place of facts")
    tries = words.command("dry-run", rules_dry_run)
    tries.add_argument("rules", type=Path, metavar="FILE")
    tries.add_argument("--last", type=_many, metavar="N", help="the last N passages (default: all)")
    for sub in (explains, tries):
        sub.add_argument("--file", type=Path, help="a journal, or a copy of one, in place of the gate's")


def rules_check(arguments: argparse.Namespace) -> Answer:
    """Check a rule pack: its language, its limits, its references."""
    pack = read_pack(arguments.rules)
    return Answer(value=_about(pack), text=tuple(pack_lines(pack)))


def rules_test(arguments: argparse.Namespace) -> Answer:
    """Try the examples that travel with a rule pack, and tell what none of them shows."""
    pack = read_pack(arguments.rules)
    found = tried(pack)
    return Answer(value={**_about(pack), "tried": found}, text=tuple(tried_lines(found)), good=found.good)


def rules_explain(arguments: argparse.Namespace) -> Answer:
    """Explain a decision: of invented facts by a rule pack, or of a passage as the journal has it."""
    if arguments.passage is not None:
        if arguments.fact:
            raise UsageError("--fact and --passage are two questions: ask one of them")
        with opened(arguments) as database:
            told = explained_passage(database, arguments.passage)
        lines = decision_lines(told.ruling, told.why, None, _law(arguments, told.rules), rules=told.rules)
        return Answer(value=told, text=tuple(lines))
    pack = _pack(arguments)
    try:
        decision = decide(pack, worded(arguments.fact))
    except RulesError as error:
        raise UsageError(str(error)) from error
    value = {
        "rules": _about(pack),
        "ruling": decision.ruling,
        "reasons": decision.reasons,
        "min_height_m": decision.min_height_m,
        "checks": decision.checks,
        "why": decision.why,
    }
    lines = decision_lines(decision.ruling, decision.why, decision.min_height_m, pack.law)
    return Answer(value=value, text=tuple(lines))


def rules_dry_run(arguments: argparse.Namespace) -> Answer:
    """Try a rule pack on the passages of the journal: whose ruling would have been another one."""
    pack = read_pack(arguments.rules)
    config = configured(arguments)
    zone = "UTC" if config is None else config.time_zone
    with opened(arguments) as database:
        told = passages_in(database, zone, arguments.last)
        found = dry_run(pack, told.recorded)
    value = {**_about(pack), "dry_run": found, "unrecorded": told.unrecorded}
    return Answer(value=value, text=tuple(dry_run_lines(found, told.unrecorded)))


def _pack(arguments: argparse.Namespace) -> Pack:
    """The pack that is named, else the gate's own."""
    if arguments.rules is not None:
        return read_pack(arguments.rules)
    config = configured(arguments)
    if config is None:
        raise UsageError("no gate is configured here: name a rule pack")
    return load_rules(config)


def _law(arguments: argparse.Namespace, sha256: str) -> Mapping[str, str]:
    """The texts of the pack that a passage was decided by, if that is the one at hand."""
    if arguments.rules is None and configured(arguments) is None:
        return {}
    pack = _pack(arguments)
    return pack.law if pack.sha256 == sha256 else {}


def _about(pack: Pack) -> dict[str, Any]:
    return {
        "name": pack.name,
        "version": pack.version,
        "title": pack.title,
        "sha256": pack.sha256,
        "grounds": len(pack.grounds),
        "rules": len(pack.rules),
        "examples": len(pack.examples),
        "min_height_m": pack.min_height_m,
    }


def _many(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= MAX_PASSAGES:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number from 1 to {MAX_PASSAGES}")
    return int(text)
