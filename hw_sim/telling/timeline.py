"""What the demo prints: each passage as it happens, line by line, then the verdict; at the end a table.

The narrator only writes: what is worth telling is decided in `story`. Every line is at most `WIDTH` columns
(but for a long path of the report, which stays whole). A stream that cannot take typographic signs is given
plain ASCII; colour is only ever an addition.
"""

import codecs
import os
import statistics
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TextIO

from gated.core.events import GateStarted
from gated.core.policy import Policy
from gated.core.vocabulary import Outcome
from gated.store.journal import Entry
from hw_sim.record import Rehearsed
from hw_sim.telling.story import Beat, Storyteller, Thresholds, Tone, begins

WIDTH: Final = 100
TIME: Final = 10  # columns for the time since the document was laid down
ABOUT: Final = 13  # columns for whom or what a line is about

ASCII: Final = str.maketrans(
    {"“": '"', "”": '"', "·": "|", "─": "-", "━": "=", "≥": ">=", "≤": "<=", "✓": "+", "✗": "X", "–": "-"}
)
SIGNS: Final = "“”·─━≥≤✓✗–"

TONES: Final = {Tone.PLAIN: "", Tone.QUIET: "2", Tone.GOOD: "32", Tone.WARN: "33", Tone.BAD: "1;31"}


def wants_colour(out: TextIO) -> bool:
    """Whether colour is welcome: a terminal that can, and nobody who has set NO_COLOR."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def takes_signs(out: TextIO) -> bool:
    """Whether the stream's encoding has the signs used here."""
    try:
        codecs.encode(SIGNS, out.encoding or "utf-8")
    except (UnicodeError, LookupError):
        return False
    return True


class Narrator:
    """Tells the scenarios, one after the other, on a stream.

    Scores are held against the thresholds of `policy`, or of the policy that a start of the gate names.
    """

    def __init__(self, out: TextIO, *, colour: bool, policy: Policy | None = None) -> None:
        self._out = out
        self._colour = colour
        self._signs = takes_signs(out)
        self._thresholds = None if policy is None else Thresholds.of(policy)
        self._teller = Storyteller()
        self._zero: float | None = None

    def scenario(self, name: str, title: str, expected: Outcome) -> None:
        """Begin a scenario."""
        self._teller = Storyteller(self._thresholds)
        self._zero = None
        ahead = f"expected: {expected}"
        self._line("")
        self._line(_ends(name, ahead), "1")
        for line in textwrap.wrap(title, WIDTH):
            self._line(line)
        self._line("─" * WIDTH, "2")

    def entry(self, entry: Entry) -> None:
        """Tell one journal entry, if there is anything to tell."""
        if isinstance(entry.event, GateStarted):
            self._thresholds = Thresholds.of(entry.event.policy)
        if self._zero is None and begins(entry):
            self._zero = entry.event.at
        shown: float | None = None
        for beat in self._teller.tell(entry):
            self._beat(beat, stamped=beat.at != shown)
            shown = beat.at

    def note(self, text: str, at: float | None = None) -> None:
        """Tell something that is not in the journal, such as what befalls the simulated world."""
        at = self._zero if at is None else at
        self._beat(Beat(at=at or 0.0, about="world", text=text, tone=Tone.WARN), stamped=at is not None)

    def finished(self, rehearsed: Rehearsed) -> None:
        """Give the verdict on a scenario."""
        self._line("─" * WIDTH, "2")
        good = rehearsed.as_expected
        self._wrapped("✓ " if good else "✗ ", _verdict(rehearsed), TONES[Tone.GOOD if good else Tone.BAD])
        for problem in rehearsed.problems:
            self._wrapped("  ", f"problem: {problem}", TONES[Tone.BAD])

    def summary(self, all_runs: Sequence[Rehearsed], report: Path | None = None) -> None:
        """Give the table of all scenarios, the totals, and where the report lies."""
        self._line("")
        head = f"  {'scenario':<22}{'expected':<10}{'ended':<10}{'to exit':>9}{'software':>10}  why"
        self._line(head, "1")
        self._line("─" * WIDTH, "2")
        for run in all_runs:
            self._row(run)
        self._line("─" * WIDTH, "2")
        good = sum(run.as_expected for run in all_runs)
        self._wrapped("  ", _totals(all_runs, good), "1;32" if good == len(all_runs) else "1;31")
        if report is not None:
            self._line(f"  report: {report}")

    # --- lines --------------------------------------------------------------------------------------

    def _beat(self, beat: Beat, *, stamped: bool) -> None:
        since = beat.at - (self._zero if self._zero is not None else beat.at)
        stamp = f"{since:7.2f} s" if stamped else ""
        first = f"{stamp:<{TIME}} {beat.about:<{ABOUT}}"
        self._wrapped(first, beat.text, TONES[beat.tone])

    def _row(self, run: Rehearsed) -> None:
        ended = "nothing" if run.outcome is None else run.outcome
        times = f"{_seconds(run.stages.total):>9}{_seconds(run.stages.software):>10}"
        sign = "✓" if run.as_expected else "✗"
        first = f"{sign} {run.scenario:<22}{run.expected:<10}{ended:<10}{times}  "
        why = ", ".join((*run.reasons, *run.problems)) or "–"
        self._wrapped(first, why, "" if run.as_expected else TONES[Tone.BAD])

    def _wrapped(self, first: str, text: str, style: str) -> None:
        """Write `first` and the text beside it, going on below the text where it is long."""
        first = self._plain(first)
        lines = textwrap.wrap(self._plain(text), WIDTH - len(first), break_on_hyphens=False) or [""]
        for number, line in enumerate(lines):
            margin = first if number == 0 else " " * len(first)
            self._write(margin + self._styled(line, style))

    def _line(self, text: str, style: str = "") -> None:
        self._write(self._styled(self._plain(text), style))

    def _write(self, line: str) -> None:
        self._out.write(line.rstrip() + "\n")
        self._out.flush()

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if style and self._colour and text else text

    def _plain(self, text: str) -> str:
        """What the stream can take; control characters never pass."""
        clean = "".join(sign if sign.isprintable() else "?" for sign in text)
        if self._signs:
            return clean
        return clean.translate(ASCII).encode("ascii", "replace").decode()


def _ends(left: str, right: str) -> str:
    return f"{left}{right:>{max(1, WIDTH - len(left))}}"


def _seconds(milliseconds: float | None) -> str:
    return "–" if milliseconds is None else f"{milliseconds / 1000:.2f} s"


def _verdict(run: Rehearsed) -> str:
    ended = "did not end" if run.outcome is None else str(run.outcome)
    told = (
        f"{ended}, as expected" if run.outcome is run.expected else f"{ended}, but expected: {run.expected}"
    )
    if run.reasons:
        told += f" ({', '.join(run.reasons)})"
    if run.stages.total is not None:
        told += f" · {_seconds(run.stages.total)} from document to open exit"
    if run.stages.software is not None:
        told += f", {_seconds(run.stages.software)} of it software"
    return told


def _totals(runs: Sequence[Rehearsed], good: int) -> str:
    told = f"{good} of {len(runs)} scenarios ended as expected"
    for name, figures in (
        ("document to open exit", [run.stages.total for run in runs]),
        ("software", [run.stages.software for run in runs if run.stages.total is not None]),
    ):
        known = [figure for figure in figures if figure is not None]
        if known:
            told += f" · median {name} {_seconds(statistics.median(known))}"
    return told
