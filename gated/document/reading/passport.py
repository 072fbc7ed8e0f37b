"""Reading a passport chip: one generator that yields command APDUs, is sent responses, returns what it found.

EF.CardAccess decides how access is asked for. If it offers a PACE that is supported, that is run. BAC is run
where the chip offers no PACE, and beyond that only as far as the operator's settings say; the result says
which and why. What the chip holds is taken from its security object, which the issuing state signed, and
never from EF.COM: whoever copies a chip without its private keys cannot hide that it should have some.

The order serves speed and early doubt: the security object, the zone, what proves that the chip is the one
that was personalised (the mapping of PACE-CAM, else chip authentication, else active authentication), the
image last. A chip that gives a session up over a length or another habit is asked for access once more, in
the same way. Time limits belong to whoever drives the generator.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gated.core.personal import MASK, Personal
from gated.core.ports import Limits
from gated.core.settings.documents import DocumentSettings
from gated.document.access import (
    CardAccess,
    PaceChoice,
    Password,
    PasswordKind,
    bac,
    pace,
    parse_card_access,
)
from gated.document.apdu import NOT_FOUND, Command
from gated.document.errors import AccessError, LdsError, MessagingError, ReadingError, TrustError
from gated.document.groups.curves import Random
from gated.document.lds import directory
from gated.document.lds.directory import DATA_GROUPS, ElementaryFile
from gated.document.lds.master_file import parse_atr_info
from gated.document.reading.capabilities import card_capabilities
from gated.document.reading.elementary import HEAD, SHORT_PIECES, FileReader, select
from gated.document.reading.proofs import Proofs, Proving, TerminalKey
from gated.document.reading.terminal import SHORT_APDUS, Raw, Terminal
from gated.document.trust.security_object import open_sod

APPLICATION = bytes.fromhex("A0000002471001")  # the eMRTD application, Doc 9303-10 section 3.3
MASTER_FILE = bytes.fromhex("3F00")

MAX_SESSIONS = 4  # one more for each habit: short identifiers, extended lengths, two sizes of pieces

_BAC_WHERE = ("never", "no_pace_offered", "pace_unsupported", "pace_failed")  # each allows what stands before
_WRONG_PASSWORD = {"access_denied", "pace_token_wrong"}
_AROUND_ZONE = 5  # 61 and 5F1F with their lengths

Sink = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True, repr=False)
class ChipFiles:
    """The raw files by name, how access was got, and what the chip answered to prove itself.

    `access` is such as `PACE-ECDH-GM-AES-128` or `BAC`; `access_reason` says why it was BAC:
    `no_card_access`, `no_pace_offered`, `pace_unsupported`, or `pace_failed_` with the code of the failure.
    """

    files: Mapping[str, Personal[bytes]]
    access: str
    access_reason: str = ""
    proofs: Proofs = field(default_factory=Proofs)

    def __repr__(self) -> str:
        return f"ChipFiles({self.access}, {MASK})"

    def __contains__(self, name: str) -> bool:
        return name in self.files

    def __getitem__(self, name: str) -> Personal[bytes]:
        return self.files[name]

    @property
    def groups(self) -> dict[int, bytes]:
        """The data groups that were read, by number."""
        return {
            number: self.files[file.name].reveal()
            for number, file in DATA_GROUPS.items()
            if file.name in self.files
        }


def read_passport(
    password: Password,
    *,
    random: Random,
    settings: DocumentSettings | None = None,
    limits: Limits = SHORT_APDUS,
    historical: bytes = b"",
    on_file: Sink | None = None,
    terminal_key: TerminalKey | None = None,
    also: tuple[int, ...] = (),
) -> Raw[ChipFiles]:
    """Read the security object, DG1, DG2, what proves the chip genuine, and the groups that `settings` name.

    The groups `also` are read where the chip has and gives them; without one the reading is whole, too.

    `limits` are the reader's; `historical` are the historical bytes of the chip's answer to reset. `on_file`
    is told each file's name and content as soon as it is there. With a `terminal_key` fingers and irises are
    read too, as far as its certificates allow. Raises DocumentError; whatever the driver of the generator
    raises passes through.
    """
    terminal = Terminal(limits)
    reading = _Reading(
        terminal, password, random, settings or DocumentSettings(), on_file, terminal_key, also
    )
    return (yield from reading.run(historical))


class _Reading:
    """One reading: what is settled for good, and what has been found so far."""

    def __init__(
        self,
        terminal: Terminal,
        password: Password,
        random: Random,
        settings: DocumentSettings,
        on_file: Sink | None,
        terminal_key: TerminalKey | None,
        also: tuple[int, ...],
    ) -> None:
        self._terminal = terminal
        self._password = password
        self._random = random
        self._settings = settings
        self._on_file = on_file
        self._terminal_key = terminal_key
        self._also = also
        self._asked_also = False
        self._reader = FileReader(terminal)
        self._proving = Proving(terminal, random, all_proofs=settings.all_proofs)
        self._found: dict[str, Personal[bytes]] = {}
        self._reason = ""

    def run(self, historical: bytes) -> Raw[ChipFiles]:
        card_access = yield from self._offer(historical)
        choice = self._choose(card_access)
        for session in range(MAX_SESSIONS):
            try:
                choice = yield from self._enter(choice, again=session > 0)
                yield from self._confirm()
                yield from self._collect()
                break
            except MessagingError as error:
                forgiven = self._proving.forgive() or self._reader.forgive(error) or self._let_go()
                if not forgiven or session + 1 == MAX_SESSIONS:
                    raise
        access = choice.offer.name if choice else "BAC"
        return ChipFiles(dict(self._found), access, self._reason, self._proving.proofs)

    def _let_go(self) -> bool:
        """Whether a group was asked for that nobody misses: another session may hold without."""
        asked, self._asked_also = self._asked_also, False
        if asked:
            self._also = ()
        return asked

    # --- before access ----------------------------------------------------------------------------

    def _offer(self, historical: bytes) -> Raw[CardAccess | None]:
        """EF.CardAccess, or None where the chip lets nothing of that name be selected; and its limits."""
        said = card_capabilities(historical)
        if said.extended is False:
            self._terminal.limit()
        if said.in_info_file and self._terminal.extended:
            yield from self._heed_info_file()
        selected = yield from self._terminal.send(select(directory.CARD_ACCESS))
        unknown = self._terminal.extended and said.extended is None
        if not selected.ok:
            if unknown:  # a chip without PACE is old, and there is no file to try long APDUs on
                self._terminal.limit()
            return None
        if unknown and not (yield from self._reader.takes_long_form()):
            self._terminal.limit()
        content = yield from self._reader.read_first(directory.CARD_ACCESS)
        self._keep(directory.CARD_ACCESS, content)
        return parse_card_access(content)

    def _heed_info_file(self) -> Raw[None]:
        selected = yield from self._terminal.send(select(directory.ATR_INFO))
        if not selected.ok:
            return
        try:
            said = parse_atr_info((yield from self._reader.read_selected(directory.ATR_INFO)))
        except LdsError:
            return  # a file that says nothing clear limits nothing
        if said.max_command and said.max_response:
            self._terminal.limit(said.max_command, said.max_response)

    def _choose(self, card_access: CardAccess | None) -> PaceChoice | None:
        """What to run, None for BAC; whether BAC may is the operator's word. Raises AccessError."""
        allowed = _BAC_WHERE.index(self._settings.bac)
        choice = card_access.choose() if card_access else None
        if choice is not None:
            return choice
        if card_access is None:
            self._reason = "no_card_access"
        else:
            self._reason = "pace_unsupported" if card_access.offers else "no_pace_offered"
        needed = "pace_unsupported" if self._reason == "pace_unsupported" else "no_pace_offered"
        if allowed < _BAC_WHERE.index(needed):
            raise AccessError("pace_unsupported" if needed == "pace_unsupported" else "bac_not_allowed")
        return None

    # --- access -----------------------------------------------------------------------------------

    def _enter(self, choice: PaceChoice | None, *, again: bool) -> Raw[PaceChoice | None]:
        """Get access and select the application, in the order that the protocol needs; what was run."""
        self._terminal.channel = None
        if again:
            yield from self._terminal.send(Command(0x00, 0xA4, 0x00, 0x0C, MASTER_FILE))
        if choice:
            choice = yield from self._run_pace(choice)
        yield from self._select_application()
        if not choice:
            self._proving.begin(None)
            self._terminal.channel = yield from self._terminal.run_coded(bac(self._password, self._random))
        return choice

    def _run_pace(self, choice: PaceChoice) -> Raw[PaceChoice | None]:
        """PACE; or None where it failed, its password was not to blame, and the operator allows BAC then."""
        try:
            opened = yield from self._terminal.run_coded(pace(choice, self._password, self._random))
        except AccessError as error:
            wrong_password = error.code in _WRONG_PASSWORD
            if (
                wrong_password
                or self._settings.bac != "pace_failed"
                or self._password.kind is not PasswordKind.MRZ
            ):
                raise
            self._reason = f"pace_failed_{error.code}"
            return None
        self._terminal.channel = opened.channel
        self._proving.begin(opened)
        if opened.mapping is not None:
            yield from self._take(directory.CARD_SECURITY)
        return choice

    def _select_application(self) -> Raw[None]:
        """SELECT the application; some chips insist on giving information about it."""
        selected = yield from self._terminal.send(Command(0x00, 0xA4, 0x04, 0x0C, APPLICATION))
        if not selected.ok and selected.status != NOT_FOUND:
            selected = yield from self._terminal.send(Command(0x00, 0xA4, 0x04, 0x00, APPLICATION, 256))
        if not selected.ok:
            raise ReadingError("application_missing")

    # --- files ------------------------------------------------------------------------------------

    def _confirm(self) -> Raw[None]:
        """See that this session's chip is the one of those before, where the proof does not tell.

        The mapping of PACE-CAM proves the chip at the other end of its own session and no more: what was read
        before is that chip's if its security object is. The other proofs rest on that object themselves.
        """
        if self._proving.proofs.mapping is None or "sod" not in self._found:
            return
        content = yield from self._reader.read(directory.SOD, first=SHORT_PIECES[0])
        if content != self._found["sod"].reveal():
            raise ReadingError("sod_changed")

    def _collect(self) -> Raw[None]:
        """All files of the plan that are not there yet, and the proofs, in order."""
        yield from self._take(directory.SOD, first=SHORT_PIECES[0])
        yield from self._take(directory.DG1, first=self._zone_length())
        signed = _signed_groups(self._found["sod"].reveal())
        if 14 in signed:
            yield from self._take(directory.DG14)
            if not self._proving.suffice:
                yield from self._proving.authenticate_chip(self._found["dg14"].reveal())
        if 15 in signed and not self._proving.suffice:
            yield from self._take(directory.DG15)
            yield from self._proving.authenticate_actively(self._found["dg15"].reveal())
        yield from self._take_if_there(directory.COM)
        for number in self._settings.data_groups:
            if number in signed:
                yield from self._take(DATA_GROUPS[number])
        for number in self._also:
            if number in signed:
                self._asked_also = True
                yield from self._take_if_there(DATA_GROUPS[number])
                self._asked_also = False
        yield from self._take_protected(signed)
        yield from self._take(directory.DG2, first=SHORT_PIECES[0])

    def _take_protected(self, signed: frozenset[int]) -> Raw[None]:
        """Fingers and irises (DG3, DG4), which the chip gives only to a terminal with the right to them."""
        missing = [number for number in (3, 4) if number in signed and f"dg{number}" not in self._found]
        if self._terminal_key is None or 14 not in signed or not missing:
            return
        granted = yield from self._proving.authenticate_terminal(
            self._terminal_key, self._found["dg14"].reveal(), self._password, self._reader
        )
        allowed = {3: granted.fingerprints, 4: granted.irises}
        for number in missing:
            if allowed[number]:
                yield from self._take(DATA_GROUPS[number])

    def _take(self, file: ElementaryFile, *, first: int = HEAD) -> Raw[None]:
        if file.name in self._found:
            return
        content = yield from self._reader.read(file, first=first)
        self._proving.settle()
        self._keep(file, content)

    def _take_if_there(self, file: ElementaryFile) -> Raw[None]:
        try:
            yield from self._take(file)
        except ReadingError:
            return

    def _keep(self, file: ElementaryFile, content: bytes) -> None:
        self._found[file.name] = Personal(content)
        if self._on_file is not None:
            self._on_file(file.name, content)

    def _zone_length(self) -> int:
        """How long DG1 is by the format of the zone that opened the chip; its head alone for a CAN."""
        zone = self._password.characters
        return zone + _AROUND_ZONE if zone else HEAD


def _signed_groups(sod: bytes) -> frozenset[int]:
    """The data groups that the security object names; none where it cannot be read, which fails it later."""
    try:
        return frozenset(open_sod(sod).groups)
    except TrustError:
        return frozenset()
