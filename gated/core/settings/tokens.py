"""A kiosk and its gate apart: what each knows of the other."""

from typing import Annotated

from msgspec import Meta

from gated.core.settings import Name, Path, Settings


class ServedGate(Settings):
    """The gate that a kiosk makes tokens for, and the public key that `gate-central token-key` told there."""

    name: Name
    public_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class TrustedKiosk(Settings):
    """A kiosk whose tokens count, and the public key that `gate-central token-key` told there."""

    name: Name
    public_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class TokenSettings(Settings, omit_defaults=True):  # TOML cannot say None
    """Tokens: at a kiosk, the `gate` that they are for; at a gate, the `kiosks` whose word counts.

    `key_file` is this lane's own, `minutes` is how long a token holds; a gate takes none that holds longer.
    """

    key_file: Path
    minutes: Annotated[int, Meta(ge=1, le=240)] = 30
    gate: ServedGate | None = None
    kiosks: Annotated[tuple[TrustedKiosk, ...], Meta(max_length=64)] = ()

    def __post_init__(self) -> None:
        """Refuse a lane that is both, or neither; the loader adds the file and the section."""
        if (self.gate is None) == (not self.kiosks):
            raise ValueError("a kiosk has `gate`, a gate has `kiosks`: write the one or the other")
