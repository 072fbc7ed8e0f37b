"""What reads documents: the MRZ scanner and the chip reader."""

from typing import Annotated, Literal

from msgspec import Meta

from gated.core.settings import Path, Seconds, Settings

UsbPath = Annotated[str, Meta(pattern=r"^([1-9][0-9]{0,2}-[1-9][0-9]{0,2}(\.[1-9][0-9]{0,2}){0,6})?\Z")]
Wire = Annotated[str, Meta(pattern=r"^[\x00-\xff]*\Z", max_length=32)]  # bytes as characters


class MrzScannerSettings(Settings, omit_defaults=True):  # TOML cannot say None
    """A serial MRZ reader: the profile that it is like, and keys that replace what the profile says.

    `docs/readers.md` lists the profiles and their values. `continuous` is the command that makes it read by
    itself, `inquire` the one that makes it send what lies on it, if it has them.
    """

    port: Path
    profile: Literal["generic", "delimited", "rte-native", "elyctis-idbox"] = "generic"
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] | None = None
    bytesize: Literal[7, 8] | None = None
    parity: Literal["N", "E", "O"] | None = None
    stopbits: Literal[1, 2] | None = None
    framing: Literal["auto", "delimited", "rte", "elyctis"] | None = None
    start: Wire | None = None
    end: Wire | None = None
    filler: Annotated[str, Meta(pattern=r"^[!-~]\Z")] | None = None
    padding: Annotated[str, Meta(pattern=r"^[!-~]?\Z")] | None = None
    ignored: Wire | None = None
    inquire: Wire | None = None
    continuous: Wire | None = None
    rearm: bool | None = None
    max_bytes: Annotated[int, Meta(ge=90, le=1024)] | None = None
    byte_gap_s: Seconds | None = None

    def __post_init__(self) -> None:
        """Refuse keys that contradict each other; the loader adds the file and the section."""
        for name in ("start", "end"):
            if getattr(self, name) == "":
                raise ValueError(f"`{name}` is empty: write the mark, such as \\u0002, or leave the key out")
        marks = self.start is not None or self.end is not None
        if marks and (self.framing or self.profile) != "delimited":
            raise ValueError('`start` and `end` are of no use without framing = "delimited": add it')
        by_profile = self.continuous is None and self.profile == "elyctis-idbox"
        if self.rearm and not self.continuous and not by_profile:
            raise ValueError("`rearm` sends `continuous` again, which is empty: set it, or rearm = false")


class ChipReaderSettings(Settings):
    """A contactless reader: driven by ourselves (`usb`), or by the PC/SC daemon that owns it (`pcsc`).

    Over USB it is found by vendor and product id (`0` for any CCID device), and by where it is plugged in:
    `usb_path` is the bus and the ports from its root on, such as `1-2.3` (empty: anywhere). `ccid_interface`
    and `slot` say which part of it reads without contacts. Under PC/SC it is found by a part of its name.
    """

    interface: Literal["usb", "pcsc"] = "usb"
    vendor_id: Annotated[int, Meta(ge=0, le=0xFFFF)] = 0
    product_id: Annotated[int, Meta(ge=0, le=0xFFFF)] = 0
    usb_path: UsbPath = ""
    ccid_interface: Annotated[int, Meta(ge=0, le=15)] = 0
    slot: Annotated[int, Meta(ge=0, le=15)] = 0
    two_cards_error: Annotated[int, Meta(ge=0, le=0xFF)] = 0
    name: Annotated[str, Meta(max_length=127)] = ""
    exchange_s: Seconds = 3.0

    def __post_init__(self) -> None:
        """Refuse keys of the interface that is not used; the loader adds the file and the section."""
        if self.interface == "usb" and self.name:
            raise ValueError('`name` is of no use without interface = "pcsc": remove it, or set that')
        for key in ("vendor_id", "product_id", "usb_path", "ccid_interface", "slot", "two_cards_error"):
            if self.interface == "pcsc" and getattr(self, key):
                raise ValueError(f'`{key}` is of no use with interface = "pcsc": remove it')
