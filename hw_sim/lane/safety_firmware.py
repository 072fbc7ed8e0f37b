"""The program of a simulated safety controller, written from `docs/safety-controller.md` alone.

It shares no line with the PC's end (`drivers.safety_protocol`), not even the CRC: what both understand alike
stands in the document. The rules R1 to R8 are those of its chapter on what the controller enforces.

Time is an argument (seconds). `hear` takes bytes, `scan` looks at the wires and sets `released` and `common`,
the relays' coils; `speak` gives the bytes to send. `due` is when `scan` must be called again, at the latest.
"""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gated.core.vocabulary import Door

ENTRY, EXIT = Door.ENTRY, Door.EXIT
OTHER: Final = {ENTRY: EXIT, EXIT: ENTRY}

HELLO, WISH, WELCOME, REPORT, STRANGER = 0x01, 0x02, 0x81, 0x82, 0x83
EMERGENCY_CODE, END_CODE = 0xE5C3, 0x1A3C
STANDBY, RUNNING, EMERGENCY, LOCKED_OUT = 1, 2, 3, 4
NONE, WISHED, EXPIRED, HEARTBEAT, INTERLOCK, FAULT = range(6)

CHALLENGE_S: Final = 0.1
PENDING_S: Final = 1.0
RELAY_S: Final = 0.1  # a relay follows its coil within this
SETTLE_S: Final = 0.3  # a shut door may rattle this long
SUPPLY_S: Final = 1.0  # a supply that came back must hold this long

RELAY_STUCK: Final = {ENTRY: 0x0001, EXIT: 0x0002}
RELAY_DEAD: Final = {ENTRY: 0x0004, EXIT: 0x0008}
COMMON_STUCK: Final = 0x0010
SUPPLY_LOW, SUPPLY_HIGH, SELF_TEST, WATCHDOG_RESET, FIRE_CHANNELS = 0x0020, 0x0040, 0x0080, 0x0100, 0x0200
FORBIDDING: Final = 0x0001 | 0x0002 | COMMON_STUCK | SUPPLY_LOW | SUPPLY_HIGH | SELF_TEST


@dataclass(frozen=True, slots=True)
class Setting:
    """The parameters of the commissioning."""

    doors: int = 2
    deadman_ms: int = 300
    max_release_ms: int = 15_000
    report_ms: int = 100
    reversal_ms: int = 1_000
    fire_hold_ms: int = 2_000
    supply_min_mv: int = 20_400
    supply_max_mv: int = 28_800
    pc_emergency: bool = True

    def configuration(self) -> bytes:
        """The first eight bytes of the SHA-256 of the parameter block."""
        times = (
            self.deadman_ms,
            self.max_release_ms,
            self.report_ms,
            self.reversal_ms,
            self.fire_hold_ms,
            self.supply_min_mv,
            self.supply_max_mv,
            1 if self.pc_emergency else 0,
        )
        block = bytes((1, self.doors)) + b"".join(each.to_bytes(2, "big") for each in times)
        return hashlib.sha256(block).digest()[:8]


@dataclass(slots=True)
class Wires:
    """What the controller measures."""

    shut: dict[Door, bool] = field(default_factory=lambda: {ENTRY: True, EXIT: True})
    obstructed: dict[Door, bool] = field(default_factory=lambda: {ENTRY: False, EXIT: False})
    feedback: dict[Door, bool] = field(default_factory=lambda: {ENTRY: False, EXIT: False})
    common_feedback: bool = False
    fire: bool = False
    fire_agrees: bool = True
    panic: bool = False
    supply_mv: int = 24_000


def crc32(data: bytes) -> int:
    """CRC-32/ISO-HDLC, bit by bit."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xEDB88320 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


class Leaf:
    """What the program remembers of one door."""

    def __init__(self) -> None:
        self.until = float("-inf")  # until when a release is wished for
        self.released = False  # by wish or reversal
        self.reversing_until = float("-inf")
        self.may_be_open = True  # released, or not seen shut since
        self.open_since: float | None = None
        self.coil_since = float("-inf")  # when the coil was switched last


class Firmware:
    """One controller from power-up to power-down."""

    def __init__(
        self,
        setting: Setting,
        now: float,
        chance: Callable[[], int],
        *,
        version: int = 1,
        by_watchdog: bool = False,
    ) -> None:
        self.setting = setting
        self.released: frozenset[Door] = frozenset()
        self.common = False
        self._version = version
        self._chance = chance
        self._leaves = {ENTRY: Leaf(), EXIT: Leaf()}
        self._faults = WATCHDOG_RESET if by_watchdog else 0
        self._common_since = now
        self._withheld = False
        self._emergency = False
        self._cause_at = float("-inf")  # fire or panic were last seen
        self._supply_bad_at = float("-inf")
        self._reason = NONE
        self._now = now
        self._buffer = b""
        self._outbox = b""
        self._session: int | None = None
        self._pending: tuple[int, int, int, float] | None = None  # session, PC's sequence, challenge, since
        self._sent = self._heard = 0
        self._wished_at = now
        self._challenges: list[int] = []  # the newest last
        self._challenge_at = now
        self._reported: bytes = b""
        self._reported_at = now
        self._owes_report = False

    # --- the line -----------------------------------------------------------------------------------

    def hear(self, data: bytes, now: float) -> None:
        """Take bytes from the line."""
        self._now = now
        self._buffer += data
        while len(self._buffer) >= 32:
            raw = self._buffer[:32]
            if raw[:2] == b"\xe6\x5a" and crc32(raw[:28]) == int.from_bytes(raw[28:], "big"):
                self._buffer = self._buffer[32:]
                self._telegram(raw)
            else:
                self._buffer = self._buffer[1:]

    def speak(self) -> bytes:
        """What is to be sent now."""
        said, self._outbox = self._outbox, b""
        return said

    def _telegram(self, raw: bytes) -> None:
        version, kind = raw[2], raw[3]
        session, sequence = struct.unpack_from(">IH", raw, 4)
        if version != self._version:
            self._send(STRANGER, session, bytes((2, self._version)) + bytes(14), sequence)
        elif kind == HELLO:
            nonce = self._chance() & 0xFFFFFFFF
            number = crc32(raw[4:8] + nonce.to_bytes(4, "big"))
            self._pending = (number, sequence, nonce, self._now)
            body = nonce.to_bytes(4, "big") + self.setting.configuration()
            body += (0x0103).to_bytes(2, "big") + self.setting.deadman_ms.to_bytes(2, "big")
            self._send(WELCOME, session, body, sequence)
        elif kind == WISH:
            self._wish(session, sequence, raw[12:28])

    def _wish(self, session: int, sequence: int, body: bytes) -> None:
        answer, entry_ms, exit_ms, mode = struct.unpack_from(">IHHH", body)
        if session == self._session:
            known, last = self._challenges, self._heard
        elif self._pending is not None and session == self._pending[0]:
            known, last = [self._pending[2]], self._pending[1]
        else:
            self._send(STRANGER, session, bytes((1, self._version)) + bytes(14), sequence)
            return
        if not 1 <= (sequence - last) % 65536 <= 64:
            return
        tail = session.to_bytes(4, "big") + sequence.to_bytes(2, "big")
        if answer not in {crc32(each.to_bytes(4, "big") + tail) for each in known}:
            return
        if session != self._session:
            if entry_ms or exit_ms:
                return  # R4: a session begins with nothing released
            self._session, self._pending = session, None
            self._challenges, self._challenge_at = list(known), self._now
            self._reason = NONE
        self._heard, self._wished_at, self._owes_report = sequence, self._now, True
        self._obey(entry_ms, exit_ms, mode)

    def _obey(self, entry_ms: int, exit_ms: int, mode: int) -> None:
        if mode == EMERGENCY_CODE and self.setting.pc_emergency:
            self._emergency = True
        if mode == END_CODE and self._now - self._cause_at > self.setting.fire_hold_ms / 1000:
            self._emergency = False
        if entry_ms and exit_ms:  # R1
            entry_ms = exit_ms = 0
            self._reason = INTERLOCK
        for door, wished_ms in ((ENTRY, entry_ms), (EXIT, exit_ms)):
            leaf = self._leaves[door]
            limited = min(wished_ms, self.setting.max_release_ms) / 1000
            if not wished_ms and leaf.until > self._now:
                self._reason = WISHED
            leaf.until = self._now + limited if wished_ms else float("-inf")

    def _send(self, kind: int, session: int, body: bytes, acknowledged: int) -> None:
        self._sent = (self._sent + 1) % 65536
        head = (
            b"\xe6\x5a"
            + bytes((self._version, kind))
            + struct.pack(">IHH", session, self._sent, acknowledged)
        )
        raw = head + body
        self._outbox += raw + crc32(raw).to_bytes(4, "big")

    # --- the wires ------------------------------------------------------------------------------------

    def scan(self, wires: Wires, now: float) -> None:
        """Look at everything, set the coils, and report what changed."""
        self._now = now
        self._watch_heartbeat()
        self._watch_wires(wires)
        self._decide(wires)
        self._report(wires)

    def _watch_heartbeat(self) -> None:
        if self._pending is not None and self._now - self._pending[3] >= PENDING_S:
            self._pending = None
        if self._session is None or self._now - self._wished_at < self.setting.deadman_ms / 1000:
            return
        for leaf in self._leaves.values():  # R3
            leaf.until = float("-inf")
        self._reason = HEARTBEAT

    def _watch_wires(self, wires: Wires) -> None:
        if wires.fire or wires.panic or not wires.fire_agrees:  # R6
            self._emergency, self._cause_at = True, self._now
        self._flag(FIRE_CHANNELS, on=not wires.fire_agrees)
        low = wires.supply_mv < self.setting.supply_min_mv
        high = wires.supply_mv > self.setting.supply_max_mv
        if low or high:
            self._supply_bad_at = self._now
            self._flag(SUPPLY_LOW, on=low)
            self._flag(SUPPLY_HIGH, on=high)
        elif self._now - self._supply_bad_at >= SUPPLY_S:
            self._faults &= ~(SUPPLY_LOW | SUPPLY_HIGH)
        if wires.common_feedback and not self.common and self._now - self._common_since > RELAY_S:
            self._faults |= COMMON_STUCK
        for door, leaf in self._leaves.items():
            if self._now - leaf.coil_since > RELAY_S and not self._emergency:
                on = door in self.released
                if wires.feedback[door] and not on:
                    self._faults |= RELAY_STUCK[door]  # R8: until the power is cut
                if on and self.common:
                    self._flag(RELAY_DEAD[door], on=not wires.feedback[door])
            if wires.shut[door]:
                leaf.open_since = None
                leaf.may_be_open = leaf.may_be_open and leaf.released
            elif leaf.open_since is None:
                leaf.open_since = self._now

    def _flag(self, fault: int, *, on: bool) -> None:
        self._faults = self._faults | fault if on else self._faults & ~fault

    def _is_shut(self, door: Door) -> bool:
        since = self._leaves[door].open_since
        return since is None or (self._now - since < SETTLE_S and not self._leaves[door].may_be_open)

    def _decide(self, wires: Wires) -> None:
        forbidden = bool(self._faults & FORBIDDING)
        self._withheld = False
        for door, leaf in self._leaves.items():
            other = self._leaves[OTHER[door]]
            if leaf.until != float("-inf") and leaf.until <= self._now:
                leaf.until, self._reason = float("-inf"), EXPIRED
            wanted = leaf.until > self._now
            clear = not other.released and self._is_shut(OTHER[door]) and not wires.feedback[OTHER[door]]
            if self.setting.doors == 1:
                wanted, clear = wanted and door is ENTRY, True
            if wanted and (forbidden or not clear):
                self._reason = FAULT if forbidden else INTERLOCK  # R1, R2, R8
                wanted, self._withheld = False, True
            elif wanted:
                self._reason = NONE
            if not wanted and wires.obstructed[door] and not wires.shut[door] and leaf.may_be_open:  # R7
                leaf.reversing_until = self._now + self.setting.reversal_ms / 1000
            reversing = leaf.reversing_until > self._now and not other.released and not forbidden
            leaf.released = wanted or reversing
            leaf.may_be_open = leaf.may_be_open or leaf.released
            if wanted:
                leaf.reversing_until = float("-inf")
        commanded = frozenset(d for d in Door if self._emergency or self._leaves[d].released)
        for door in commanded ^ self.released:
            self._leaves[door].coil_since = self._now
        for door in commanded if self._emergency else ():
            self._leaves[door].may_be_open = True
        self.released = commanded
        common = bool(commanded) and (self._emergency or not forbidden)
        if common != self.common:
            self._common_since = self._now
        self.common = common

    # --- reports --------------------------------------------------------------------------------------

    def _report(self, wires: Wires) -> None:
        if self._session is None:
            return
        if self._now - self._challenge_at >= CHALLENGE_S:
            self._challenges = [*self._challenges[-2:], self._chance() & 0xFFFFFFFF]
            self._challenge_at = self._now
        body = self._report_body(wires)
        what = body[4:10]  # challenge, supply and the times left change all the time
        late = self._now - self._reported_at >= self.setting.report_ms / 1000
        if not (self._owes_report or late or what != self._reported):
            return
        self._reported, self._reported_at, self._owes_report = what, self._now, False
        self._send(REPORT, self._session, body, self._heard)
        if self._reason == HEARTBEAT:
            self._session = None  # the last word; R4

    def _report_body(self, wires: Wires) -> bytes:
        over = self._reason == HEARTBEAT
        state = STANDBY if over else RUNNING
        if self._faults & FORBIDDING:
            state = LOCKED_OUT
        if self._emergency:
            state = EMERGENCY
        outputs = sum(bit for door, bit in ((ENTRY, 1), (EXIT, 2)) if door in self.released)
        outputs |= 4 if self.common else 0
        inputs = 0
        for number, door in enumerate((ENTRY, EXIT)):
            reversing = self._leaves[door].reversing_until > self._now and self._leaves[door].released
            outputs |= reversing << (3 + number) | wires.feedback[door] << (5 + number)
            inputs |= wires.shut[door] << number | wires.obstructed[door] << (2 + number)
        inputs |= (wires.fire or not wires.fire_agrees) << 4 | wires.panic << 5
        left = [max(0.0, self._leaves[door].until - self._now) for door in (ENTRY, EXIT)]
        return struct.pack(
            ">IBBBBHHHH",
            self._challenges[-1],
            state,
            outputs,
            inputs,
            self._reason,
            self._faults,
            min(65535, wires.supply_mv),
            *(min(65535, round(1000 * each)) for each in left),
        )

    def due(self) -> float:
        """When something changes by itself, at the latest."""
        times = [self._now + 1.0]
        for leaf in self._leaves.values():
            times += [leaf.until, leaf.reversing_until]
            if leaf.open_since is not None:
                times.append(leaf.open_since + SETTLE_S)
            times.append(leaf.coil_since + RELAY_S + 0.001)
        times += [self._supply_bad_at + SUPPLY_S, self._common_since + RELAY_S + 0.001]
        if self._withheld:
            times.append(self._now + 0.005)
        if self._session is not None:
            times += [
                self._wished_at + self.setting.deadman_ms / 1000,
                self._reported_at + self.setting.report_ms / 1000,
            ]
        return min(time for time in times if time > self._now)
