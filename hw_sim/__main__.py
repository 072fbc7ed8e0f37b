"""`gate-sim`: a whole gate with simulated devices, real daemons and travellers; or a lone chip."""

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from gated.core.policy import DAY_S, Limits, Policy
from gated.core.vocabulary import Outcome
from hw_sim import chip_command, kiosk_and_gate
from hw_sim.camera.people import portrait
from hw_sim.kiosk_and_gate import KioskAndGate
from hw_sim.lane.gpio_shim import ShimError
from hw_sim.native import errors_to
from hw_sim.record import Rehearsed
from hw_sim.rehearsal import Rehearsal
from hw_sim.scenarios import BY_NAME, DEMO, LIST, SCENARIOS, Scenario
from hw_sim.site import EMBEDDER, Site
from hw_sim.supervisor import DaemonError
from hw_sim.telling import report
from hw_sim.telling.timeline import Narrator, wants_colour
from models import manifest

FOLDER = Path("build/demo")
FMR = 0.001  # the false match rate that the gate is held to (TR-03121)
OK, NOT_AS_EXPECTED, CANNOT = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.command(arguments))
    except (DaemonError, ShimError) as error:
        print(f"gate-sim: {error}", file=sys.stderr)
        return CANNOT
    except KeyboardInterrupt:
        return CANNOT
    except BrokenPipeError:  # whoever read has read enough; nor must anything be said at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK


def list_scenarios(arguments: argparse.Namespace) -> int:
    """List the scenarios."""
    lines = [(scenario.name, scenario.expected, scenario.title) for scenario in SCENARIOS]
    for name, expected, title in (*lines, (kiosk_and_gate.NAME, Outcome.ADMITTED, kiosk_and_gate.TITLE)):
        if arguments.json:
            known = {"scenario": name, "expected": expected, "title": title}
            print(msgspec.json.encode(known).decode())
        else:
            print(f"{name:<22} {expected:<10} {title}")
    return OK


def run(arguments: argparse.Namespace) -> int:
    """Run scenarios; the exit status is 0 only if each ends as expected."""
    named = (*(DEMO if arguments.demo else ()), *arguments.scenarios)
    apart = arguments.all or kiosk_and_gate.NAME in named
    alone = [name for name in named if name != kiosk_and_gate.NAME]
    unknown = [name for name in alone if name not in BY_NAME]
    if unknown or not (arguments.all or arguments.faults or named):
        what = f"no scenario is called {', '.join(unknown)}" if unknown else "no scenario is named"
        print(f"gate-sim: {what}: name some of `gate-sim list`, or --demo, --all, --faults", file=sys.stderr)
        return CANNOT
    chosen = (
        *(each for each in SCENARIOS if (arguments.faults if each.way_back else arguments.all)),
        *(BY_NAME[name] for name in alone),
    )
    began = time.monotonic()
    policy = demo_policy()
    out = sys.stderr if arguments.json else sys.stdout
    narrator = Narrator(out, colour=wants_colour(out), policy=policy)
    runs: list[Rehearsed] = []
    told = (*chosen, *(kiosk_and_gate.STORY if apart else ()))
    _cast(told, arguments.seed, arguments.folder / "native.log")
    for lane in dict.fromkeys(scenario.lane for scenario in chosen):
        with Site(arguments.folder / f"site-{lane.topology}", policy, lane=lane) as site:
            site.centre.publish(LIST)
            site.centre.serve()
            site.start_daemons()
            for scenario in (each for each in chosen if each.lane == lane):
                runs.append(_rehearse(site, scenario, narrator, arguments.seed))
                if arguments.json:
                    print(_line(runs[-1]), flush=True)
    if apart:
        runs += _kiosk_and_gate(arguments, policy, narrator)
    path = arguments.report or arguments.folder / "report.html"
    report.write(path, runs, _conditions(time.monotonic() - began))
    narrator.summary(runs, path)
    return OK if all(each.as_expected for each in runs) else NOT_AS_EXPECTED


def _kiosk_and_gate(arguments: argparse.Namespace, policy: Policy, narrator: Narrator) -> list[Rehearsed]:
    """Play the story of the kiosk and the gate that stand apart."""
    runs = []
    with KioskAndGate(arguments.folder / f"site-{kiosk_and_gate.NAME}", policy) as both:
        for scenario in kiosk_and_gate.STORY:
            narrator.scenario(scenario.name, scenario.title, scenario.expected)
            runs.append(both.play(scenario, narrator.entry, arguments.seed))
            narrator.finished(runs[-1])
            if arguments.json:
                print(_line(runs[-1]), flush=True)
    return runs


def _cast(chosen: Sequence[Scenario], seed: int, log: Path) -> None:
    """Have everybody's photograph taken before the story begins; what native code prints goes to a log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with errors_to(log):
        for holder in {scenario.holder for scenario in chosen}:
            portrait(holder, seed)


def _rehearse(site: Site, scenario: Scenario, narrator: Narrator, seed: int) -> Rehearsed:
    site.start_daemons()
    narrator.scenario(scenario.name, scenario.title, scenario.expected)
    rehearsed = Rehearsal(site, scenario, narrator.entry, seed).play()
    narrator.finished(rehearsed)
    return rehearsed


def demo_policy() -> Policy:
    """The policy of the simulated gate: thresholds from the models' manifest, shorter waits than at a border.

    For the page it waits longer: a traveller may have to lay it down again; and for the photograph to be
    enrolled, by a machine that is busy with all of this. The clock of a developer's
    machine is often not synchronised, so here that is not required.
    """
    models = manifest.load()
    return Policy(
        match_fmr=FMR,
        match_threshold=models.threshold(EMBEDDER, FMR),
        liveness_threshold=models.liveness.live_score,
        require_synchronised_clock=False,
        watchlist_close_age_s=7 * DAY_S,
        calls=2,
        limits=Limits(optical_s=10.0, background_s=3.0, officer_s=15.0, leave_s=8.0, change_over_s=1.5),
    )


def _line(rehearsed: Rehearsed) -> str:
    """Write one passage as one line of JSON."""
    return msgspec.json.encode(
        {
            "scenario": rehearsed.scenario,
            "expected": rehearsed.expected,
            "outcome": rehearsed.outcome,
            "reasons": rehearsed.reasons,
            "problems": rehearsed.problems,
            "stages_ms": rehearsed.stages,
            "passage": rehearsed.passage,
        }
    ).decode()


def _conditions(seconds: float) -> dict[str, str]:
    return {
        "egate": version("egate"),
        "Python": platform.python_version(),
        "machine": f"{_processor()}, {os.cpu_count()} processors",
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "face model": f"{EMBEDDER}, threshold at FMR {FMR:.1%}",
        "chip": "modelled: 848 kbit/s, 3 ms a command, 10 ms a KiB, 60 ms a point multiplication",
        "policy": "as shipped, but: clock need not be synchronised; a watchlist of 7 days closes the lane; "
        "page 10 s, background 3 s, officer 15 s, way out 8 s, turn 1.5 s",
        "time for all": f"{seconds:.0f} s",
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gate-sim", description="Rehearse a whole simulated gate.")
    words = parser.add_subparsers(required=True, metavar="COMMAND")
    listed = words.add_parser("list", help="list the scenarios")
    listed.add_argument("--json", action="store_true", help="one JSON object a line")
    listed.set_defaults(command=list_scenarios)
    played = words.add_parser("run", help="run scenarios in real time")
    played.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="of `gate-sim list`")
    played.add_argument("--demo", action="store_true", help="run a choice of them that takes five minutes")
    played.add_argument("--all", action="store_true", help="run every scenario of a passage")
    faults = "run every fault that has to be mended, and the next traveller after it"
    played.add_argument("--faults", action="store_true", help=faults)
    played.add_argument("--seed", type=int, default=0, help="vary faces' light, gait and photographs")
    played.add_argument("--json", action="store_true", help="one JSON object a line for each passage")
    played.add_argument("--report", type=Path, help="where to write the report (HTML)")
    played.add_argument("--folder", type=Path, default=FOLDER, help="where state and logs go")
    played.set_defaults(command=run)
    chip_command.add(words)
    return parser


if __name__ == "__main__":
    sys.exit(main())
