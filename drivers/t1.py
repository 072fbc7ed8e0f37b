"""The block protocol T=1 (ISO/IEC 7816-3:2006, clause 11), the side of the interface device, without any I/O.

Both sides take turns; each sends one block. I-blocks carry the APDU, in a chain where it is longer than the
receiver's buffer; R-blocks acknowledge a link of a chain or ask for the last block again; S-blocks control:
more time (WTX), another size of buffer (IFS), an end to a chain (ABORT), and starting afresh (RESYNCH).

`Link` keeps what lasts from one APDU to the next: the sequence bits and the sizes. Its conversations are
generators that yield blocks and are sent what came back, so they run against a reader, a simulated card or a
recorded list alike. What came back is bytes, or None when nothing came in time; bytes that make no block are
no error yet, but a reason to ask again. The rules cited are those of 11.6.

What this file refuses to know: readers, time, and what an APDU says. Whatever the card sends, a conversation
ends in a response or in T1Error. After a resynchronisation the command is sent anew (rule 6.3), so the card
may run it twice: secure messaging notices that by its counter.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, cast

LARGEST_IFS: Final = 254  # 11.3.1: LEN 255 is reserved
FIRST_IFSD: Final = 32  # 11.4.2: until the card is told otherwise
MAX_RESPONSE: Final = 65_536 + 2  # ISO 7816-4: the longest response APDU
MAX_BLOCKS: Final = 8192  # in one exchange: the longest APDUs in blocks of 32 bytes and as much again
TRIES: Final = 3  # rule 7.4: a block, and two times more

_NAD: Final = 0  # no node addressing: one card, one host
_MORE: Final = 0x20
_RESPONSE: Final = 0x20
_WRONG_CHECK, _OTHER_ERROR = 1, 2  # in an R-block: why the last block is wanted again


class T1Error(Exception):
    """The card cannot be talked to any more, or gave the exchange up. `code` never holds input bytes.

    `lost` says that only a reset of the card helps; otherwise the next exchange may go well.
    """

    def __init__(self, code: str, *, lost: bool = True) -> None:
        super().__init__(code)
        self.code = code
        self.lost = lost


class Control(IntEnum):
    """What an S-block is about (table 15)."""

    RESYNCH = 0
    IFS = 1
    ABORT = 2
    WTX = 3


_SIZES: Final = {Control.RESYNCH: 0, Control.IFS: 1, Control.ABORT: 0, Control.WTX: 1}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A block to send. The card may take `waits` block waiting times to answer it (11.4.3)."""

    data: bytes = field(repr=False)
    waits: int = 1


@dataclass(frozen=True, slots=True)
class Information:
    """An I-block: a piece of an APDU; `more` says that the next block goes on with it."""

    sequence: int
    more: bool
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ready:
    """An R-block: the sender awaits the I-block of this number."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Supervision:
    """An S-block: a request, or the response to one."""

    control: Control
    response: bool
    value: bytes


Block = Information | Ready | Supervision
Conversation = Generator[Outgoing, bytes | None, bytes]
_Turn = Generator[Outgoing, bytes | None, Information | Ready]
_Errand = Generator[Outgoing, bytes | None, None]


class BadBlock(Exception):
    """Bytes that are no block. `wrong_check` says that their check bytes are wrong."""

    def __init__(self, *, wrong_check: bool) -> None:
        super().__init__("wrong_check" if wrong_check else "malformed")
        self.wrong_check = wrong_check


class _OutOfStep(Exception):
    """The sides do not understand each other any more: time to RESYNCH."""


def lrc(data: bytes) -> bytes:
    """The exclusive or of all bytes (11.3.4)."""
    check = 0
    for one in data:
        check ^= one
    return bytes((check,))


def crc(data: bytes) -> bytes:
    """The CRC of ISO/IEC 13239, most significant byte first, as the drivers of contact cards send it."""
    check = 0xFFFF
    for one in data:
        check ^= one
        for _ in range(8):
            check = check >> 1 ^ (0x8408 if check & 1 else 0)
    return check.to_bytes(2, "big")


def encode(block: Block, check: Callable[[bytes], bytes] = lrc) -> bytes:
    """Code a block with its check bytes (11.3)."""
    if isinstance(block, Information):
        control, data = block.sequence << 6 | (_MORE if block.more else 0), block.data
    elif isinstance(block, Ready):
        control, data = 0x80 | block.sequence << 4, b""
    else:
        control, data = 0xC0 | (_RESPONSE if block.response else 0) | block.control, block.value
    body = bytes((_NAD, control, len(data))) + data
    return body + check(body)


def decode(raw: bytes, check: Callable[[bytes], bytes] = lrc, *, largest: int = LARGEST_IFS) -> Block:
    """Read a block whose information field has at most `largest` bytes. Raises BadBlock."""
    size = len(check(b""))
    if len(raw) < 3 + size or check(raw[:-size]) != raw[-size:]:
        raise BadBlock(wrong_check=True)
    node, control, length = raw[:3]
    data = raw[3:-size]
    if node != _NAD or length != len(data) or length > largest:
        raise BadBlock(wrong_check=False)
    if not control & 0x80 and not control & 0x1F:
        return Information(control >> 6 & 1, bool(control & _MORE), data)
    if control & 0xE0 == 0x80 and control & 0x0F <= _OTHER_ERROR and not data:
        return Ready(control >> 4 & 1)
    if control & 0xC0 == 0xC0 and control & 0x1F in _SIZES:
        kind = Control(control & 0x1F)
        top = LARGEST_IFS if kind is Control.IFS else 255
        if len(data) == _SIZES[kind] and all(1 <= value <= top for value in data):
            return Supervision(kind, bool(control & _RESPONSE), data)
    raise BadBlock(wrong_check=False)


class Link:
    """One card from its reset on. `ifsc` and the kind of check bytes are those of its ATR.

    `ifsd` is what the card was told by somebody else already.
    """

    def __init__(self, *, ifsc: int = 32, ifsd: int = FIRST_IFSD, use_crc: bool = False) -> None:
        self._check = crc if use_crc else lrc
        self._first_ifsc = self._ifsc = ifsc
        self._ifsd = ifsd
        self._ns = self._nr = 0  # of the next block to send, and of the next one awaited
        self._blocks = 0
        self._lost = False

    def announce(self, ifsd: int) -> _Errand:
        """Tell the card how long a block it may send (rule 4). Raises T1Error."""
        if not 1 <= ifsd <= LARGEST_IFS:
            raise ValueError("a block carries 1 to 254 bytes")
        yield from self._request(Control.IFS, bytes((ifsd,)))
        self._ifsd = ifsd

    def exchange(self, apdu: bytes) -> Conversation:
        """Carry one command APDU and return its response, of at most MAX_RESPONSE bytes. Raises T1Error."""
        if self._lost:
            raise T1Error("link_lost")
        self._blocks = 0
        try:
            return (yield from self._attempt(apdu))
        except _OutOfStep:
            yield from self._request(Control.RESYNCH)
        self._ns = self._nr = 0
        self._ifsc = self._first_ifsc  # whether the card keeps another differs: the smaller suits all
        try:
            return (yield from self._attempt(apdu))
        except _OutOfStep as error:
            raise self._gone("link_lost") from error

    def _attempt(self, apdu: bytes) -> Conversation:
        offset = 0
        while True:
            piece = apdu[offset : offset + self._ifsc]
            more = offset + len(piece) < len(apdu)
            answer = yield from self._turn(Information(self._ns, more, piece))
            if isinstance(answer, Information):
                self._ns ^= 1
                return (yield from self._gather(answer))
            self._ns = answer.sequence
            offset += len(piece)

    def _gather(self, block: Information) -> Conversation:
        """Receive the rest of a response (rule 5)."""
        gathered = bytearray()
        while True:
            self._nr ^= 1
            gathered += block.data
            if len(gathered) > MAX_RESPONSE:
                raise self._gone("response_too_long")
            if not block.more:
                return bytes(gathered)
            answer = yield from self._turn(Ready(self._nr))
            block = cast("Information", answer)  # what answers an R-block of ours is nothing else

    def _turn(self, mine: Information | Ready) -> _Turn:
        """Send a block until the card has taken it: returns what answers it, and nothing else.

        That is the next I-block, or the R-block that acknowledges a link of a chain. Raises _OutOfStep after
        TRIES blocks in a row that were lost or no answer, T1Error when the card gives the chain up.
        """
        next_one, waits, failures, aborted = self._encode(mine), 1, 0, False
        while failures < TRIES:
            try:
                block = self._decode((yield self._outgoing(next_one, waits)))
            except BadBlock as bad:
                waits, failures = 1, failures + 1
                next_one = self._again(_WRONG_CHECK if bad.wrong_check else _OTHER_ERROR)
                continue
            waits = 1
            if isinstance(block, Supervision):
                if not block.response and block.control is not Control.RESYNCH:  # which only we may ask for
                    failures, aborted = 0, aborted or block.control is Control.ABORT
                    next_one, waits = self._obey(block)
                    continue
            elif isinstance(block, Ready) and aborted:  # the card gives the turn back (rule 9)
                self._ns = block.sequence
                raise T1Error("chain_aborted", lost=False)
            elif self._answers(block, mine, aborted=aborted):
                return block
            failures += 1
            wanted_again = isinstance(block, Ready) and not self._is_taken(block, mine)
            next_one = self._encode(mine) if wanted_again else self._again(_OTHER_ERROR)
        raise _OutOfStep

    def _obey(self, request: Supervision) -> tuple[bytes, int]:
        """The response to a card's request (rules 3, 4, 9), and how many waiting times it takes then."""
        if request.control is Control.IFS:
            self._ifsc = request.value[0]
        waits = request.value[0] if request.control is Control.WTX else 1
        return self._encode(Supervision(request.control, response=True, value=request.value)), waits

    def _answers(self, block: Information | Ready, mine: Information | Ready, *, aborted: bool) -> bool:
        """Whether a block is the one that must follow mine (rules 2.1, 2.2 and 5)."""
        in_chain = isinstance(mine, Information) and mine.more
        if isinstance(block, Information):
            return block.sequence == self._nr and (aborted or not in_chain)
        return in_chain and self._is_taken(block, mine)

    def _is_taken(self, block: Ready, mine: Information | Ready) -> bool:
        """Whether an R-block says that mine has arrived, not that it is wanted again (rule 7.2)."""
        return isinstance(mine, Information) and block.sequence != mine.sequence

    def _request(self, control: Control, value: bytes = b"") -> _Errand:
        """Have the card confirm an S-block, in TRIES (rules 6.4, 7.4). Raises T1Error."""
        request = self._encode(Supervision(control, response=False, value=value))
        for _ in range(TRIES):
            try:
                block = self._decode((yield self._outgoing(request)))
            except BadBlock:
                continue
            if block == Supervision(control, response=True, value=value):
                return
        raise self._gone("link_lost")

    def _outgoing(self, block: bytes, waits: int = 1) -> Outgoing:
        self._blocks += 1
        if self._blocks > MAX_BLOCKS:
            raise self._gone("too_many_blocks")
        return Outgoing(block, waits)

    def _again(self, reason: int) -> bytes:
        """The R-block that asks for the last block once more (rule 7.1)."""
        body = bytes((_NAD, 0x80 | self._nr << 4 | reason, 0))
        return body + self._check(body)

    def _encode(self, block: Block) -> bytes:
        return encode(block, self._check)

    def _decode(self, raw: bytes | None) -> Block:
        if raw is None:
            raise BadBlock(wrong_check=False)
        return decode(raw, self._check, largest=self._ifsd)

    def _gone(self, code: str) -> T1Error:
        self._lost = True
        return T1Error(code)
