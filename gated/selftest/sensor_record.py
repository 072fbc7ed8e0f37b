"""What was seen of each input while a technician walked, stood and reached into beams; and what follows."""

from collections.abc import Iterator, Mapping
from typing import Final

from gated.core.crossings import Beam
from gated.core.settings.board import InputLine, Inputs
from gated.core.vocabulary import Door
from gated.runtime.requests import Mark
from gated.selftest.door_times import debounce_for, gaps_of, input_line
from gated.selftest.finding import Finding, fault, ok, warning

BEAM_GAP_S: Final = 0.010  # legs and arms interrupt a beam for twice as long and more
GAP_S: Final = 0.100
LEAST_S: Final = 0.005
BEAMS: Final = tuple(f"{door}_{beam}" for door in Door for beam in Beam)
SEEN: Final = ("occupied", "crowded", *BEAMS)


class Record:
    """Of every input: its level at rest, whether it moved when it should, its edges."""

    def __init__(self, wired: Inputs) -> None:
        self.wired = {name: getattr(wired, name) for name in SEEN if getattr(wired, name) is not None}
        self.rest: dict[str, bool] = {}
        self.met: dict[str, str] = {}  # the beam that was meant, and the wire that answered
        self.moved: set[str] = set()
        self.must_move: set[str] = set()
        self._edges: dict[str, list[Mark]] = {name: [] for name in self.wired}

    def see(self, mark: Mark) -> None:
        """A wire moved."""
        if mark.name not in self.wired:
            return
        if mark.bounce:
            self._edges[mark.name].append(mark)
        elif mark.active != self.rest.get(mark.name, mark.active):
            self.moved.add(mark.name)

    def debounce(self, name: str) -> float:
        """What its bounces ask for; 0 where it had none."""
        gaps = gaps_of(self._edges[name], BEAM_GAP_S if name in BEAMS else GAP_S)
        return debounce_for(max(gaps), LEAST_S) if gaps else 0.0

    def judge(self) -> Iterator[Finding]:
        """Whether each input moves, and the right way round."""
        for name, line in self.wired.items():
            yield self._judged(name, line)

    def _judged(self, name: str, line: InputLine) -> Finding:
        answered = self.met.get(name, name)
        if answered != name and answered:
            fix = f"exchange `line` of {name} and {answered}, or their plugs"
            return fault("sensors", "swapped", f"{answered} answered in its place", fix, name)
        if name not in self.moved and name in self.must_move:
            told = "always active" if self.rest.get(name) else "never active"
            return fault(
                "sensors",
                "dead",
                told,
                f"check its supply, its alignment, its wire to line {line.line}",
                name,
            )
        if self.rest.get(name) and name in self.moved:
            fix = f"set active_low = {str(not line.active_low).lower()} in [io_board.inputs] {name}"
            return fault("sensors", "inverted", "active with nobody there, inactive with somebody", fix, name)
        if self.rest.get(name):
            fix = "take away what it sees; else check its alignment, its wire and active_low"
            return fault("sensors", "active_at_rest", "active with nobody there", fix, name)
        wanted = self.debounce(name)
        if wanted > line.debounce_s:
            told = f"bounces for longer than its debounce_s of {line.debounce_s:g}"
            return warning(
                "sensors", "bounces", told, f"set debounce_s = {wanted:g}, and see its contact", name
            )
        return ok("sensors", "moves as it should" if name in self.moved else "still, and not tried", name)

    def toml(self) -> list[str]:
        """The inputs that are to be changed, as lines to paste."""
        lines = [text for name, line in self.wired.items() if (text := self._changed(name, line))]
        return ["[io_board.inputs]", *lines] if lines else []

    def _changed(self, name: str, line: InputLine) -> str:
        answered = self.met.get(name, name) or name
        other: InputLine = self.wired[answered]
        inverted = bool(self.rest.get(answered)) and answered in self.moved
        hold = max(line.debounce_s, self.debounce(answered))
        if answered == name and not inverted and hold == line.debounce_s:
            return ""
        low = other.active_low != inverted
        return input_line(name, line, number=other.line, active_low=low, debounce_s=hold)


def rest_levels(levels: Mapping[str, bool], record: Record) -> dict[str, bool]:
    """The levels of the inputs that are looked at."""
    return {name: active for name, active in levels.items() if name in record.wired}
