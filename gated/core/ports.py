"""What the daemons ask of devices: Protocols of a few verbs, and the one family of errors they raise."""

from collections.abc import Callable
from typing import Protocol

from gated.core.values import Value


class DeviceError(Exception):
    """A device could not do what was asked. The root of every error that a driver raises.

    `code` is short and snake_case, for the journal; `fix` tells a technician what to do.
    Neither the code nor the text ever carries bytes that came from the device.
    """

    def __init__(self, device: str, code: str, fix: str) -> None:
        super().__init__(f"{device}: {code}: {fix}")
        self.device = device
        self.code = code
        self.fix = fix


class DeviceGone(DeviceError):
    """The device is not there (any more): try to open it again later."""


class DeviceTimeout(DeviceError):
    """The device is there but did not answer in time: try again, then treat it as gone."""


class CardGone(DeviceError):
    """The reader is well; the chip left its field or stopped answering."""


class Limits(Value):
    """What one exchange with a chip can carry through its reader.

    `max_command` counts the whole command APDU, `max_response` the response without its status word. A reader
    of whole short APDUs says 261 and 256, or less; one that carries extended APDUs 65544 and 65536.
    """

    max_command: int
    max_response: int


class ChipReader(Protocol):
    """A contactless reader with one slot (USB CCID, PC/SC, a simulator, a recorded transcript)."""

    def open(self) -> None:
        """Take the reader; closes it first if it is open. Raises DeviceGone, DeviceTimeout, DeviceError."""

    def close(self) -> None:
        """Cut the card's power and give the reader back. Idempotent, never raises."""

    @property
    def is_open(self) -> bool:
        """Whether the reader is held (it may have been unplugged since)."""

    @property
    def limits(self) -> Limits:
        """What one exchange carries. Raises DeviceGone if the reader is not open."""

    def card_present(self) -> bool:
        """Whether a card is in the field now. Raises DeviceGone, DeviceTimeout."""

    def await_card(self, timeout_s: float) -> bool:
        """Wait for a card in the field; False when none came in time. Raises DeviceGone, DeviceTimeout."""

    def connect(self) -> bytes:
        """Power the card from scratch and return the historical bytes of its ATR (ISO 7816-4, 8.1.1).

        They are empty where the reader's ATR makes no sense. Raises CardGone: `no_card`, `two_cards`,
        `card_mute` ...
        """

    def transceive(self, apdu: bytes) -> bytes:
        """Send one command APDU, return the response APDU with its status word (ISO 7816-4).

        Raises CardGone (`card_removed`, `card_mute` ...), DeviceGone, DeviceTimeout, DeviceError.
        """

    def disconnect(self) -> None:
        """Cut the power of the card. Idempotent, never raises."""


class MrzScanner(Protocol):
    """A reader that sends the lines of the machine-readable zone."""

    def open(self) -> None:
        """Take the device; forget what it sent before. Raises DeviceGone, DeviceTimeout, DeviceError."""

    def close(self) -> None:
        """Give the device back. Idempotent, never raises."""

    def read(self, timeout_s: float) -> bytes | None:
        r"""Return one message, its lines joined by `\n` and nothing else; None when none began in time.

        Raises DeviceGone, DeviceTimeout, DeviceError: what came is no message (`noise`, `cut_off`).
        """

    def inquire(self) -> None:
        """Ask the device to send what lies on it now (a no-op for devices that only send by themselves)."""


class Lamps(Protocol):
    """The signal lamps of the lane."""

    def show(self, pattern: str) -> None:
        """Show a named pattern; an unknown name is a programming error."""


Watch = Callable[[str, bool], None]  # (name of the input, active): an edge of an input line
