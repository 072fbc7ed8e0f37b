"""What is worn over a face, and whether its eyes are closed: probabilities, whoever tells them."""

from typing import Protocol


class Worn(Protocol):
    """Probabilities in [0, 1]."""

    @property
    def mask(self) -> float:
        """Nose or mouth are covered."""

    @property
    def sunglasses(self) -> float:
        """The eyes are behind dark glasses."""

    @property
    def head_covering(self) -> float:
        """Something other than hair is on the head."""

    @property
    def eyes_closed(self) -> float:
        """The lids are down."""
