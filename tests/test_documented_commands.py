"""Each command that the documents name is there, with each of its options."""

import argparse
import importlib.util
import re
from pathlib import Path

import pytest

from gated import cli
from gated.central.cli import parser as central
from hw_sim.__main__ import _parser as simulator

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
PARSERS = {"gatectl": cli._parser(), "gate-central": central(), "gate-sim": simulator()}
COMMANDS = re.compile(r"^ *(?:gatectl|gate-central|gate-sim|make|python -m) \S.*|`([^`\n]+)`", re.MULTILINE)


def named(page: Path) -> list[str]:
    """Lines and code spans that begin with a program of ours; what stands behind two spaces explains them."""
    found = (match[1] or match[0] for match in COMMANDS.finditer(page.read_text()))
    texts = (text.strip().split("  ")[0] for text in found)
    return [text for text in texts if re.match(r"(gatectl|gate-central|gate-sim|make|python -m) \S", text)]


def words_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser] | None:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return None


def check(parser: argparse.ArgumentParser, text: str) -> None:
    """Follow the words down the parser; `a|b` and `a, b` name several. Then look for the options."""
    words = re.sub(r" \| |, ", "|", text).split()
    options = {word.strip("()[]") for word in re.split(r"[ |]", text) if word.strip("([").startswith("--")}
    while (choices := words_of(parser)) is not None and words and words[0] != "...":
        for word in words.pop(0).split("|"):
            assert word in choices, f"{parser.prog} {word}"
            chosen = choices[word]
        parser = chosen
    known = {option for action in parser._actions for option in action.option_strings}
    assert options <= known, f"{parser.prog} {options - known}"
    first = next((action for action in parser._actions if not action.option_strings), None)
    if first is not None and first.choices and words and words[0].islower():
        assert set(words[0].split("|")) <= set(first.choices), f"{parser.prog} {words[0]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_tells_to_run_is_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for text in named(page):
        program, *words = text.split()
        if program == "make":
            assert words[0] in targets, text
        elif program == "python":
            assert importlib.util.find_spec(words[1].rstrip(".")) is not None, text
        else:
            check(PARSERS[program], text.partition(" ")[2])


@pytest.mark.parametrize(
    "text",
    ["journal burn", "service open|wide", "mrz read --fast", "face evaluate, guess", "journal verify | hide"],
)
def test_what_is_not_there_would_be_found(text: str) -> None:
    with pytest.raises(AssertionError):
        check(PARSERS["gatectl"], text)
