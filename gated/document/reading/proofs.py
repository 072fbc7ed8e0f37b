"""What proves that the chip is the one that was personalised, as far as the reading itself goes.

The verdicts come later (`gated.document.verification`): none of them counts before the file that holds the
key is known to be the issuing state's.
"""

from dataclasses import dataclass

from gated.document.access import MappingEvidence
from gated.document.groups.curves import Random


@dataclass(frozen=True, slots=True)
class Proofs:
    """What the chip answered. None: it was not asked."""

    mapping: MappingEvidence | None = None


class Proving:
    """The proofs of one reading, over all its sessions."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._mapping: MappingEvidence | None = None

    @property
    def proofs(self) -> Proofs:
        """What there is by now."""
        return Proofs(self._mapping)

    def mapped(self, evidence: MappingEvidence) -> None:
        """PACE-CAM gave its evidence."""
        self._mapping = evidence

    def settle(self) -> None:
        """The chip answered under the keys that it has now."""

    def forgive(self) -> bool:
        """Whether the session was lost by a proof that failed, and may go on without it."""
        return False
