"""What proves that the chip is the one that was personalised, and the terminal one that may read fingers.

The strongest proof that the chip's signed files offer is asked for: the mapping of PACE-CAM, else chip
authentication, else active authentication; or all of them. The verdicts come later
(`gated.document.genuineness`): none counts before the file that holds the key is known to be the issuing
state's. Terminal authentication runs only where the caller holds credentials for it.
"""

from dataclasses import dataclass
from datetime import date

from gated.document.access import MappingEvidence, Opened, Password, PasswordKind, parse_security_infos
from gated.document.errors import AccessError, LdsError
from gated.document.genuine.active_authentication import ActiveEvidence, active_authentication
from gated.document.genuine.chip_authentication import chip_authentication, choose_chip_authentication
from gated.document.genuine.credentials import Credentials
from gated.document.genuine.cv_certificates import Authorization
from gated.document.genuine.terminal_authentication import (
    Sign,
    document_identifier,
    find_cvca,
    parse_cvca,
    terminal_authentication,
)
from gated.document.groups.curves import Random
from gated.document.lds import parse_dg14
from gated.document.reading.elementary import FileReader
from gated.document.reading.terminal import Raw, Terminal

UNSUPPORTED = "chip_authentication_unsupported"
KEYS_DIFFER = "chip_authentication_keys_differ"


@dataclass(frozen=True, slots=True)
class Proofs:
    """What the chip answered. None: it was not asked.

    `chip_authentication` is empty where the chip went on under keys that only the holder of its private key
    can know, else the code of what went wrong.
    """

    mapping: MappingEvidence | None = None
    chip_authentication: str | None = None
    active: ActiveEvidence | None = None


@dataclass(frozen=True, slots=True, repr=False)
class TerminalKey:
    """What lets a terminal read fingers and irises: its certificates, its key, and the day that it is."""

    credentials: Credentials
    sign: Sign
    on: date


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
        self._terminal_key = b""  # of the present channel, as terminal authentication names it
        self._chip_key = b""

    @property
    def proofs(self) -> Proofs:
        """What there is by now; new keys that the chip never answered under prove nothing."""
        return Proofs(self._mapping, KEYS_DIFFER if self._unproven else self._chip, self._active)

    @property
    def suffice(self) -> bool:
        """Whether no further proof is wanted."""
        return not self._all_proofs and (self._mapping is not None or self._chip == "")

    def begin(self, opened: Opened | None) -> None:
        """Another session: PACE opened it, or BAC (None). A proof that was bound to the last one is over."""
        self._unproven = False
        self._terminal_key = opened.terminal_key if opened and opened.mapping else b""
        self._chip_key = opened.chip_key if opened else b""
        self._mapping = opened.mapping if opened else None
        self._chip = self._chip or None

    def authenticate_chip(self, dg14: bytes) -> Raw[None]:
        """Chip authentication by the raw file, where it offers some; secure messaging starts anew by it."""
        if self._chip is not None:
            return
        try:
            infos = parse_security_infos(parse_dg14(dg14))
        except (AccessError, LdsError) as error:
            self._chip = error.code
            return
        choice = choose_chip_authentication(infos)
        if choice is None:
            self._chip = UNSUPPORTED if infos.chip_keys or infos.chip_authentication else None
            return
        try:
            restarted = yield from self._terminal.run(chip_authentication(choice, self._random))
        except AccessError as error:
            self._chip = error.code
            return
        self._terminal.channel = restarted.channel
        self._terminal_key = restarted.terminal_key
        self._unproven = True

    def authenticate_actively(self, dg15: bytes) -> Raw[None]:
        """Have the chip sign a challenge, once."""
        if self._active is None:
            asking = active_authentication(dg15, self._random, self._terminal.wants_long_form)
            self._active = yield from self._terminal.run(asking)
            self.settle()

    def authenticate_terminal(
        self, key: TerminalKey, dg14: bytes, password: Password, reader: FileReader
    ) -> Raw[Authorization]:
        """Terminal authentication within chip authentication: what the chip lets be read after it.

        Raises AccessError(`ta_without_chip_authentication`, `ta_not_offered`, `ta_denied` ...), CvError,
        LdsError(`cvca_malformed`).
        """
        if not self._terminal_key or self._chip not in {None, ""}:
            raise AccessError("ta_without_chip_authentication")
        try:
            file = find_cvca(parse_security_infos(parse_dg14(dg14)))
        except LdsError as error:
            raise AccessError(error.code) from error
        if file is None:
            raise AccessError("ta_not_offered")
        references = parse_cvca((yield from reader.read(file)))
        self.settle()
        chain = key.credentials.chain_for(references, key.on)
        by_zone = password.kind is PasswordKind.MRZ and not self._chip_key
        identifier = document_identifier(password.text) if by_zone else self._chip_key
        protocol = terminal_authentication(
            chain, key.sign, identifier=identifier, compressed=self._terminal_key
        )
        yield from self._terminal.run(protocol)
        return chain.authorization

    def settle(self) -> None:
        """The chip answered under the keys that it has now."""
        if self._unproven:
            self._unproven, self._chip = False, ""

    def forgive(self) -> bool:
        """Whether the session was lost by a proof that failed, and may go on without it."""
        if not self._unproven:
            return False
        self._unproven, self._chip = False, KEYS_DIFFER
        return True
