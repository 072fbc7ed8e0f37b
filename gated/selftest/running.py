"""A gate that runs: what its lanes know of their devices, as findings. Nothing is touched for it."""

from collections.abc import Iterator
from typing import Final

from gated.config import GateConfig
from gated.core.gate import ALWAYS_FELT, State
from gated.core.vocabulary import Aging, Device, Vouched
from gated.report import span
from gated.runtime.requests import SelfTested
from gated.selftest.finding import Finding, fault, many, ok, warning
from gated.selftest.inputs import Lane, judge, named

DOUBTED: Final = f"{ALWAYS_FELT.device}: {ALWAYS_FELT.code}"
WATCHED_S: Final = 3.0  # all inputs are read once a second
RESTING: Final = frozenset({State.IDLE, State.CLOSED, State.LOCKED, State.MAINTENANCE, State.OUT_OF_SERVICE})
STARTING_FIX: Final = "wait some seconds and test again: the gate has just started"
LINKS: Final = {
    "unknown": (
        "gate-link has not answered yet",
        "wait ten seconds after a start and test again; else see `systemctl status gate-link`",
    ),
    "refused": (
        "the central side refuses this gate",
        "compare this gate's public key with what the centre knows, and [link] server_key",
    ),
    "no_link": (
        "the central side does not answer",
        "check the network cable and [link] requests; see `journalctl -u gate-link`",
    ),
}
PUBLISHED_FIX: Final = "see `gatectl watchlist status`: it names what did not come, and why"
CAMERA_WELL: Final = {"live": "streams", "asleep": "asleep, was well when it last looked"}


def judge_running(tested: SelfTested, config: GateConfig) -> Iterator[Finding]:
    """Everything that the running gate says of its devices."""
    status = tested.status
    yield ok(
        "gated",
        f"{status.state}, told to be {status.mode}, up {span(status.uptime_s)}, persons {status.persons}",
    )
    yield from _faults(tested)
    yield from _board(tested)
    yield from _readers(tested)
    yield from _eyes(tested)
    yield from _lists(tested, config)
    if config.safety_controller is not None:
        yield from _safety(tested)


def _faults(tested: SelfTested) -> Iterator[Finding]:
    """What is wrong now, and what was and still waits for somebody to look."""
    now = {(device, trouble.code) for device, trouble in tested.troubles.items()}
    unwatched = {str(device) for device in Device} - set(tested.status.devices)
    for device, trouble in tested.troubles.items():
        if device not in unwatched:
            yield fault(device, trouble.code, "does not work", trouble.fix or STARTING_FIX)
    for told, fix in tested.status.faults.items():
        device, _, code = told.partition(": ")
        if (device, code) not in now:
            yield fault(device, code, "latched", f"{fix}; then: gatectl clear-fault {device}")


def _is_well(tested: SelfTested, device: Device) -> bool:
    return device not in tested.troubles


def _board(tested: SelfTested) -> Iterator[Finding]:
    if not tested.inputs:
        return
    if tested.watched_s > WATCHED_S:
        yield fault(
            "io_board",
            "not_watched",
            f"inputs last read {tested.watched_s:.0f} s ago",
            "restart gated; if it recurs, replace the board",
        )
    elif _is_well(tested, Device.IO_BOARD):
        yield ok("io_board", f"open, inputs read {tested.watched_s:.1f} s ago")
    status = tested.status
    released = frozenset(door for door, told in status.doors.items() if told.startswith("released"))
    lane = Lane(
        doubted=DOUBTED in status.faults,
        released=_by_wire(released, status.direction),
        at_rest=status.passage is None and status.state in RESTING,
        cycles=tested.cycles,
    )
    levels = named([(each.name, each.active, each.since_s) for each in tested.inputs])
    yield from judge(levels, tested.flapping, lane)


def _by_wire(doors: frozenset[str], direction: str) -> frozenset[str]:
    """The physical ends of doors that are named by the direction in force."""
    return doors if direction == "forward" else frozenset({"entry", "exit"} & {OTHER[door] for door in doors})


OTHER: Final = {"entry": "exit", "exit": "entry"}


def _readers(tested: SelfTested) -> Iterator[Finding]:
    if _is_well(tested, Device.MRZ_SCANNER):
        heard = (
            "a page camera reads"
            if tested.messages is None
            else f"{many(tested.messages, 'message')} since the start"
        )
        yield ok("mrz_scanner", f"open; {heard}")
    if _is_well(tested, Device.CHIP_READER) and tested.longest_command:
        yield ok("chip_reader", f"answers; commands of {tested.longest_command} bytes")


def _eyes(tested: SelfTested) -> Iterator[Finding]:
    if _is_well(tested, Device.VISION):
        yield ok("vision", "answers")
    for name, state in tested.status.cameras.items():
        if state in CAMERA_WELL:
            yield ok("cameras", CAMERA_WELL[state], name)
        elif state == "not_checked":
            yield warning("cameras", state, "not looked through yet", "test again in a minute", name)
        else:
            yield fault("cameras", state, "does not work", "check its cable, power and source", name)


def _lists(tested: SelfTested, config: GateConfig) -> Iterator[Finding]:
    state = tested.link
    if state == "live":
        yield ok("link", "the central side answers")
    else:
        told, fix = LINKS.get(state, LINKS["no_link"])
        yield warning("link", f"link_{state}", told, fix)
    yield watchlist(tested.status.watchlist_version, tested.status.watchlist_age_s, config)
    for kind in Vouched:
        if kind is not Vouched.WATCHLIST and kind in tested.status.ages_s:
            yield _aged("published", kind, "", tested.status.ages_s[kind], config, PUBLISHED_FIX)


def watchlist(version: int, age_s: float | None, config: GateConfig) -> Finding:
    """How old the list is."""
    fix = "see `journalctl -u gate-link`: lists come by the link, or by hand (docs of the centre)"
    if age_s is None:
        return fault("watchlist", "no_list", "none yet", fix)
    return _aged("watchlist", Vouched.WATCHLIST, f"version {version}, ", age_s, config, fix)


def _aged(device: str, kind: Vouched, lead: str, age_s: float, config: GateConfig, fix: str) -> Finding:
    """What the age of the centre's last word on a kind means here."""
    told = f"{lead}vouched for {span(age_s)} ago"
    part = "" if device == kind else str(kind)
    meaning = config.policy.meaning(kind, age_s)
    code = f"{kind}_{meaning}"
    match meaning:
        case Aging.CLOSING:
            return fault(device, code, f"{told}: the lane takes nobody", fix, part)
        case Aging.STALE:
            return fault(device, code, f"{told}: nobody is admitted by it", fix, part)
        case Aging.OLD:
            return warning(device, code, told, fix, part)
        case Aging.FRESH:
            return ok(device, told, part)


def _safety(tested: SelfTested) -> Iterator[Finding]:
    safety = tested.safety
    if safety is None:
        yield fault("safety_controller", "no_session", "no session is on", "see the faults of io_board above")
        return
    for code, fix in safety.faults.items():
        yield fault("safety_controller", code, "says the controller", fix)
    if not safety.faults:
        who = f"firmware {safety.firmware}, configuration {safety.configuration}"
        yield ok("safety_controller", f"{who}, {safety.supply_v:.1f} V, no fault")
