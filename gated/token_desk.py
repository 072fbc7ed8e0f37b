"""What makes or finds tokens, put together from the configuration: part of the start of `gated`."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from gated.config import ConfigError, GateConfig
from gated.core.settings.tokens import TokenSettings
from gated.lanes.condition import Post
from gated.lanes.dossier import Dossiers
from gated.lanes.sight import SightLane
from gated.lanes.tokens import FindingLane, GateTokens, IssuingLane, KioskTokens
from gated.runtime.lanes import Lane
from gated.store.tokens import TokenStore
from gated.tokens.keys import TokenKeyError, opening_key, signing_key
from gated.tokens.token import Model


class TokenDesk:
    """The lane of tokens: `issuing` at a kiosk, `finding` at a gate, neither elsewhere."""

    def __init__(
        self, config: GateConfig, model: Model, sight: SightLane, dossiers: Dossiers, post: Post
    ) -> None:
        """Make the lane, of a gate that compares by `model`. Raises ConfigError, StoreError."""
        self.issuing: IssuingLane | None = None
        self.finding: FindingLane | None = None
        tokens = config.tokens
        if tokens is None:
            return
        address = f"ipc://{config.paths.run}/tokens"
        try:
            kiosk, gate = _of_kiosk(config, tokens), _of_gate(config, tokens, model)
        except TokenKeyError as error:
            raise ConfigError(f"[tokens] key_file: {error}") from error
        if kiosk is not None:
            self.issuing = IssuingLane(address, kiosk, sight, dossiers, post)
            sight.listen_for_templates(self.issuing)
        if gate is not None:
            store = TokenStore(Path(config.paths.state) / "tokens.db")
            self.finding = FindingLane(address, gate, store, dossiers, post)

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """What is to be started."""
        return tuple(each.lane for each in (self.issuing, self.finding) if each is not None)


def _of_kiosk(config: GateConfig, tokens: TokenSettings) -> KioskTokens | None:
    if tokens.gate is None:
        return None
    return KioskTokens(
        kiosk=config.gate,
        key=signing_key(Path(tokens.key_file)),
        gate=tokens.gate.name,
        gate_key=X25519PublicKey.from_public_bytes(bytes.fromhex(tokens.gate.public_key)),
        lasts_s=60 * tokens.minutes,
    )


def _of_gate(config: GateConfig, tokens: TokenSettings, model: Model) -> GateTokens | None:
    if not tokens.kiosks:
        return None
    return GateTokens(
        gate=config.gate,
        key=opening_key(Path(tokens.key_file)),
        kiosks={
            each.name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(each.public_key))
            for each in tokens.kiosks
        },
        longest_s=60 * tokens.minutes,
        model=model,
    )
