"""What gates and their centre say to each other, as bytes: one decoder for each kind, one error for all."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()


def written(message: Any) -> bytes:
    """The bytes of a message: MessagePack in its shortest form, the same for the same message."""
    return _encoder.encode(message)


def reader(kind: Any, error: type[Exception]) -> Callable[[bytes | memoryview], Any]:
    """A function that reads messages of this kind, and raises `error("malformed")` for all else."""
    decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(kind)

    def read(raw: bytes | memoryview) -> Any:
        try:
            return decoder.decode(raw)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            raise error("malformed") from None  # the decoder's words may quote

    return read
