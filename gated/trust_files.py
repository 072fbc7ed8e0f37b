"""The trust material that a configuration names, read into one store."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from gated.config import ConfigError
from gated.core.settings.documents import TrustSettings
from gated.document.errors import TrustError
from gated.document.trust.contents import MAX_TRUST_FILE
from gated.document.trust.store import TrustStore


def load_trust(
    settings: TrustSettings, published: Mapping[str, Sequence[Path]] = MappingProxyType({})
) -> TrustStore:
    """Read the trust store. Raises ConfigError that names the file or the certificate.

    `published` are further files by their use; never anchors, which a person brings to the gate.
    """

    def both(key: str) -> list[bytes]:
        return _read([*getattr(settings, key), *map(str, published.get(key, ()))], key)

    try:
        return TrustStore.load(
            master_lists=both("master_lists"),
            certificates=both("certificates"),
            anchors=_read(settings.anchors, "anchors"),
            crls=both("crls"),
            deviations=both("deviations"),
        )
    except TrustError as error:
        raise ConfigError(f"[trust] {error.source}: {error.code}: check the files and the anchors") from error


def _read(paths: Sequence[str], key: str) -> list[bytes]:
    contents = []
    for path in paths:
        try:
            with Path(path).open("rb") as file:
                raw = file.read(MAX_TRUST_FILE + 1)
        except OSError as error:
            why = error.strerror
            raise ConfigError(f"{path}: cannot be read ({why}): correct [trust] {key}") from error
        if len(raw) > MAX_TRUST_FILE:
            raise ConfigError(f"{path}: longer than {MAX_TRUST_FILE} bytes: correct [trust] {key}")
        contents.append(raw)
    return contents
