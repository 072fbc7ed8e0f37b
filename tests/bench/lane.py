"""How soon the gate reacts: from the edge of a sensor's wire to the wire of a door, or to the officers' word.

The real `gated` as a process, on the served GPIO chip, with the settings' debounce times (beams 5 ms, the
others 10 ms), which are part of each figure. Sensors are moved by hand, round after round: in free passage
presence and door contacts lock one door and release the other; somebody who is told to leave keeps the entry
moving by the beams of its curtain; whoever is in a closed lane is an alarm; a fire releases both doors.
Everything is measured by itself, and while a second gate-vision looks at a face at 30 frames a second and
judges it again and again; with gated's threads scheduled as its unit says. The chip is served by this
process, which stands for hardware and so comes before all others.
"""

import os
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from gated.core.settings.board import IoBoardSettings
from gated.core.vocabulary import Door, Mode
from gated.runtime import messages as say
from gated.runtime import requests
from gated.runtime.control import ask
from hw_sim.__main__ import demo_policy
from hw_sim.camera import people
from hw_sim.camera.scene import Scene, Walker, Waypoint, picture, prepare
from hw_sim.lane.board import CURTAINS
from hw_sim.scenarios import LIST
from hw_sim.site import OFFICER, Site
from tests.bench.clocked import come_first
from tests.bench.film import Film
from tests.bench.vision import FRAMES, PASSAGE, PERSON, RATE, WALK_S
from tests.system.vision_rig import Vision
from tests.system.vision_rig import picture as jpeg

ROUNDS: Final = 300
STOPS: Final = 20
SETTLED_S: Final = 0.03  # longer than any debounce time here
GIVE_UP_S: Final = 5.0
UNIT: Final = Path(__file__).parents[2] / "systemd" / "gated.service"
HOLDS_S: Final = 0.5  # the doors' watch looks five times a second
WANTED_MS, WANTED_FIRE_MS = 20, 50
EXIT_RELEASED: Final = "presence: exit released"
BEAM_S: Final = 0.005
ALARM: Final = b"officer needed"
SWITCH_S: Final = 0.0005  # the simulator's threads give way to each other this often

Times = dict[str, list[float]]


class Wires:
    """When each wire of the board changed last, and when the gate last called for an officer."""

    def __init__(self, site: Site, log: Path) -> None:
        self.site = site
        self._at: dict[str, float] = {}
        self._changed = threading.Condition()
        site.board.on_change(lambda name, active: self._mark(f"{name} {active}"))
        self._log = os.open(log, os.O_RDWR)
        threading.Thread(target=self._hear, name="bench-log", daemon=True).start()

    def _mark(self, what: str) -> None:
        with self._changed:
            self._at[what] = time.monotonic()
            self._changed.notify_all()

    def _hear(self) -> None:
        while said := os.read(self._log, 65536):
            if ALARM in said:
                self._mark("alarm")

    def ms(self, do: Callable[[], None], *wanted: str) -> float:
        """Milliseconds from before `do` until all that is wanted has happened."""
        with self._changed:
            for each in wanted:
                self._at.pop(each, None)
        began = time.monotonic()
        do()
        with self._changed:
            if not self._changed.wait_for(lambda: all(each in self._at for each in wanted), GIVE_UP_S):
                raise RuntimeError(f"never happened: {', '.join(wanted)}; {self.site.status()}")
            return 1000 * (max(self._at[each] for each in wanted) - began)

    def move(self, name: str, *, active: bool) -> None:
        """Move a sensor by hand, whatever the simulated world says."""
        self.site.board.stick(name, active)

    def settle(self, **levels: bool) -> None:
        """Move sensors, and let them count."""
        for name, active in levels.items():
            self.move(name, active=active)
        time.sleep(SETTLED_S)

    def edge(self, name: str, *wanted: str, active: bool) -> float:
        """Milliseconds from one edge to what it should lead to."""
        took = self.ms(lambda: self.move(name, active=active), *wanted)
        time.sleep(SETTLED_S)
        return took


def run() -> None:
    """Print the reaction times, and what the wiring does without the program."""
    sys.setswitchinterval(SWITCH_S)
    bodies = _filmed()
    with tempfile.TemporaryDirectory(prefix="egate-bench-") as folder:
        site = Site(Path(folder) / "site", demo_policy(), keep_images=False)
        site._wiring = _with_quick_beams(site._wiring)
        log = site.folder / "gated.log"
        os.mkfifo(log)
        wires = Wires(site, log)
        with site:
            site.centre.publish(LIST)
            site.centre.serve()
            site.start_daemons()
            print(f"{ROUNDS} rounds; ms from the edge, debounce time (10, beams 5) within")
            gated, unit = site.daemons["gated"], _scheduling()
            come_first(os.getpid(), unit + 1)
            come_first(gated.pid, unit)
            _print(f"by itself, scheduled as its unit says (rr, {unit})", _measure(wires), site)
            with _seeing(bodies) as vision_s:
                before, began = vision_s(), time.monotonic()
                times = _measure(wires)
                share = (vision_s() - before) / (time.monotonic() - began)
                _print(f"while a gate-vision takes {share:.0%} of a core", times, site)
            _print_stopped(wires)


def _with_quick_beams(settings: IoBoardSettings) -> IoBoardSettings:
    """As docs/curtain.md asks for."""
    beams = {name: replace(getattr(settings.inputs, name), debounce_s=BEAM_S) for name in CURTAINS}
    return replace(settings, inputs=replace(settings.inputs, **beams))


def _filmed() -> list[bytes]:
    """Somebody walks up to the camera and stays there."""
    path = (Waypoint(time_s=0, distance_m=2.6), Waypoint(time_s=WALK_S, distance_m=0.65))
    scene = Scene(present=(Walker(person=PERSON, path=path),))
    prepare(scene)
    return [jpeg(picture(scene, number / RATE)) for number in range(FRAMES)]


def _scheduling() -> int:
    """The real-time priority (round robin) that the unit of gated asks for."""
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    (priority,) = (line.partition("=")[2] for line in lines if line.startswith("CPUSchedulingPriority="))
    return int(priority)


@contextmanager
def _seeing(bodies: list[bytes]) -> Iterator[Callable[[], float]]:
    """A gate-vision of its own that looks and judges without end; gives how to ask for its CPU time."""
    over, sees = threading.Event(), threading.Event()
    made: list[Vision] = []

    def watch(url: str, folder: Path) -> None:
        with Vision(folder, url) as vision:
            made.append(vision)
            vision.say(say.SetReference(passage=PASSAGE, image=people.passport_photo(PERSON, seed=0)))
            vision.hear(say.Enrolled, 10)
            attempt = 0
            while not over.is_set():
                attempt += 1
                vision.say(say.Capture(passage=PASSAGE, attempt=attempt))
                sees.set()
                vision.listen(2.0, lambda: bool(vision.heard(say.Assessment)) or over.is_set())

    with Film(bodies, RATE) as film, tempfile.TemporaryDirectory(prefix="egate-bench-") as folder:
        looking = threading.Thread(target=watch, args=(film.url, Path(folder)), name="bench-vision")
        looking.start()
        try:
            if not sees.wait(30):
                raise RuntimeError("gate-vision sees nothing")
            yield made[0].daemon.cpu_s
        finally:
            over.set()
            looking.join()


# --- rounds ---------------------------------------------------------------------------------------------


def _measure(wires: Wires) -> Times:
    wires.site.clear_fault("io_board")  # doors whose contacts did not move while a fire had released them
    return {**_free_passage(wires), **_leaving(wires), **_alarms(wires), **_fires(wires)}


def _mode(wires: Wires, mode: Mode) -> None:
    message = requests.SetMode(mode=mode, reason="the bench measures", officer=OFFICER, said_at=time.time())
    signed = replace(message, signature=wires.site.officer_key.sign(message.signed_text))
    answer = ask(f"ipc://{wires.site.run}/control", signed)
    if answer != requests.Done():
        raise RuntimeError(f"refused: {answer}")
    wires.site.await_state({str(mode)}, GIVE_UP_S)


def _free_passage(wires: Wires) -> Times:
    """People go in and out again, by one door after the other; then a contact says that the exit is open."""
    times: Times = {
        "presence: entry locks": [],
        "presence gone: entry released": [],
        EXIT_RELEASED: [],
        "presence gone: exit locks": [],
        "exit not shut: entry locks": [],
        "exit shut: entry released": [],
    }
    entry_locks, entry_opens, exit_opens, exit_locks, contact_locks, contact_opens = times.values()
    wires.settle(occupied=False, crowded=False, document=False, entry_shut=True, exit_shut=True)
    _mode(wires, Mode.FREE_PASSAGE)
    wires.settle(entry_shut=False)
    for _ in range(ROUNDS):
        entry_locks.append(wires.edge("occupied", "entry_release False", active=True))
        entry_opens.append(wires.edge("occupied", "entry_release True", active=False))
    wires.edge("occupied", "entry_release False", active=True)
    wires.edge("entry_shut", "exit_release True", active=True)
    wires.settle(exit_shut=False)
    for _ in range(ROUNDS):
        exit_locks.append(wires.edge("occupied", "exit_release False", active=False))
        exit_opens.append(wires.edge("occupied", "exit_release True", active=True))
    wires.edge("occupied", "exit_release False", active=False)
    wires.edge("exit_shut", "entry_release True", active=True)
    for _ in range(ROUNDS):
        contact_locks.append(wires.edge("exit_shut", "entry_release False", active=False))
        contact_opens.append(wires.edge("exit_shut", "entry_release True", active=True))
        time.sleep(SETTLED_S)  # in all, the exit is open for so short that nobody takes it for forced
    return times


def _leaving(wires: Wires) -> Times:
    """In a closed lane somebody was found, who is gone but for their document: the doorway moves the door."""
    times: Times = {"beam: closing entry reverses": [], "beam free: entry locks": []}
    reverses, locks = times.values()
    _mode(wires, Mode.CLOSED)
    wires.settle(document=True)
    wires.settle(occupied=True)
    wires.settle(entry_shut=False)
    time.sleep(HOLDS_S)
    wires.edge("occupied", "entry_release False", active=False)
    for _ in range(ROUNDS):
        reverses.append(wires.edge("entry_inner_low", "entry_release True", active=True))
        locks.append(wires.edge("entry_inner_low", "entry_release False", active=False))
    wires.settle(entry_shut=True, document=False)
    wires.site.clear_fault("io_board")
    wires.site.await_state({"closed"}, 2 * GIVE_UP_S)
    return times


def _alarms(wires: Wires) -> Times:
    """Somebody is felt in a closed lane: the officers are called, and the way out opens."""
    times: Times = {"presence: officer called": [], "presence: way out opens": []}
    called, opens = times.values()
    for number in range(2 * ROUNDS):
        wanted, found = (("alarm", called), ("entry_release True", opens))[number % 2]
        found.append(wires.edge("occupied", wanted, active=True))
        wires.edge("occupied", "entry_release False", active=False)
    return times


def _fires(wires: Wires) -> Times:
    """The fire input, by the program alone."""
    found: list[float] = []
    for _ in range(ROUNDS):
        found.append(wires.edge("fire", "entry_release True", "exit_release True", active=True))
        wires.settle(fire=False)
        wires.ms(lambda: _reset(wires.site), "entry_release False", "exit_release False")
    return {"fire: both doors released": found}


def _disk(site: Site) -> str:
    """What the disk of the journal takes to keep a page, in milliseconds."""
    took = []
    with (site.folder / "probe").open("wb", buffering=0) as probe:
        for _ in range(ROUNDS):
            probe.write(bytes(4096))
            began = time.monotonic()
            os.fdatasync(probe.fileno())
            took.append(1000 * (time.monotonic() - began))
            time.sleep(SETTLED_S / 3)
    return "p50 {:.1f}, p99 {:.1f}, worst {:.1f} ms".format(*_ranks(took))


def _ranks(values: list[float]) -> tuple[float, float, float]:
    """Median, 99th percentile, worst."""
    ranked = sorted(values)
    return statistics.median(ranked), ranked[min(len(ranked) - 1, round(0.99 * len(ranked)))], ranked[-1]


def _reset(site: Site) -> None:
    """As soon as the end of the alarm has held."""
    deadline = time.monotonic() + GIVE_UP_S
    while not isinstance(site.tell(requests.ResetEmergency()), requests.Done):
        if time.monotonic() > deadline:
            raise RuntimeError("the fire does not end")


def _print(title: str, times: Times, site: Site) -> None:
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{title}; load {load}")
    print(f"  the same disk's own fdatasync meanwhile: {_disk(site)}")
    print(f"  {'':32}{'p50':>8}{'p99':>8}{'worst':>8}   wanted p99")
    for name, values in times.items():
        middle, late, worst = _ranks(values)
        wanted = WANTED_FIRE_MS if name.startswith("fire") else WANTED_MS
        verdict = f"{wanted}{'' if late <= wanted else '   MISSED'}"
        if name == EXIT_RELEASED:
            verdict = "- (waits until its reason is on the disk)"
        print(f"  {name:32}{middle:8.1f}{late:8.1f}{worst:8.1f}   {verdict}")
    status = site.status()
    print(f"  faults meanwhile: {', '.join(status.faults) if status and status.faults else 'none'}")


def _print_stopped(wires: Wires) -> None:
    """With the program stopped dead a fire opens both doors by its wire."""
    site, gated = wires.site, wires.site.daemons["gated"]
    found: list[float] = []
    for door in Door:
        site.world.mend(f"{door}_shut")
    for _ in range(STOPS):
        gated.signal(signal.SIGSTOP)
        began = time.monotonic()
        site.world.fire(burning=True)
        moved = _opening(site, began)
        found.append(1000 * (moved - began))
        site.world.fire(burning=False)
        time.sleep(0.1)
        gated.signal(signal.SIGCONT)
        site.world.wait_until(lambda: all(site.world.door(door) == 0.0 for door in Door), GIVE_UP_S)
    print(
        f"fire with the program stopped dead (SIGSTOP), {STOPS} times, by the wire, until both doors move: "
        f"median {statistics.median(found):.1f} ms, worst {max(found):.1f} ms; wanted {WANTED_FIRE_MS} ms"
    )


def _opening(site: Site, since: float) -> float:
    """When the later of both doors began to open."""
    while time.monotonic() - since < GIVE_UP_S:
        marks = [
            m for m in site.world.timeline if m.at >= since and m.kind == "door" and m.state == "opening"
        ]
        if len({m.name for m in marks}) == len(Door):
            return max(m.at for m in marks)
        with suppress(RuntimeError):
            site.world.wait_until(lambda: False, 0.002)
    raise RuntimeError("the doors did not open")
