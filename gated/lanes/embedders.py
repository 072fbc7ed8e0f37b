"""Seeing to it that gate-vision compares faces by what this gate decides by.

Each sign of life tells the mark of what is in use there. As long as it is another one, as after any start of
that process, it is told anew, and the gate takes nobody: a score means something only beside the threshold of
its own embedder. A shadow that cannot be used is done without; where the embedder that decides cannot be
used, the gate must start again, and another one stands in (`gated.embedders`).
"""

from collections.abc import Callable

from msgspec.structs import replace

from gated.runtime.messages import EmbedderAt, Pong, UseEmbedders

ANOTHER = "another_embedder"
UNUSABLE = "embedder_unusable"
FIXES = {
    ANOTHER: "wait: gate-vision tries the embedder; if it stays, see `journalctl -u gate-vision`",
    UNUSABLE: "see `journalctl -u gate-vision`, and `gatectl models verify`",
}

Refuse = Callable[[EmbedderAt, str], None]


class EmbedderRefusedError(Exception):
    """gate-vision cannot use the embedder that decides: another must stand in, from the next start on."""


class EmbedderWatch:
    """Belongs to the thread of SightLane."""

    def __init__(
        self,
        use: UseEmbedders,
        used: Callable[[EmbedderAt], None],
        refused: Refuse,
        *,
        has_stand_in: bool,
    ) -> None:
        """`used` and `refused` hear what gate-vision made of an embedder; a code says why it was refused."""
        self._use = use
        self._used = used
        self._refused = refused
        self._has_stand_in = has_stand_in
        self._is_told = False

    def hear(self, pong: Pong) -> tuple[str, UseEmbedders | None]:
        """What is wrong, empty for nothing, and what gate-vision is to be told.

        Raises EmbedderRefusedError.
        """
        shadow = self._use.shadow
        if shadow is not None and shadow.version in pong.refused:
            self._refused(shadow, pong.refused[shadow.version])
            self._use = replace(self._use, shadow=None)
        if pong.embedders == self._use.mark:
            if not self._is_told:
                self._is_told = True
                self._used(self._use.decides)
            return "", None
        code = pong.refused.get(self._use.decides.version)
        if code is None:
            return ANOTHER, self._use
        if not self._has_stand_in:
            return UNUSABLE, self._use
        self._refused(self._use.decides, code)
        raise EmbedderRefusedError(f"{self._use.decides.name}: {code}")
