"""Pieces of published files that came lately, in memory and bounded, for whoever else asks for them."""

import json
from collections import OrderedDict

import msgspec

from gated.central.wire import Ask, Piece

TIMESTAMP = "metadata/timestamp.json"
MAX_KEPT = 64 * 1024 * 1024  # bytes; the unit of gate-link lets the process have four times as much


class Shelf:
    """The pieces that came lately, the latest used kept longest."""

    def __init__(self, max_bytes: int = MAX_KEPT) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._pieces: OrderedDict[tuple[str, int], Piece] = OrderedDict()

    def put(self, path: str, offset: int, piece: Piece) -> None:
        """Keep a piece in place of the one that was there; of a replaced file the other pieces go."""
        for other in [
            key for key, kept in self._pieces.items() if key[0] == path and kept.stamp != piece.stamp
        ]:
            self._drop(other)
        self._drop((path, offset))
        self._pieces[path, offset] = piece
        self._bytes += len(piece.body)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._pieces)))

    def get(self, ask: Ask) -> Piece | None:
        """The piece that was asked for, if it is here and is as long as asked."""
        piece = self._pieces.get((ask.path, ask.offset))
        if piece is None or len(piece.body) != min(ask.length, max(0, piece.total - ask.offset)):
            return None
        self._pieces.move_to_end((ask.path, ask.offset))
        return msgspec.structs.replace(piece, number=ask.number)

    def is_older(self, path: str, piece: Piece) -> bool:
        """Whether a piece is an older timestamp than the one here; of whatever cannot be read, no."""
        held = self._pieces.get((TIMESTAMP, 0))
        if path != TIMESTAMP or held is None:
            return False
        before, now = _version(held.body), _version(piece.body)
        return before is not None and now is not None and now < before

    def _drop(self, key: tuple[str, int]) -> None:
        if (piece := self._pieces.pop(key, None)) is not None:
            self._bytes -= len(piece.body)


def _version(raw: bytes) -> int | None:
    try:
        version = json.loads(raw)["signed"]["version"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return version if isinstance(version, int) else None
