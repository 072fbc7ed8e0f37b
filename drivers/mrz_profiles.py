"""What serial MRZ readers are like: named defaults for `[mrz_scanner]`, and the explicit keys on top of them.

A profile with a source stands for the documented behaviour of a family of readers. One without is generic: it
says how bytes are framed, and everything else is to be taken from the reader's own manual. docs/readers.md
tells which is which, and how a technician finds the keys for a reader that has no profile.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

from drivers.mrz_framing import Auto, Delimited, Elyctis, Framing, Rte
from gated.core.settings.readers import MrzScannerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How a reader is spoken to and what it sends. Commands and marks are bytes as they go over the line.

    `continuous` is sent when the port is opened and, with `rearm`, after each message; `inquire` asks for
    what lies on the reader now. `ignored` are bytes without meaning. `source` is empty for a generic profile.
    """

    source: str = ""
    baud: int = 9600
    bytesize: int = 8
    parity: str = "N"
    stopbits: int = 1
    framing: Literal["auto", "delimited", "rte", "elyctis"] = "auto"
    start: bytes = b"\x02"
    end: bytes = b"\x03"
    filler: bytes = b"<"
    padding: bytes = b""
    ignored: bytes = b""
    inquire: bytes = b""
    continuous: bytes = b""
    rearm: bool = False
    max_bytes: int = 256
    byte_gap_s: float = 0.25

    def make_framing(self) -> Framing:
        """The framing of these habits."""
        match self.framing:
            case "delimited":
                return Delimited(self.start, self.end)
            case "rte":
                return Rte()
            case "elyctis":
                return Elyctis(self.max_bytes)
            case _:
                return Auto()


PROFILES: Final = {
    "generic": Habits(),
    "delimited": Habits(framing="delimited"),
    "rte-native": Habits(
        source="3M RTE6701-OEM Integration Manual VC27U V1.03, section 9.1: one message after each document, "
        "missing lines are bare CRs, short lines are filled up with underscores, no commands",
        framing="rte",
        padding=b"_",
    ),
    "elyctis-idbox": Habits(
        source="Elyctis IDBOX One, Scanner Command Set v1.7 (14 September 2020): Inquire, and Active "
        "Continuous Reading, which ends with each document that was read",
        framing="elyctis",
        inquire=b"I\x00\x00",
        continuous=b"C\x00\x01\x01",
        rearm=True,
        max_bytes=512,
    ),
}
_TEXTS: Final = ("start", "end", "filler", "padding", "ignored", "inquire", "continuous")


def habits_of(settings: MrzScannerSettings) -> Habits:
    """The habits of the profile, with the keys that are set in place of its own."""
    profile = PROFILES[settings.profile]
    told = {
        name: getattr(settings, name)
        for name in Habits.__dataclass_fields__
        if name != "source" and getattr(settings, name) is not None
    }
    return replace(
        profile,
        **{name: value.encode("latin-1") if name in _TEXTS else value for name, value in told.items()},
    )
