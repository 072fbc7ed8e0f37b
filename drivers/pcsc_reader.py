"""The contactless reader through PC/SC, for readers that the system's PC/SC daemon owns.

It needs the optional package pyscard (`pip install 'egate[pcsc]'`), which is imported only when the
configuration asks for this driver. The functions of PC/SC block without a limit while a reader hangs, so they
run in a thread of their own that is waited for only as long as a command may take; a call that stays stuck
makes the reader count as frozen until it comes back.

What a reader carries is asked of its driver (PC/SC part 10, dwMaxAPDUDataSize). Where it does not say, it is
short APDUs, which every reader takes.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, TypeVar

from drivers.atr import AtrError, parse_atr
from gated.core.ports import CardGone, DeviceError, DeviceGone, DeviceTimeout, Limits
from gated.core.settings.readers import ChipReaderSettings

T = TypeVar("T")

DEVICE: Final = "chip_reader"
STATUS_S: Final = 1.0  # for what needs no card
LOOK_S: Final = 1.0  # a wait for a card is made of looks this long
MAX_COMMAND: Final = 65_544
MAX_RESPONSE: Final = 65_536  # without the status word
SHORT: Final = Limits(max_command=261, max_response=256)
EXTENDED: Final = Limits(max_command=MAX_COMMAND, max_response=MAX_RESPONSE)

_FEATURE_REQUEST: Final = 3400  # part 10, 2.2: CM_IOCTL_GET_FEATURE_REQUEST
_TLV_PROPERTIES: Final = 0x12  # FEATURE_GET_TLV_PROPERTIES
_MAX_APDU_DATA: Final = 0x0A  # dwMaxAPDUDataSize: 0 says short APDUs only

INSTALL: Final = "install the optional package: pip install 'egate[pcsc]' (it needs libpcsclite-dev and swig)"
START: Final = "start the PC/SC daemon: systemctl start pcscd.socket"
PLUG_AGAIN: Final = "check the cable of the reader and plug it in again"
KEEP_STILL: Final = "leave the passport still on the reader"
RESTART: Final = "restart the PC/SC daemon and plug the reader in again"


class PcscChipReader:
    """A `gated.core.ports.ChipReader` on a reader of the PC/SC daemon, used by one thread."""

    def __init__(self, settings: ChipReaderSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._caller = _Caller()
        self._scard: Any = None
        self._context: Any = None
        self._name = ""
        self._limits = SHORT
        self._card: Any = None  # the handle of a connected card

    def open(self) -> None:
        """Reach the daemon and find the reader in its list; closes it first if it is open.

        Raises DeviceGone when the daemon or the reader is not there, DeviceError when it cannot be used.
        """
        self.close()
        try:
            self._name = self._choose(self.reach())
            self._limits = self._carried()
        except BaseException:
            self.close()
            raise

    def reach(self) -> list[str]:
        """Reach the daemon and ask for the names of its readers. Raises DeviceGone, DeviceError."""
        if self._caller.is_stuck:
            raise DeviceTimeout(DEVICE, "frozen", RESTART)
        scard = self._scard = _library()
        self._context = self._ask(lambda: scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM))
        names = self._ask(lambda: scard.SCardListReaders(self._context, []), {"NO_READERS_AVAILABLE": []})
        return list(names)

    def close(self) -> None:
        """Cut the card's power and leave the daemon. Idempotent, never raises."""
        self.disconnect()
        scard, context = self._scard, self._context
        if scard is not None and context is not None:
            self._caller.start(lambda: scard.SCardReleaseContext(context))
        self._scard = self._context = None

    @property
    def is_open(self) -> bool:
        """Whether the reader was found (it may have been unplugged since)."""
        return self._context is not None

    @property
    def limits(self) -> Limits:
        """What one exchange carries. Raises DeviceGone if the reader is not open."""
        self._opened()
        return self._limits

    def card_present(self) -> bool:
        """Whether a card is in the field now. Raises DeviceGone, DeviceTimeout."""
        return bool(self._state(0.0, 0) & self._opened().SCARD_STATE_PRESENT)

    def await_card(self, timeout_s: float) -> bool:
        """Wait for a card in the field; False when none came in time. Raises DeviceGone, DeviceTimeout."""
        scard, deadline = self._opened(), self._clock() + timeout_s
        state = self._state(0.0, scard.SCARD_STATE_UNAWARE)
        while not state & scard.SCARD_STATE_PRESENT:
            left = deadline - self._clock()
            if left <= 0:
                return False
            state = self._state(min(left, LOOK_S), state)
        return True

    def connect(self) -> bytes:
        """Power the card from scratch, return the historical bytes of its ATR; empty where it has none.

        Raises CardGone when there is no card or it does not answer, DeviceError when another program has it.
        """
        scard = self._opened()
        self.disconnect()
        handle, _ = self._ask(
            lambda: scard.SCardConnect(
                self._context, self._name, scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T1
            )
        )
        self._card = handle
        self._ask(  # the daemon keeps power on a card, and another program may have left it in any state
            lambda: scard.SCardReconnect(
                handle, scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T1, scard.SCARD_UNPOWER_CARD
            )
        )
        *_, raw = self._ask(lambda: scard.SCardStatus(handle))
        try:
            return parse_atr(bytes(raw)).historical
        except AtrError:
            return b""

    def transceive(self, apdu: bytes) -> bytes:
        """Exchange one APDU within `exchange_s`. Raises CardGone, DeviceGone, DeviceTimeout, DeviceError."""
        scard = self._opened()
        if not 4 <= len(apdu) <= MAX_COMMAND:
            raise ValueError("a command APDU has at least a header, and fits one at most")
        if len(apdu) > self._limits.max_command:
            raise DeviceError(DEVICE, "short_apdus_only", "send shorter commands, or use another reader")
        handle = self._card
        if handle is None:
            raise CardGone(DEVICE, "not_connected", KEEP_STILL)
        try:
            response = bytes(self._ask(lambda: scard.SCardTransmit(handle, scard.SCARD_PCI_T1, list(apdu))))
        except CardGone as gone:
            if gone.code == "card_mute" and not self.card_present():
                raise CardGone(DEVICE, "card_removed", KEEP_STILL) from gone
            raise
        if not 2 <= len(response) <= MAX_RESPONSE + 2:  # the reader passes on what the card sends
            raise CardGone(DEVICE, "card_garbled", KEEP_STILL)
        return response

    def disconnect(self) -> None:
        """Cut the card's power. Idempotent, never raises."""
        scard, handle, self._card = self._scard, self._card, None
        if scard is None or handle is None:
            return
        if self._caller.is_stuck:
            self._caller.start(lambda: scard.SCardDisconnect(handle, scard.SCARD_UNPOWER_CARD))
            return  # it will be done as soon as the call before it comes back
        try:
            self._ask(lambda: scard.SCardDisconnect(handle, scard.SCARD_UNPOWER_CARD))
        except DeviceError:
            return  # a card or daemon that is gone holds nothing powered

    def _choose(self, names: list[str]) -> str:
        """The one reader that the configuration means."""
        fitting = [name for name in names if self._settings.name.lower() in name.lower()]
        if not fitting:
            raise DeviceGone(DEVICE, "not_found", f"check the cable and [{DEVICE}] name")
        if len(fitting) > 1:
            raise DeviceError(
                DEVICE, "several_readers", f"set [{DEVICE}] name so that it fits one line of pcsc_scan -r"
            )
        return fitting[0]

    def _carried(self) -> Limits:
        """What the reader's driver says about the length of APDUs."""
        scard = self._opened()
        handle, _ = self._ask(
            lambda: scard.SCardConnect(self._context, self._name, scard.SCARD_SHARE_DIRECT, 0)
        )
        try:
            features = _tlv(self._control(handle, scard.SCARD_CTL_CODE(_FEATURE_REQUEST)))
            code = features.get(_TLV_PROPERTIES)
            if code is None or len(code) != 4:
                return SHORT
            return _limits(self._control(handle, int.from_bytes(code, "big")))
        finally:
            self._ask(lambda: scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD))

    def _control(self, handle: Any, code: int) -> bytes:
        """What a driver answers to a control code; nothing where it does not know it."""
        scard = self._opened()
        try:
            return bytes(self._ask(lambda: scard.SCardControl(handle, code, [])))
        except (CardGone, DeviceGone, DeviceTimeout):
            raise
        except DeviceError:
            return b""

    def _state(self, timeout_s: float, known: int) -> int:
        """The reader's state once it is another than the known one, or the time has passed."""
        scard = self._opened()
        wait_ms = round(timeout_s * 1000)
        states = self._ask(
            lambda: scard.SCardGetStatusChange(self._context, wait_ms, [(self._name, known)]),
            {"TIMEOUT": None},
            timeout_s=timeout_s + STATUS_S,
        )
        if states is None:
            return known
        state = int(states[0][1])
        if state & (scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE):
            raise DeviceGone(DEVICE, "unplugged", PLUG_AGAIN)
        return int(state & ~scard.SCARD_STATE_CHANGED)

    def _ask(
        self,
        call: Callable[[], Any],
        harmless: dict[str, Any] | None = None,
        *,
        timeout_s: float | None = None,
    ) -> Any:
        """Make a call of PC/SC; what it returns beside its result code, as one value or a tuple of them.

        `harmless` names result codes and what they stand for. Raises as the other codes deserve.
        """
        scard = self._scard
        limit = self._settings.exchange_s if timeout_s is None else timeout_s
        returned = self._caller.call(call, limit)
        result, *values = returned if isinstance(returned, list | tuple) else (returned,)
        if result == scard.SCARD_S_SUCCESS:
            return values[0] if len(values) == 1 else tuple(values)
        name = _name_of(scard, result)
        if harmless and name in harmless:
            return harmless[name]
        raise _failure(name)

    def _opened(self) -> Any:
        if self._scard is None or self._context is None:
            raise DeviceGone(DEVICE, "not_open", "open the reader first")
        return self._scard


def reader_names() -> tuple[str, ...]:
    """The names of the readers that the daemon knows. Raises DeviceError, DeviceGone, DeviceTimeout."""
    reader = PcscChipReader(ChipReaderSettings(interface="pcsc"))
    try:
        return tuple(reader.reach())
    finally:
        reader.close()


class _Caller:
    """A thread that makes blocking calls; who asks for one waits a limited time."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._thread: Thread | None = None
        self._given_up: Future[Any] | None = None

    @property
    def is_stuck(self) -> bool:
        """Whether a call that was given up has not come back yet."""
        return self._given_up is not None and not self._given_up.done()

    def start(self, call: Callable[[], T]) -> "Future[T]":
        """Have a call made."""
        future: Future[T] = Future()

        def job() -> None:
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - it is raised again where the call was asked for
                future.set_exception(error)

        if self._thread is None:
            self._thread = Thread(target=self._work, name="pcsc", daemon=True)
            self._thread.start()
        self._jobs.put(job)
        return future

    def call(self, call: Callable[[], T], timeout_s: float) -> T:
        """Make a call and return its result. Raises DeviceTimeout when it does not come back in time."""
        future = self.start(call)
        try:
            return future.result(timeout_s)
        except TimeoutError:
            self._given_up = future
            raise DeviceTimeout(DEVICE, "silent", RESTART) from None

    def _work(self) -> None:
        while True:
            self._jobs.get()()


def _library() -> Any:
    """The layer on PC/SC of pyscard. Raises DeviceError that names the fix when it is not installed."""
    try:
        from smartcard import scard  # noqa: PLC0415 - optional, and needed by this driver alone
    except ImportError as error:
        raise DeviceError(DEVICE, "no_pyscard", INSTALL) from error
    return scard


def _limits(properties: bytes) -> Limits:
    """What the properties of a driver (part 10, 2.6.14) say about the length of APDUs."""
    most = int.from_bytes(_tlv(properties).get(_MAX_APDU_DATA, b""), "little")
    return EXTENDED if most >= MAX_RESPONSE else SHORT


def _tlv(raw: bytes) -> dict[int, bytes]:
    """Read one-byte tags and lengths; what does not fit ends the reading."""
    found: dict[int, bytes] = {}
    offset = 0
    while offset + 2 <= len(raw) and offset + 2 + raw[offset + 1] <= len(raw):
        end = offset + 2 + raw[offset + 1]
        found[raw[offset]] = raw[offset + 2 : end]
        offset = end
    return found


def _name_of(scard: Any, result: int) -> str:
    """The name of a result code of PC/SC, without its prefix; unknown ones keep their number."""
    for name in dir(scard):
        if name.startswith(("SCARD_E_", "SCARD_W_", "SCARD_F_")) and getattr(scard, name) == result:
            return name[len("SCARD_E_") :]
    return f"{result & 0xFFFFFFFF:08x}"


_CARD_CODES: Final = {
    "NO_SMARTCARD": ("no_card", "place the passport on the reader"),
    "REMOVED_CARD": ("card_removed", KEEP_STILL),
    "UNRESPONSIVE_CARD": ("card_mute", "lay one document on the reader, and nothing else that has a chip"),
    "UNPOWERED_CARD": ("card_mute", KEEP_STILL),
    "NOT_TRANSACTED": ("card_mute", KEEP_STILL),
    "COMM_DATA_LOST": ("card_mute", KEEP_STILL),
    "RESET_CARD": ("card_reset", KEEP_STILL),
    "PROTO_MISMATCH": ("card_without_t1", "this is no passport: lay one on the reader"),
    "UNSUPPORTED_CARD": ("card_without_t1", "this is no passport: lay one on the reader"),
}
_GONE_CODES: Final = {
    "READER_UNAVAILABLE": ("unplugged", PLUG_AGAIN),
    "UNKNOWN_READER": ("unplugged", PLUG_AGAIN),
    "NO_READERS_AVAILABLE": ("unplugged", PLUG_AGAIN),
    "NO_SERVICE": ("no_service", START),
    "SERVICE_STOPPED": ("no_service", START),
    "COMM_ERROR": ("no_service", START),
    "INVALID_HANDLE": ("no_service", START),  # the daemon was started anew since
}
_RIGHT: Final = "give the gate's user the right to the daemon (polkit rule: docs/readers.md)"
_OTHER_CODES: Final = {
    "SHARING_VIOLATION": ("claimed_by_other", "stop the other program that uses the reader"),
    "NO_ACCESS": ("no_right", _RIGHT),
    "SECURITY_VIOLATION": ("no_right", _RIGHT),
}


def _failure(name: str) -> DeviceError:
    """Say what a result code of PC/SC means for the caller."""
    if name in _CARD_CODES:
        return CardGone(DEVICE, *_CARD_CODES[name])
    if name in _GONE_CODES:
        return DeviceGone(DEVICE, *_GONE_CODES[name])
    if name == "TIMEOUT":
        return DeviceTimeout(DEVICE, "silent", RESTART)
    code, fix = _OTHER_CODES.get(name, (f"pcsc_{name.lower()}", RESTART))
    return DeviceError(DEVICE, code, fix)
