"""What proves that the chip is the one that was personalised, as far as the reading itself goes.

The strongest proof that the chip's signed files offer is asked for: the mapping of PACE-CAM, else chip
authentication, else active authentication; or all of them. The verdicts come later (`gated.document.
verification`): none counts before the file that holds the key is known to be the issuing state's.
"""

from dataclasses import dataclass

from gated.document.access import MappingEvidence
from gated.document.genuine.active_authentication import ActiveEvidence, active_authentication
from gated.document.groups.curves import Random
from gated.document.reading.terminal import Raw, Terminal


@dataclass(frozen=True, slots=True)
class Proofs:
    """What the chip answered. None: it was not asked.

    `chip_authentication` is empty where the chip went on under keys that only the holder of its private key
    can know, else the code of what went wrong.
    """

    mapping: MappingEvidence | None = None
    chip_authentication: str | None = None
    active: ActiveEvidence | None = None


class Proving:
    """The proofs of one reading, over all its sessions."""

    def __init__(self, terminal: Terminal, random: Random, *, all_proofs: bool) -> None:
        self._terminal = terminal
        self._random = random
        self._all_proofs = all_proofs
        self._mapping: MappingEvidence | None = None
        self._active: ActiveEvidence | None = None
        self._chip: str | None = None
        self._unproven = False  # new keys that the chip has not answered under yet

    @property
    def proofs(self) -> Proofs:
        """What there is by now."""
        return Proofs(self._mapping, self._chip, self._active)

    @property
    def suffice(self) -> bool:
        """Whether no further proof is wanted."""
        return not self._all_proofs and (self._mapping is not None or self._chip is not None)

    def mapped(self, evidence: MappingEvidence) -> None:
        """PACE-CAM gave its evidence."""
        self._mapping = evidence

    def authenticate_actively(self, dg15: bytes) -> Raw[None]:
        """Have the chip sign a challenge, once."""
        if self._active is None:
            self._active = yield from self._terminal.run(active_authentication(dg15, self._random))

    def settle(self) -> None:
        """The chip answered under the keys that it has now."""
        if self._unproven:
            self._unproven, self._chip = False, ""

    def forgive(self) -> bool:
        """Whether the session was lost by a proof that failed, and may go on without it."""
        if not self._unproven:
            return False
        self._unproven, self._chip = False, "chip_authentication_keys_differ"
        return True
