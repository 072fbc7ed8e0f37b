"""What a gate does with the published kinds: looks whether it can use them, and takes them into use.

A trust store, a rule pack and standings are taken up while the gate runs; a configuration, models and prompts
from the next start on, because too much rests on them to change it under a traveller. The gate decides by its
`gate.toml` with the published configuration laid over it, by its own trust material and what is published
beside it, and by the published rules and standings in place of its own.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from gated import logs
from gated.config import ConfigError, Loaded, decided, load
from gated.core.events import PublishedChanged
from gated.document.trust.store import TrustStore
from gated.embedders import Stock
from gated.lanes.condition import Post
from gated.rule_files import load_rules, read_usable
from gated.store.database import StoreError
from gated.store.false_hits import read_shared
from gated.store.kinds import Check, KindsUpdater
from gated.store.published import InForce, Published
from gated.store.signed import NotUsable
from gated.store.standings import read_contents
from gated.trust_files import load_trust
from gated.watchlist.false_hits import Marking
from gated.watchlist.keyed import ListKeys
from gated.watchlist.publication import KINDS, Kind, PublishedFile
from models import installed, manifest
from models.manifest import ModelError

AT_ONCE: frozenset[Kind] = frozenset({"trust", "rules", "standings", "false_hits"})
"""The kinds that a running gate takes up; the others wait for the next start."""

_log = logs.get("published")


def load_published(path: Path) -> tuple[Loaded, Published]:
    """Read a gate's configuration with the published one laid over it, and what else is published.

    Raises ConfigError: also where the gate's own file has changed so that the two no longer fit together.
    """
    alone = load(path)
    published = Published(Path(alone.config.paths.state) / "published")
    for kind, serves in published.recover().items():
        _log.error("what was published is damaged", kind=kind, code=serves, fix="it is fetched again")
    return overlaid(path, alone, published), published


def overlaid(path: Path, own: Loaded, published: Published) -> Loaded:
    """Return a gate's own configuration with what is in force laid over it. Raises ConfigError."""
    (overlay,) = published.files("config")["overlay"] or (None,)
    return own if overlay is None else load(path, overlay)


class PublishedKinds:
    """The published kinds of one gate. `taken` hears of a trust store or rules to be used from now on."""

    def __init__(
        self,
        path: Path,
        loaded: Loaded,
        published: Published,
        post: Post,
        taken: Mapping[Kind, Callable[[], None]],
        keys: ListKeys | None = None,
    ) -> None:
        """`keys` are the list keys that this gate holds."""
        self._path = path
        self._config = loaded.config
        self._published = published
        self._stock = Stock(Path(loaded.config.paths.models), published)
        self._post = post
        self._taken = taken
        self._keys = keys or ListKeys()
        checks: dict[Kind, Check] = {
            "rules": self._rules,
            "config": self._overlay,
            "trust": self._trust,
            "models": self._models,
            "prompts": self._prompts,
            "standings": self._standings,
            "false_hits": self._false_hits,
        }
        folder = Path(loaded.config.paths.state) / "published"
        self.updater = KindsUpdater(published, folder, loaded.config.gate, checks, self._took, AT_ONCE)

    def hashes(self) -> dict[str, str]:
        """What of it the gate decides by, for the record."""
        found = {kind: self._published.in_force(kind) for kind in KINDS}
        return {f"published_{kind}": now.sha256 for kind, now in found.items() if now is not None}

    def trust(self) -> TrustStore:
        """The gate's own trust material, and what is published. Raises ConfigError."""
        return load_trust(self._config.trust, self._published.files("trust"))

    def standings(self) -> Path | None:
        """The file of standings that is published. For any thread."""
        (path,) = self._published.files("standings")["standings"] or (None,)
        return path

    def false_hits(self) -> Path | None:
        """The file of false hits that is published. For any thread."""
        (path,) = self._published.files("false_hits")["false_hits"] or (None,)
        return path

    def _took(self, kind: Kind, now: InForce) -> None:
        _log.info("a release is in force", kind=kind, version=now.version)
        self._post(PublishedChanged(at=time.monotonic(), kind=kind, version=now.version, sha256=now.sha256))
        if kind in self._taken:
            self._taken[kind]()

    def _rules(self, folder: Path, files: tuple[PublishedFile, ...]) -> None:
        try:
            read_usable(folder / files[0].name, self._config)
        except ConfigError as error:
            raise _refused("rules", str(error)) from error

    def _overlay(self, folder: Path, files: tuple[PublishedFile, ...]) -> None:
        try:
            config = load(self._path, folder / files[0].name).config
            decided(config, self._stock.find(config.vision.embedder).entry)
            if config.vision.shadow is not None:
                self._stock.find(config.vision.shadow)
            own = load(self._path).config.vision.embedder  # it stands in where the other one fails
            manifest.threshold(own, self._stock.find_own(own).entry, config.policy.match_fmr)
            (published,) = self._published.files("rules")["rules"] or (None,)
            load_rules(config, published)
        except (ConfigError, ModelError) as error:
            raise _refused("config", str(error)) from error

    def _trust(self, folder: Path, files: tuple[PublishedFile, ...]) -> None:
        by_use: dict[str, tuple[Path, ...]] = {}
        for file in files:
            by_use[file.use] = (*by_use.get(file.use, ()), folder / file.name)
        try:
            load_trust(self._config.trust, by_use)
        except ConfigError as error:
            raise _refused("trust", str(error)) from error

    def _models(self, folder: Path, files: tuple[PublishedFile, ...]) -> None:
        try:
            entries = {entry.name: entry for entry in installed.entries(folder)}
            for entry in entries.values():
                manifest.read(entry.file, entry.sha256)
            if 2 * len(entries) != len(files):
                raise _refused("models", "a model is two files, NAME.toml and NAME.tflite")
            for name, entry in entries.items():
                if self._is_another(name, entry.version):
                    raise _refused("models", f"{name}: another one of this name is shipped or installed")
            for name in self._named():
                if name not in entries and not self._is_another(name, ""):
                    raise _refused(
                        "models", f"{name}: the configuration in force names it: publish another one first"
                    )
        except (ConfigError, ModelError) as error:
            raise _refused("models", str(error)) from error

    def _is_another(self, name: str, version: str) -> bool:
        """Whether a different embedder of this name is shipped or installed."""
        try:
            return self._stock.find_own(name).entry.version != version
        except ModelError:
            return False

    def _named(self) -> tuple[str, ...]:
        """The embedders that the configuration in force names, from the next start on. Raises ConfigError."""
        (overlay,) = self._published.files("config")["overlay"] or (None,)
        vision = load(self._path, overlay).config.vision
        return tuple(filter(None, (vision.embedder, vision.shadow)))

    def _prompts(self, _: Path, __: tuple[PublishedFile, ...]) -> None:
        """Whatever is signed as a prompt is kept; it is played by its name."""

    def _false_hits(self, folder: Path, files: tuple[PublishedFile, ...]) -> None:
        """Marks under a key that this gate does not hold are of no use here, and do no harm."""
        try:
            read_shared(folder / files[0].name, Marking(self._keys))
        except StoreError as error:
            raise _refused("false_hits", error.code) from error

    def _standings(self, folder: Path, files: tuple[PublishedFile, ...]) -> None:
        """How old they may be is asked with each traveller, not here."""
        try:
            contents = read_contents(folder / files[0].name)
        except StoreError as error:
            raise _refused("standings", error.code) from error
        if contents.key not in self._keys.ids:
            fix = "carry the list key over from the centre, name it in [watchlist] keys, start gated again"
            _log.error("a release cannot be used here", kind="standings", fix=fix)
            raise NotUsable("standings")


def _refused(kind: Kind, why: str) -> NotUsable:
    _log.error("a release cannot be used here", kind=kind, fix=f"{why}; withdraw it at the centre")
    return NotUsable(kind)
