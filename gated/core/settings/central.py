"""The way to the centre, and whose signed words count at this gate."""

from typing import Annotated

from msgspec import Meta

from gated.core.settings import Name, Path, Seconds, Settings


class NeighbourSettings(Settings, omit_defaults=True):  # TOML cannot say None
    """Another gate: its link may ask here by its key, and is asked at its `address`, where it has one."""

    name: Name
    public_key: Annotated[str, Meta(min_length=40, max_length=40)]
    address: Path | None = None


class LinkSettings(Settings, omit_defaults=True):  # TOML cannot say None
    """The connection to the central server, used by `gate-link` alone (ZeroMQ CURVE, Z85 keys).

    `relay` is where neighbours may ask for what the centre has published.
    """

    requests: Path
    announcements: Path
    server_key: Annotated[str, Meta(min_length=40, max_length=40)]
    key_file: Path
    timeout_s: Seconds = 3.0
    relay: Path | None = None
    neighbours: Annotated[tuple[NeighbourSettings, ...], Meta(max_length=3)] = ()


class JournalSettings(Settings, omit_defaults=True):  # TOML cannot say None
    """Where the journal is delivered to, and the key for receipts that `gate-central status` shows.

    `key_file` is the gate's own, which `gatectl journal key` made: what is delivered is signed with it.
    `keep_days`: entries that are older and have a receipt are removed; None: none ever is.
    """

    collector: Path
    receipt_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    key_file: Path
    keep_days: Annotated[int, Meta(ge=7, le=36_500)] | None = None


class OfficerSettings(Settings):
    """An officer's Ed25519 public key, 64 hexadecimal digits."""

    name: Name
    public_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class WatchlistSettings(Settings):
    """The files of the list keys that this gate holds: one, or two while the centre changes it."""

    keys: Annotated[tuple[str, ...], Meta(max_length=8)] = ()
