"""Who may come in: libzmq's question about a client's key, and the answer (ZAP, RFC 27)."""

from collections.abc import Callable, Sequence

from zmq.utils import z85

ENDPOINT = "inproc://zeromq.zap.01"


def admission(
    frames: Sequence[bytes], name_of: Callable[[str], str | None]
) -> tuple[list[bytes], str | None]:
    """The answer to a question, and the name of who was let in; `name_of` a public key (Z85)."""
    request = frames[1] if len(frames) > 1 else b""
    curve = len(frames) == 7 and frames[5] == b"CURVE" and len(frames[6]) == 32
    key = z85.encode(frames[6]).decode() if curve else ""
    name = name_of(key) if key else None
    if name is None:
        return [b"1.0", request, b"400", b"not allowed", b"", b""], None
    return [b"1.0", request, b"200", b"OK", key.encode(), b""], name
