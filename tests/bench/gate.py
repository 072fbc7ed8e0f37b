"""The whole gate: how long a passage takes and how much of it is software, starting, and idling."""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from hw_sim.__main__ import demo_policy
from hw_sim.record import Stages
from hw_sim.rehearsal import Rehearsal
from hw_sim.scenarios import BY_NAME, HOLDERS, LIST, WANTED
from hw_sim.site import Site

PASSAGES: Final = 10
IDLE_S: Final = 20.0
STAGES: Final = ("mrz", "chip", "background", "enter", "face", "decide", "total", "modelled", "software")


def run() -> None:
    """Print the figures of citizens' passages, of the start and of an idle gate."""
    with (
        tempfile.TemporaryDirectory(prefix="egate-bench-") as folder,
        Site(Path(folder) / "site", demo_policy(), keep_images=False) as site,
    ):
        site.centre.publish(LIST)
        site.centre.serve()
        site.start_daemons()
        ready = ", ".join(f"{daemon.name} {daemon.ready_s:.2f} s" for daemon in site.daemons.values())
        print(f"ready after start: {ready}")
        _print_idle(site)
        _print_passages(site)


def _print_idle(site: Site) -> None:
    """CPU of all daemons together while nobody is there and the camera sleeps."""
    time.sleep(3.0)
    before = {name: daemon.cpu_s() for name, daemon in site.daemons.items()}
    time.sleep(IDLE_S)
    spent = {name: (daemon.cpu_s() - before[name]) / IDLE_S for name, daemon in site.daemons.items()}
    each = ", ".join(f"{name} {share:.2%}" for name, share in spent.items())
    print(f"idle for {IDLE_S:.0f} s: {sum(spent.values()):.2%} of one core ({each}); wanted < 5 %")


def _print_passages(site: Site) -> None:
    """Citizens in real time, one after another, each with another face, gait and photograph."""
    people = [name for name in HOLDERS if name != WANTED]
    found: list[Stages] = []
    missed = 0
    for number in range(PASSAGES):
        scenario = replace(BY_NAME["citizen"], holder=people[number % len(people)])
        rehearsed = Rehearsal(site, scenario, lambda _: None, seed=number).play()
        if rehearsed.as_expected:
            found.append(rehearsed.stages)
        else:
            missed += 1
    print(f"{PASSAGES} citizens, chip at 848 kbit/s, walk of 2.5 s; not admitted: {missed}")
    for stage in STAGES:
        values = sorted(value for s in found if (value := getattr(s, stage)) is not None)
        if values:
            middle = statistics.median(values)
            print(f"  {stage:<11} median {middle:7.0f} ms, from {values[0]:7.0f} to {values[-1]:7.0f}")
    print("  wanted: total median <= 7000 ms, software <= 1500 ms")
