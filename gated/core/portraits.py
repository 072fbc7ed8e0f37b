"""A face template: what an embedder made of a portrait. Personal data, and nobody is issued another one."""

from typing import Annotated, Final

from msgspec import Meta

from gated.core.personal import MASK
from gated.core.settings import Name
from gated.core.values import Value

MAX_NUMBERS: Final = 4096  # bytes: 1024 numbers


class Portrait(Value):
    """The numbers, and the embedder that made them, by its name and its hash: they mean nothing to others."""

    embedder: Name
    version: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    numbers: Annotated[bytes, Meta(min_length=4, max_length=MAX_NUMBERS)]

    def __repr__(self) -> str:
        return f"Portrait({self.embedder}, {MASK})"
