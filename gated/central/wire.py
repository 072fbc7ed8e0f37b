"""What a gate's `gate-link` and the central server say to each other, over ZeroMQ CURVE.

The server answers and remembers nothing: a link asks for a piece of a published file by offset, and each
piece says how long the whole is and which state of the file it belongs to (`stamp`). So a fetch resumes
after a broken connection where it stood, and the number of questions that are open is the link's credit:
a slow gate asks seldom and is never flooded. Nothing here is trusted for its content; that is signed.

The same line carries the tokens of kiosks, from one lane to another: a link leaves a token for a gate, and
that gate's link collects what was left for it, one at a time, saying which one it has by now.
"""

import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gated.core.settings import Name
from gated.core.values import Tagged, Value
from gated.tokens import MAX_TOKEN
from gated.watchlist.publication import ROLES

PIECE = 256 * 1024  # bytes of one Piece at most
MAX_ASK = MAX_TOKEN + 1024  # bytes of a question
MAX_ANSWER = PIECE + 1024
TOPIC = b"published"
MAX_KEY_FILE = 4096
_PATH = re.compile(rf"(metadata|targets/({'|'.join(ROLES)}))/[a-z0-9][a-z0-9._-]{{0,150}}")
_Z85 = r"^[0-9a-zA-Z.:+=^!/*?&<>()\[\]{}@%$#-]{40}\Z"

Key = Annotated[str, Meta(pattern=_Z85)]


class Ask(Tagged):
    """Send `length` bytes of this file from `offset` on."""

    number: Annotated[int, Meta(ge=0, le=2**53)]
    path: Annotated[str, Meta(max_length=200)]
    offset: Annotated[int, Meta(ge=0, le=2**53)]
    length: Annotated[int, Meta(ge=1, le=PIECE)]


class Piece(Tagged):
    """The bytes asked for, fewer only at the end of the file. `stamp` changes when the file does."""

    number: int
    total: Annotated[int, Meta(ge=0, le=2**53)]
    stamp: Annotated[str, Meta(max_length=64)]
    body: Annotated[bytes, Meta(max_length=PIECE)]


class Absent(Tagged):
    """There are no such bytes: `missing`, or `refused` because this gate's key is no longer allowed."""

    number: int
    reason: Literal["missing", "refused"]


TokenMark = Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?\Z")]


class Leave(Tagged):
    """Keep this token until the gate collects it."""

    number: Annotated[int, Meta(ge=0, le=2**53)]
    gate: Name
    body: Annotated[bytes, Meta(min_length=1, max_length=MAX_TOKEN)]


class Collect(Tagged):
    """Hand over the oldest token for this gate; the one marked `done` it has, and need not be kept."""

    number: Annotated[int, Meta(ge=0, le=2**53)]
    done: TokenMark = ""


class Left(Tagged):
    """The token is kept; or not, because of `reason`."""

    number: int
    reason: Literal["", "no_such_gate", "full", "refused"] = ""


class Parcel(Tagged):
    """A token for this gate; nothing in it: there is none."""

    number: int
    body: Annotated[bytes, Meta(max_length=MAX_TOKEN)]


ToServer = Ask | Leave | Collect
Answer = Piece | Absent | Left | Parcel


class KeyPair(Value):
    """A CURVE key pair in Z85, as its file holds it."""

    public_key: Key
    secret_key: Key

    def __repr__(self) -> str:
        return f"KeyPair({self.public_key})"


class KeyFileError(Exception):
    """The key file cannot be used; the text names the file and the fix."""


def token_topic(gate: str) -> bytes:
    """What is announced, and subscribed to, about tokens for this gate."""
    return f"token {gate}\n".encode()


def served_path(path: str) -> str | None:
    """The path if it is one that is ever served, else None: metadata and the kinds, plain names."""
    return path if _PATH.fullmatch(path) else None


def read_key_file(path: Path) -> KeyPair:
    """Read a CURVE key pair. Raises KeyFileError; a file that others may read is refused."""
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode
            raw = file.read(MAX_KEY_FILE)
    except OSError as error:
        raise KeyFileError(
            f"{path}: cannot be read ({error.strerror}): check the path and its rights"
        ) from error
    if mode & 0o077:
        raise KeyFileError(f"{path}: others may read this secret: chmod 600 {path}")
    try:
        return msgspec.toml.decode(raw, type=KeyPair)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        # The decoder's words may quote the secret.
        raise KeyFileError(
            f"{path}: not a key file of gate-central: make one with gate-central keys"
        ) from None


def encode_key_file(pair: KeyPair) -> bytes:
    """The bytes of a key file (Z85 has neither quotes nor backslashes)."""
    return f'public_key = "{pair.public_key}"\nsecret_key = "{pair.secret_key}"\n'.encode()
