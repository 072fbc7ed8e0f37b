"""Passing files from the central server, or from neighbours, to `gated`: one Fetch at a time.

A newer Fetch takes the place of an older. Questions are few and answers are asked for, so neither a slow gate
nor a fast server can fill a queue; whoever is silent for long enough has said that there is no link.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from gated import logs
from gated.central.curve import RECONNECT_MS
from gated.central.shelf import Shelf
from gated.central.wire import PIECE, TOPIC, Absent, Ask, Piece
from gated.link_central import WINDOW, Central
from gated.link_relay import Neighbour
from gated.link_tokens import TokenCarrier
from gated.runtime.bus import Peer
from gated.runtime.messages import (
    FETCH_PIECES,
    Announced,
    Fetch,
    Fetched,
    NotFetched,
    Ping,
    Pong,
    ToLink,
)

ASK_AGAIN = 3  # times that an unanswered question is put within the time-out
TURN_S = 1.0  # the longest sleep: the watchdog wants a sign of life
NEIGHBOUR_S = 1.0  # for a neighbour's answer: it has the piece, or it has not
ANNOUNCE_S = 1.0  # announcements are passed on at most this often

Reason = Literal["missing", "too_long", "no_link", "refused"]
_log = logs.get("link")


@dataclass
class _Job:
    """One Fetch in progress: what was asked of the server, what came, what was passed on."""

    fetch: Fetch
    deadline: float
    next_offset: int  # where the next question begins
    passed: int  # up to where pieces were passed to gated
    ask_again: float
    source: Neighbour | None = None
    """Who is asked; None is the centre."""
    further: list[Neighbour | None] = field(default_factory=list)
    """Who is asked after that, while there is no answer."""
    is_absent: bool = False
    """Whether somebody has said that there is no such file."""
    stamp: str | None = None
    total: int | None = None
    sent: int = 0
    asked: dict[int, Ask] = field(default_factory=dict)
    came: dict[int, bytes] = field(default_factory=dict)  # offset to bytes, waiting for their turn


class Carrier:
    """Passes files from the central server to `gated`. One Fetch at a time: a newer one replaces an older."""

    def __init__(
        self,
        central: Central,
        peer: Peer[ToLink],
        timeout_s: float,
        neighbours: Sequence[Neighbour] = (),
        shelf: Shelf | None = None,
    ) -> None:
        self.tokens: TokenCarrier | None = None
        """Who carries tokens over the same line, where this lane has any."""
        self._central = central
        self._peer = peer
        self._timeout_s = timeout_s
        self._neighbours = neighbours
        self._shelf = shelf
        self._job: _Job | None = None
        self._number = 0
        self._announce_due: float | None = None
        self._announced_at = 0.0
        self._was_live = False  # what was announced while there was no line is made up for

    def due(self, now: float) -> float:
        """When `turn` wants to be called at the latest, though nothing came."""
        moments = [now + TURN_S]
        if self.tokens is not None:
            moments.append(self.tokens.due(now))
        if self._job:
            moments += [self._job.deadline, self._job.ask_again]
        if self._announce_due is not None:
            moments.append(self._announce_due)
        return min(moments)

    def turn(self, now: float) -> None:
        """Take what came from either side, and do what is due."""
        self._central.watch()
        self._central.open_again(now)
        while (message := self._peer.receive(0)) is not None:
            if isinstance(message, Ping):
                self._peer.send(Pong(number=message.number, camera=self._central.state))
            else:
                self._begin(message, now)
        while (answer := self._central.answer()) is not None:
            if isinstance(answer, Piece | Absent):
                self._take(answer, None, now)
            elif self.tokens is not None:
                self.tokens.take(answer, now)
        for neighbour in self._neighbours:
            for answer in neighbour.answers():
                self._take(answer, neighbour, now)
        announced = self._central.announced()
        if self.tokens is not None:
            if self.tokens.topic in announced:
                self.tokens.announced()
            self.tokens.turn(now)
        came_back = self._central.state == "live" and not self._was_live
        self._was_live = self._central.state == "live"
        if (TOPIC in announced or came_back) and self._announce_due is None:
            self._announce_due = max(now, self._announced_at + ANNOUNCE_S)
        if self._announce_due is not None and now >= self._announce_due:
            self._announce_due, self._announced_at = None, now
            self._peer.send(Announced())
        self._press_on(now)

    def _begin(self, fetch: Fetch, now: float) -> None:
        """Ask the centre, and neighbours after it; neighbours before it while there is no line to it."""
        order: list[Neighbour | None] = [None, *self._neighbours]
        if self._central.state == "no_link":
            order = [*self._neighbours, None]
        self._job = _Job(
            fetch=fetch,
            deadline=0.0,
            next_offset=fetch.offset,
            passed=fetch.offset,
            ask_again=0.0,
            further=order,
        )
        self._turn_to_next(self._job, now)

    def _turn_to_next(self, job: _Job, now: float) -> None:
        """Ask the next one for what did not come yet."""
        job.source = job.further.pop(0)
        wait_s = self._timeout_s if job.source is None else min(self._timeout_s, NEIGHBOUR_S)
        job.deadline, job.ask_again = now + wait_s, now + wait_s / ASK_AGAIN
        job.stamp, job.total, job.next_offset = None, None, job.passed
        job.asked.clear()
        job.came.clear()

    def number(self) -> int:
        """A number for a question, none of them twice."""
        self._number += 1
        return self._number

    def _take(self, answer: Piece | Absent, source: Neighbour | None, now: float) -> None:
        job = self._job
        ask = job.asked.pop(answer.number, None) if job and job.source is source else None
        if job is None or ask is None:
            return  # of an earlier fetch, or put twice and answered twice
        if isinstance(answer, Absent):
            job.is_absent = job.is_absent or answer.reason == "missing"
            self._fail(answer.reason, now)
            return
        if source is not None and self._shelf is not None and self._shelf.is_older(ask.path, answer):
            self._fail("no_link", now)
            return
        if job.stamp is None:
            job.stamp, job.total = answer.stamp, answer.total
        if answer.total > job.fetch.max_bytes:
            self._fail("too_long", now)
        elif answer.stamp != job.stamp or answer.total != job.total:
            self._fail("no_link", now)  # the file was replaced in between: gated asks anew
        elif len(answer.body) != min(ask.length, max(0, answer.total - ask.offset)):
            self._fail("no_link", now)  # a server that does not keep to the protocol
        else:
            if self._shelf is not None:
                self._shelf.put(ask.path, ask.offset, answer)
            job.came[ask.offset] = answer.body
            job.deadline = now + self._timeout_s
            job.ask_again = now + self._timeout_s / ASK_AGAIN
            self._pass_on(job)

    def _pass_on(self, job: _Job) -> None:
        while self._job is job and (body := job.came.pop(job.passed, None)) is not None:
            job.passed += len(body)
            job.sent += 1
            last = job.passed >= (job.total or 0)
            if not self._peer.send(Fetched(number=job.fetch.number, body=body, last=last)):
                _log.warning("gated takes no more", fix="see the log of gated")
                self._job = None
            elif last or job.sent == FETCH_PIECES:
                self._job = None

    def _press_on(self, now: float) -> None:
        """Put the questions that the window allows; repeat them, or give up, when time is over."""
        job = self._job
        if job is None:
            return
        if now >= job.deadline:
            self._fail("refused" if self._central.state == "refused" else "no_link", now)
            return
        if now >= job.ask_again:
            job.ask_again = now + self._timeout_s / ASK_AGAIN
            for ask in job.asked.values():
                self._ask(job, ask)
        first = job.total is None  # nothing is known of the file: one question finds out
        while len(job.asked) < (1 if first else WINDOW) and self._wanted(job):
            ask = Ask(number=self.number(), path=job.fetch.path, offset=job.next_offset, length=PIECE)
            if not self._ask(job, ask):
                if job.source is not None:
                    self._fail("no_link", now)
                else:
                    job.ask_again = min(job.ask_again, now + RECONNECT_MS / 1000)
                return
            job.asked[ask.number] = ask
            job.next_offset += PIECE

    def _wanted(self, job: _Job) -> bool:
        credit = job.fetch.offset + FETCH_PIECES * PIECE
        return job.next_offset < (credit if job.total is None else min(job.total, credit))

    def _ask(self, job: _Job, ask: Ask) -> bool:
        return self._central.ask(ask) if job.source is None else job.source.ask(ask)

    def _fail(self, reason: Reason, now: float) -> None:
        """Turn to whoever has not been asked; else say it. A neighbour's no is not final, the centre's is.

        A root that no neighbour has is missing: whoever looks for newer keys goes on with those there are.
        """
        job = self._job
        if job is None:
            return
        if job.further and (job.source is not None or reason == "no_link"):
            self._turn_to_next(job, now)
            return
        asked = len(self._neighbours) and (job.source is not None or reason == "no_link")
        if asked:
            reason = "missing" if job.fetch.path.endswith(".root.json") and job.is_absent else "no_link"
        self._peer.send(NotFetched(number=job.fetch.number, reason=reason))
        self._job = None
