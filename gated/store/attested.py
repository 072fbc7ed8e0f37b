"""What a centre has exported of gates' journals, checked without the centre: who signed which entries.

Each line is an entry. Its hash is computed anew from the line before it; an entry that was a delivery's last
carries what its gate signed of that delivery. A signature that holds covers the entry and all that lead up to
it by hashes: what stands in the file is what that gate wrote. Needs the gates' public journal keys and
nothing else; believes nothing that the centre adds.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta

from gated.core.settings import Name
from gated.core.values import Value
from gated.store.delivery import GENESIS, Number, Position, Seq, delivery_text, has_signed
from gated.store.journal import chained

MAX_LINE: Final = 1024 * 1024
MAX_PROBLEMS: Final = 20

Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Hex64 = Annotated[str, Meta(pattern=r"^[0-9a-f]{128}\Z")]
Short = Annotated[str, Meta(max_length=40)]


class ExportError(Exception):
    """The file is no export; the text names the line."""


class SignedLine(Value):
    """What a gate signed of a delivery that ends at this entry."""

    after: Seq
    after_hash: Hex32
    rest: Hex32
    signature: Hex64
    key: Hex32
    came: Short


class Line(Value):
    """An entry, as `gate-central collect --export` writes it; `event` and `outcome` byte for byte."""

    gate: Name
    branch: Number
    seq: Seq
    utc: Short
    event: msgspec.Raw
    outcome: msgspec.Raw
    hash: Hex32
    sound: bool
    follows: Hex32 | None = None
    signed: SignedLine | None = None


class Proven(Value):
    """One journal, or a branch of it: entries `first` to `last`, and what of them the gate has signed.

    `head` is the last entry: who kept it elsewhere sees whether the end of the file is missing.
    """

    gate: str
    branch: int
    first: int
    last: int
    head: str
    signed: int
    keys: tuple[str, ...]
    problems: tuple[str, ...]


_lines: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
_text: msgspec.json.Decoder[str] = msgspec.json.Decoder(str)


@dataclass
class _Chain:
    """One branch as far as it was read."""

    gate: str
    branch: int
    keys: Sequence[Ed25519PublicKey]
    first: int
    at: Position
    unsigned_from: int
    signed: int = 0
    by: dict[str, None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    more: int = 0

    def tell(self, problem: str) -> None:
        """Note a problem; of very many only how many there are."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more += 1


def read_lines(lines: Iterable[bytes]) -> Iterator[Line]:
    """The entries of an export. Raises ExportError."""
    for number, raw in enumerate(lines, 1):
        try:
            yield _lines.decode(raw)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            raise ExportError(f"line {number}: no entry as gate-central collect --export writes it") from None


def proven(lines: Iterable[Line], keys: Mapping[str, Sequence[Ed25519PublicKey]]) -> Iterator[Proven]:
    """Judge the entries, branch by branch; `keys` are each gate's journal keys, also those of long ago.

    Holds one entry at a time. Raises ExportError.
    """
    chain: _Chain | None = None
    seen: set[tuple[str, int]] = set()
    for line in lines:
        if chain is None or (chain.gate, chain.branch) != (line.gate, line.branch):
            if chain is not None:
                yield _closed(chain)
            if (line.gate, line.branch) in seen:
                raise ExportError(f"{line.gate}: its lines do not stand together")
            seen.add((line.gate, line.branch))
            chain = _begun(line, keys.get(line.gate, ()))
        _follow(chain, line)
    if chain is not None:
        yield _closed(chain)


def _begun(line: Line, keys: Sequence[Ed25519PublicKey]) -> _Chain:
    before = GENESIS.hash if line.follows is None else bytes.fromhex(line.follows)
    at = Position(seq=max(0, line.seq - 1), hash=before)
    chain = _Chain(line.gate, line.branch, keys, line.seq, at, line.seq)
    if not keys:
        chain.tell("none of its journal keys is known: name them")
    return chain


def _follow(chain: _Chain, line: Line) -> None:
    """Take the next entry."""
    link = bytes.fromhex(line.hash)
    if line.seq != chain.at.seq + 1:
        chain.tell(f"entry {chain.at.seq + 1}: missing; entry {line.seq} stands there")
        _leave_unsigned(chain)
        chain.unsigned_from = line.seq
        before = bytes.fromhex(line.follows or "")
    else:
        before = chain.at.hash
    if chained(before, line.seq, line.utc, _as_kept(line.event), _as_kept(line.outcome)) != link:
        chain.tell(f"entry {line.seq}: is not what its hash says: changed, at the gate or since")
        _leave_unsigned(chain)
        chain.unsigned_from = line.seq + 1
        chain.at = Position(seq=line.seq, hash=link)
        return
    chain.at = Position(seq=line.seq, hash=link)
    if line.signed is not None and chain.keys:
        _count(chain, line.signed)


def _count(chain: _Chain, signed: SignedLine) -> None:
    after = Position(seq=signed.after, hash=bytes.fromhex(signed.after_hash))
    text = delivery_text(chain.gate, after, chain.at, bytes.fromhex(signed.rest))
    key = next((each for each in chain.keys if has_signed(each, bytes.fromhex(signed.signature), text)), None)
    if key is None:
        chain.tell(f"entry {chain.at.seq}: signed with no key of this gate that is known here")
        return
    chain.by[key.public_bytes_raw().hex()] = None
    chain.signed += chain.at.seq - chain.unsigned_from + 1
    chain.unsigned_from = chain.at.seq + 1


def _leave_unsigned(chain: _Chain) -> None:
    """What was not signed so far never will be: the chain of hashes ends here."""
    if chain.keys and chain.unsigned_from <= chain.at.seq:
        chain.tell(f"entries {chain.unsigned_from} to {chain.at.seq}: no signature of the gate covers them")


def _closed(chain: _Chain) -> Proven:
    _leave_unsigned(chain)
    return Proven(
        gate=chain.gate,
        branch=chain.branch,
        first=chain.first,
        last=chain.at.seq,
        head=f"{chain.at.seq}:{chain.at.hash.hex()}",
        signed=chain.signed,
        keys=tuple(chain.by),
        problems=(*chain.problems, *([f"and {chain.more} more"] * bool(chain.more))),
    )


def _as_kept(part: msgspec.Raw) -> bytes:
    """A part of an entry as the gate wrote it: JSON as it stands, anything else as a JSON string."""
    raw = bytes(part)
    if raw[:1] == b"{":
        return raw
    try:
        return _text.decode(raw).encode()
    except (msgspec.MsgspecError, UnicodeError):
        raise ExportError("an event or its outcome is neither an object nor a text") from None
