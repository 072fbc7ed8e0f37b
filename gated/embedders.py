"""Which embedder decides at this gate: the one that the configuration names, or one that stands in for it.

An embedder is shipped, installed at the gate, or published by the centre (`docs/distribution.md`). What the
configuration in force names is used from the next start on, once gate-vision has tried it. Where it is not
here, has no threshold for the policy's false match rate, or was refused by gate-vision, the one that decided
last stands in, else the one that the gate's own file names; with a threshold of its own measurement for the
same rate, never a laxer one. Which decides, and why no other, goes into the record, the status and the log.

`embedders.json` in the state folder remembers which one decided last, and what was refused under which
configuration: another configuration, or another release of egate, gives it another try.
"""

import contextlib
from collections.abc import Callable, Iterator
from importlib.metadata import version as release_of
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from gated import logs
from gated.config import GateConfig
from gated.core.settings.cameras import VisionSettings
from gated.core.values import Value
from gated.runtime.messages import EmbedderAt, UseEmbedders
from gated.store.published import Published
from models import installed, manifest
from models.manifest import ModelError
from models.schema import Embedder

MEMORY = "embedders.json"
MAX_MEMORY = 16_000
MAX_REFUSED = 8
NOT_HERE, NO_THRESHOLD = "embedder_not_here", "embedder_without_threshold"
FIXES = {
    NOT_HERE: "publish its model, install it, or publish a configuration that names another",
    NO_THRESHOLD: "name an embedder that was measured at policy.match_fmr",
}
WITHDRAW = "the log of gate-vision says why; publish a model that runs, or withdraw it and what names it"

T = TypeVar("T")

_log = logs.get("embedders")


class Found(Value):
    """An embedder that is here. `release`: of the published models that it lies in; 0: no published one."""

    name: str
    entry: Embedder
    release: int = 0

    @property
    def at(self) -> EmbedderAt:
        """How gate-vision is told of it."""
        return EmbedderAt(name=self.name, version=self.entry.version, release=self.release)


class Refused(Value):
    """An embedder that gate-vision could not use, and under which configuration that was."""

    name: str
    version: str
    code: str
    under: str


class Memory(Value):
    """What outlives a restart."""

    decides: EmbedderAt | None = None
    refused: tuple[Refused, ...] = ()


class Choice(Value):
    """What is compared by. `troubles`: the embedders that are named and not used, each with a code."""

    decides: Found
    threshold: float
    shadow: Found | None = None
    troubles: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def use(self) -> UseEmbedders:
        """What gate-vision is told."""
        return UseEmbedders(
            decides=self.decides.at,
            threshold=self.threshold,
            shadow=None if self.shadow is None else self.shadow.at,
        )

    @property
    def hashes(self) -> dict[str, str]:
        """What goes into the record of the start: names with the SHA-256 of the model files, and refusals."""
        told = {"embedder": f"{self.decides.name} {self.decides.entry.sha256}"}
        if self.shadow is not None:
            told["embedder_shadow"] = f"{self.shadow.name} {self.shadow.entry.sha256}"
        told |= {f"embedder_not_used_{name}": code for name, code in sorted(self.troubles.items())}
        return told


class Stock:
    """The embedders of a gate by name, wherever from. For any thread."""

    def __init__(self, folder: Path, published: Published) -> None:
        """`folder`: where an administrator installs them."""
        self._folder = folder
        self._published = published

    def find(self, name: str) -> Found:
        """Return the embedder of this name. Raises ModelError.

        Of two different ones neither is meant: one that was installed once must not hide what is published.
        """
        own, theirs = self._own(name), self._in_force(name)
        if theirs is None:
            if own is not None:
                return own
            known = ", ".join(sorted({each.name for each in self.known()}))
            fix = f"publish its model or install it, or name one of {known}"
            raise ModelError(name, "there is no embedder of this name here", fix)
        if own is not None and own.entry.version != theirs.entry.version:
            fix = f"gatectl models remove {name}, or publish it under another name"
            raise ModelError(name, "one is installed, and another one is published", fix)
        return own or theirs

    def find_own(self, name: str) -> Found:
        """Return one that is shipped or installed, whatever is published. Raises ModelError."""
        return Found(name=name, entry=installed.find(name, self._folder))

    def at(self, at: EmbedderAt) -> Found:
        """Return an embedder by where it lay, if it lies there still. Raises ModelError."""
        found = self._lying(at.name, at.release) if at.release else self._own(at.name)
        if found is None or found.entry.version != at.version:
            raise ModelError(at.name, "it lies here no longer", FIXES[NOT_HERE])
        return found

    def known(self) -> tuple[Found, ...]:
        """All that are here, by name; those that cannot be read are left out."""
        own = {name: Found(name=name, entry=entry) for name, entry in manifest.load().embedders.items()}
        with contextlib.suppress(ModelError):
            for name, entry in installed.load(self._folder).embedders.items():
                own.setdefault(name, Found(name=name, entry=entry))
        theirs = [each for each in self._all_in_force() if each.name not in own]
        return tuple(sorted((*own.values(), *theirs), key=lambda each: each.name))

    def _own(self, name: str) -> Found | None:
        if name in manifest.load().embedders or (self._folder / f"{name}.toml").exists():
            return Found(name=name, entry=installed.find(name, self._folder))
        return None

    def _in_force(self, name: str) -> Found | None:
        now = self._published.in_force("models")
        return None if now is None else self._lying(name, now.content)

    def _lying(self, name: str, release: int) -> Found | None:
        folder = self._published.place("models", release)
        if name in manifest.load().embedders or not (folder / f"{name}.toml").exists():
            return None
        return Found(name=name, entry=installed.find(name, folder), release=release)

    def _all_in_force(self) -> Iterator[Found]:
        now = self._published.in_force("models")
        if now is None:
            return
        with contextlib.suppress(ModelError):
            for entry in installed.entries(self._published.place("models", now.content)):
                yield Found(name=entry.name, entry=installed.embedder_of(entry), release=now.content)


class Embedders:
    """Chooses at the start, and remembers what gate-vision made of it."""

    def __init__(self, stock: Stock, state: Path, under: str) -> None:
        """`under`: the hash of the configuration that is in force."""
        self._stock = stock
        self._path = state / MEMORY
        self._under = f"{under} {release_of('egate')}"
        self._memory = read_memory(state)

    def choose(self, config: GateConfig, own: VisionSettings) -> Choice:
        """Return what to compare by, and log why it is another one. `own`: what the gate's own file says.

        Raises ModelError where nothing serves at all: it is that of the embedder which is named.
        """
        choice, refusals = self._weigh(config, own)
        if (why := refusals.get(named := config.vision.embedder)) is not None:
            _log.error("another embedder stands in", expected=named, model=choice.decides.name, fix=str(why))
        if (beside := config.vision.shadow) is not None and (why := refusals.get(beside)) is not None:
            _log.error("there is no shadow", model=beside, fix=str(why))
        return choice

    def foresee(self, config: GateConfig, own: VisionSettings) -> Choice:
        """Return what the next start will choose, and log nothing. Raises ModelError, as `choose` does."""
        return self._weigh(config, own)[0]

    def _weigh(self, config: GateConfig, own: VisionSettings) -> tuple[Choice, dict[str, ModelError]]:
        """What to compare by, and why those that are named and not used are not."""
        troubles: dict[str, str] = {}
        refusals: dict[str, ModelError] = {}
        named, fmr, shadow = config.vision.embedder, config.policy.match_fmr, None
        try:
            decides = self._tried(self._stock.find, named, named, troubles)
            threshold = self._threshold(decides, fmr, troubles)
        except ModelError as error:
            refusals[named] = error
            decides, threshold = self._stand_in(error, own.embedder, fmr, troubles)
        beside = config.vision.shadow
        if beside is not None and beside not in {named, decides.name}:
            try:
                shadow = self._tried(self._stock.find, beside, beside, troubles)
            except ModelError as error:
                refusals[beside] = error
        choice = Choice(decides=decides, threshold=threshold, shadow=shadow, troubles=troubles)
        return choice, refusals

    def used(self, at: EmbedderAt) -> None:
        """Remember which one decides: gate-vision has taken it into use."""
        refused = tuple(each for each in self._memory.refused if each.version != at.version)
        if (at, refused) != (self._memory.decides, self._memory.refused):
            self._keep(Memory(decides=at, refused=refused))

    def refused(self, at: EmbedderAt, code: str) -> None:
        """Remember that gate-vision cannot use one."""
        _log.error("gate-vision cannot use an embedder", model=at.name, code=code, fix=WITHDRAW)
        new = Refused(name=at.name, version=at.version, code=code, under=self._under)
        others = (each for each in self._memory.refused if each.version != at.version)
        self._keep(replace(self._memory, refused=(*others, new)[-MAX_REFUSED:]))

    def _stand_in(
        self, trouble: ModelError, own: str, fmr: float, troubles: dict[str, str]
    ) -> tuple[Found, float]:
        """What decided last, else the gate's own. Raises `trouble` where neither serves."""
        if (last := self._memory.decides) is not None:
            with contextlib.suppress(ModelError):
                decides = self._tried(self._stock.at, last, last.name, troubles)
                return decides, self._threshold(decides, fmr, troubles)
        with contextlib.suppress(ModelError):
            decides = self._tried(self._stock.find_own, own, own, troubles)
            return decides, self._threshold(decides, fmr, troubles)
        raise trouble

    def _tried(self, find: Callable[[T], Found], key: T, name: str, troubles: dict[str, str]) -> Found:
        """Find one that gate-vision has not refused. Raises ModelError, and notes the code."""
        try:
            found = find(key)
        except ModelError:
            troubles.setdefault(name, NOT_HERE)
            raise
        for each in self._memory.refused:
            if (each.version, each.under) == (found.entry.version, self._under):
                troubles.setdefault(name, each.code)
                raise ModelError(name, f"gate-vision refused it ({each.code})", WITHDRAW)
        return found

    def _threshold(self, found: Found, fmr: float, troubles: dict[str, str]) -> float:
        try:
            return manifest.threshold(found.name, found.entry, fmr)
        except ModelError:
            troubles.setdefault(found.name, NO_THRESHOLD)
            raise

    def _keep(self, memory: Memory) -> None:
        self._memory = memory
        spare = self._path.with_suffix(".new")
        try:
            spare.write_bytes(msgspec.json.encode(memory))
            spare.replace(self._path)
        except OSError as error:
            _log.error("cannot be remembered", path=MEMORY, fix=f"see the disk ({error.strerror})")


def fix_of(code: str) -> str:
    """What to do about a code of a Choice's `troubles`."""
    return FIXES.get(code, WITHDRAW)


def read_memory(state: Path) -> Memory:
    """What is remembered under a state folder; nothing where that cannot be read."""
    try:
        raw = (state / MEMORY).read_bytes()
        return msgspec.json.decode(raw, type=Memory) if len(raw) <= MAX_MEMORY else Memory()
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError):
        return Memory()
