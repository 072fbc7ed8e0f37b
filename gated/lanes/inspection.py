"""What each lane knows of its device, put together for a technician. Nothing is touched for it."""

import time
from collections.abc import Iterable

from drivers.gpio import IoBoard
from drivers.guarded_board import GuardedBoard
from drivers.safety_faults import error_of
from drivers.safety_protocol import Fault
from gated.lanes.board import BoardLane
from gated.lanes.chip import ChipLane
from gated.lanes.condition import Condition
from gated.lanes.lists import ListsLane
from gated.lanes.page import PageLane
from gated.lanes.scanner import ScannerLane
from gated.runtime import requests as say

MV = 1000


def inspect(
    status: say.Status,
    conditions: Iterable[Condition],
    board: BoardLane,
    zone: ScannerLane | PageLane,
    chip: ChipLane,
    lists: ListsLane,
) -> say.SelfTested:
    """The answer to `SelfTest`. For any thread."""
    now, whole = time.monotonic(), board.board
    lines = whole.lines if isinstance(whole, GuardedBoard) else whole
    limits = chip.limits()
    return say.SelfTested(
        status=status,
        troubles={
            str(each.device): say.Trouble(code=each.code, fix=each.fix(each.code))
            for each in conditions
            if each.code is not None
        },
        inputs=tuple(
            say.Sensed(name=name, active=active, since_s=max(0.0, now - since))
            for name, (active, since) in board.trace.levels().items()
            if not name.endswith("_release")
        ),
        flapping=lines.flapping if isinstance(lines, IoBoard) else (),
        watched_s=max(0.0, now - whole.turned_at),
        cycles=board.cycles,
        messages=zone.heard if isinstance(zone, ScannerLane) else None,
        longest_command=limits.max_command if limits else 0,
        link=lists.link_state,
        safety=_safety(whole) if isinstance(whole, GuardedBoard) else None,
    )


def _safety(board: GuardedBoard) -> say.SafetyState | None:
    """Who the safety controller is and what it finds wrong; None while no session is on."""
    identity, report = board.controller.identity, board.controller.report
    if identity is None or report is None:
        return None
    found = [error_of(fault) for fault in Fault if fault in report.faults]
    return say.SafetyState(
        firmware=".".join(map(str, identity.firmware)),
        configuration=identity.configuration.hex(),
        supply_v=report.supply_mv / MV,
        faults={error.code: error.fix for error in found},
    )
