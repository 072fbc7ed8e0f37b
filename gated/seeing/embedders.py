"""Taking another embedder into use while gate-vision runs: tried first, in a process of its own.

A network that ends its runtime, hangs or eats the memory then does so there; what compares faces meanwhile
goes on being used. What passed is loaded here, with its hash checked again, and tried again.
"""

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from gated import logs
from gated.core.settings import PathSettings
from gated.runtime.messages import EmbedderAt, UseEmbedders
from models import installed, manifest, trial
from models.manifest import ModelError
from models.matching import Embedder
from models.schema import Embedder as EmbedderEntry

TRIAL_S: Final = 20.0  # for a network that a gate can use at all, on a machine that is busy starting
CRASHED, TOO_SLOW, UNUSABLE, ANOTHER = "model_crashed", "model_too_slow", "model_unusable", "another_model"
MAX_REFUSED: Final = 4

_log = logs.get("vision")


class Trial:
    """A try of one embedder in another process."""

    def __init__(self, folder: Path, name: str, longest_s: float = TRIAL_S) -> None:
        self._deadline = time.monotonic() + longest_s
        command = [sys.executable, "-m", "models.trial", str(folder), name]
        self._process = subprocess.Popen(  # noqa: S603 - ourselves, and a name of lower-case letters
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    def code(self) -> str | None:
        """What is wrong with the embedder, empty for nothing; None as long as that is not known."""
        status = self._process.poll()
        if status is None:
            if time.monotonic() < self._deadline:
                return None
            self.end()
            return TOO_SLOW
        return {0: "", trial.UNUSABLE: UNUSABLE}.get(status, CRASHED)

    def end(self) -> None:
        """End the process, if it still runs."""
        self._process.kill()
        self._process.wait()


class Embedders:
    """What gate-vision compares by, and what it was told to use instead."""

    def __init__(self, paths: PathSettings, begins_with: UseEmbedders, longest_s: float = TRIAL_S) -> None:
        self.in_use = begins_with
        self.refused: dict[str, str] = {}
        """Versions that were told and cannot be used, with a code."""
        self._paths = paths
        self._longest_s = longest_s
        self._asked: UseEmbedders | None = None
        self._trial: tuple[EmbedderAt, Trial] | None = None
        self._passed: set[str] = set()

    def ask(self, use: UseEmbedders) -> None:
        """Turn to these, as soon as they are tried. The same again changes nothing."""
        if use.mark in {self.in_use.mark, "" if self._asked is None else self._asked.mark}:
            return
        if use.decides.version in self.refused:
            return
        self.end()
        self._asked = use

    def end(self) -> None:
        """Let go of what is being tried."""
        if self._trial is not None:
            self._trial[1].end()
        self._trial, self._asked = None, None

    def turn(self) -> tuple[Embedder, Embedder | None] | None:
        """Go on trying; return what is to be used from now on, and the shadow, once that is known."""
        use = self._asked
        if use is None or not self._is_tried(use):
            return None
        shadow_at = use.shadow if use.shadow is not None and use.shadow.version not in self.refused else None
        decides = self._loaded(use.decides)
        shadow = None if shadow_at is None else self._loaded(shadow_at)
        self._asked = None
        if decides is None:
            return None
        self.in_use = UseEmbedders(
            decides=use.decides, threshold=use.threshold, shadow=None if shadow is None else shadow_at
        )
        _log.info("embedder in use", model=use.decides.name, version=use.decides.version)
        return decides, shadow

    def _is_tried(self, use: UseEmbedders) -> bool:
        """Whether each was tried that has to be, or one that decides cannot be used."""
        if self._trial is not None:
            at, trying = self._trial
            if (code := trying.code()) is None:
                return False
            self._trial = None
            if code:
                self._refuse(at, code)
            else:
                self._passed.add(at.version)
        if use.decides.version in self.refused:
            self._asked = None
            return False
        for at in filter(None, (use.decides, use.shadow)):
            if self._is_new(at):
                self._trial = at, Trial(self._folder(at), at.name, self._longest_s)
                return False
        return True

    def _is_new(self, at: EmbedderAt) -> bool:
        known = self._passed | set(self.refused)
        known |= {each.version for each in (self.in_use.decides, self.in_use.shadow) if each is not None}
        return at.version not in known and at.name not in manifest.load().embedders

    def _loaded(self, at: EmbedderAt) -> Embedder | None:
        try:
            entry = find(at, self._paths)
            if entry.version != at.version:
                self._refuse(at, ANOTHER)
                return None
            return trial.embed(at.name, entry)
        except ModelError as error:
            _log.error("embedder", fix=str(error))
            self._refuse(at, UNUSABLE)
            return None

    def _refuse(self, at: EmbedderAt, code: str) -> None:
        _log.error("an embedder is refused", model=at.name, code=code, version=at.version)
        while len(self.refused) >= MAX_REFUSED:
            del self.refused[next(iter(self.refused))]
        self.refused[at.version] = code

    def _folder(self, at: EmbedderAt) -> Path:
        return folder_of(at, self._paths)


def find(at: EmbedderAt, paths: PathSettings) -> EmbedderEntry:
    """Return the entry of an embedder. Raises ModelError."""
    return installed.find(at.name, folder_of(at, paths))


def folder_of(at: EmbedderAt, paths: PathSettings) -> Path:
    """Where an embedder lies that is not shipped."""
    return published_models(paths) / str(at.release) if at.release else Path(paths.models)


def published_models(paths: PathSettings) -> Path:
    """Where the published models of a gate lie: all that gate-vision may read of its state."""
    return Path(paths.state) / "published" / "models"
