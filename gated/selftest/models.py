"""The models of a gate, byte by byte, and by which embedder it compares faces: not always by its own.

A published configuration may have put another one into use, and where that cannot be used a third stands in.
Nothing is run here: a network from afar runs in gate-vision alone, which tried it and tells what came of it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from gated.config import GateConfig, Loaded
from gated.embedders import Choice, Embedders, Found, Stock, fix_of, read_memory
from gated.runtime.messages import EmbedderAt
from gated.selftest.finding import Finding, fault, ok, warning
from gated.store.published import Published
from models import manifest
from models.manifest import ModelError

START_FIX: Final = "in a quiet hour: systemctl restart egate.target"
BY_NEXT_START: Final = "decides from the next start on"

Told = Callable[[str, str, str, str, str], Finding]


def judge(own: GateConfig, loaded: Loaded, running: str) -> Iterator[Finding]:
    """Whether each model is there and the right one, and which embedder decides.

    `own`: what the gate's own file says; `loaded`: with what is published laid over it; `running`: the
    embedder by which a gate that runs says that it decides, empty where none runs.
    """
    yield from on_disk(Path(own.paths.models), own.vision.embedder)
    state = Path(own.paths.state)
    stock = Stock(Path(own.paths.models), Published(state / "published"))
    used = read_memory(state).decides
    try:
        now = _found(stock, used, running) if running else None
    except ModelError as error:
        yield fault("models", "embedder_gone", "decides, and would not after a start", str(error), running)
        now = None
    try:
        choice = Embedders(stock, state, loaded.sha256).foresee(loaded.config, own.vision)
    except ModelError as error:
        yield fault("models", "no_embedder", "none serves: gated cannot start again", str(error))
        return
    yield from _deciding(now, choice, used, is_running=bool(running))
    if choice.shadow is not None:
        yield _read(choice.shadow, "runs beside, and decides nothing", warning)
    for name, code in sorted(choice.troubles.items()):
        yield warning("models", code, "named, and not used", fix_of(code), name)


def on_disk(folder: Path, embedder: str) -> Iterator[Finding]:
    """Whether each model that is shipped or installed is there and the right one.

    `embedder`: the one that the gate's own file names: gate-vision starts with it, whatever is published.
    """
    from models import installed, trial  # noqa: PLC0415 - the runtime takes a second to load

    try:
        parts = list(trial.parts(installed.load(folder)))
    except ModelError as error:
        yield fault("models", "models_unreadable", "the manifest cannot be read", str(error))
        return
    good = 0
    for part in parts:
        try:
            manifest.read(part.file, part.sha256)
            good += 1
        except ModelError as error:
            told = fault if _is_needed(part.name, embedder) else warning
            yield told("models", "model_damaged", "is missing or not the right one", str(error), part.name)
    if good == len(parts):
        yield ok("models", f"{good} files, each the right one; gate.toml names {embedder}")


def _is_needed(name: str, embedder: str) -> bool:
    return not name.startswith("embedders.") or name == f"embedders.{embedder}"


def _found(stock: Stock, used: EmbedderAt | None, name: str) -> Found:
    """The one that a running gate decides by. Raises ModelError where it lies here no longer."""
    return stock.at(used) if used is not None and used.name == name else stock.find(name)


def _deciding(
    now: Found | None, choice: Choice, used: EmbedderAt | None, *, is_running: bool
) -> Iterator[Finding]:
    """What decides now, and what will after a start, where that is another one."""
    if now is not None:
        yield _read(now, "decides", fault)
    then = choice.decides
    if not is_running:
        tried = "gate-vision has used it" if used == then.at else "gate-vision has not tried it yet"
        yield _read(then, f"{BY_NEXT_START}; {tried}", fault)
    elif now is None or then.at != now.at:
        found = _read(then, BY_NEXT_START, warning)
        if not found.code:
            found = warning("models", "embedder_after_start", found.measured, START_FIX, then.name)
        yield found


def _read(found: Found, use: str, told: Told) -> Finding:
    """Whether the model file of an embedder is the one of its entry."""
    whence = f"published {found.release}" if found.release else "shipped or installed"
    try:
        manifest.read(found.entry.file, found.entry.sha256)
    except ModelError as error:
        wrong = f"{use}; {whence}, is missing or not the right one"
        return told("models", "model_damaged", wrong, str(error), found.name)
    return ok("models", f"{use}; {whence}, the right file", found.name)
