"""A card in the first reader of the PC/SC daemon, by ctypes and libpcsclite: nothing of ours in between."""

import ctypes
import time

LIBRARY = "libpcsclite.so.1"
WAIT_S = 20.0

_SYSTEM, _EXCLUSIVE, _T1, _UNPOWER = 2, 1, 2, 2
_ROOM = 65_538

_word = ctypes.c_ulong
_handle = ctypes.c_long


class _IoRequest(ctypes.Structure):
    _fields_ = (("protocol", _word), ("length", _word))


class PcscError(Exception):
    """A call failed; its code is in the text."""


class Card:
    """The card, powered anew; waits until it is there."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(LIBRARY)
        self._card, self._context = _handle(), _handle()
        context = self._context
        self._call("SCardEstablishContext", _word(_SYSTEM), None, None, ctypes.byref(context))
        names, size = ctypes.create_string_buffer(1024), _word(1024)
        self._call("SCardListReaders", context, None, names, ctypes.byref(size))
        deadline, used = time.monotonic() + WAIT_S, _word()
        reader = names.value
        while True:
            try:
                self._call(
                    "SCardConnect", context, reader, _word(_EXCLUSIVE), _word(_T1),
                    ctypes.byref(self._card), ctypes.byref(used),
                )  # fmt: skip
                break
            except PcscError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self._call(
            "SCardReconnect", self._card, _word(_EXCLUSIVE), _word(_T1), _word(_UNPOWER), ctypes.byref(used)
        )

    def transmit(self, command: bytes) -> bytes:
        """Exchange one APDU."""
        answer, size = ctypes.create_string_buffer(_ROOM), _word(_ROOM)
        how = _IoRequest(_T1, ctypes.sizeof(_IoRequest))
        self._call(
            "SCardTransmit", self._card, ctypes.byref(how), command, _word(len(command)), None,
            answer, ctypes.byref(size),
        )  # fmt: skip
        return answer.raw[: size.value]

    def close(self) -> None:
        """Let go of the card: a daemon that has to clean up after a client may miss what comes next."""
        self._call("SCardDisconnect", self._card, _word(_UNPOWER))
        self._call("SCardReleaseContext", self._context)

    def _call(self, name: str, *arguments: object) -> None:
        result = getattr(self._library, name)(*arguments)
        if result:
            raise PcscError(f"{name}: {result & 0xFFFFFFFF:08X}")
