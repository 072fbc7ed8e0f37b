"""The models of this gate: what there is, whether it is sound, and bringing an embedder of one's own."""

import argparse
import os
import re
from pathlib import Path
from typing import Any

from gated.commands import face_model
from gated.commands.answer import Answer, UsageError, Words, configured
from gated.commands.columns import wrapped
from gated.config import ConfigError
from gated.config import load as load_config
from gated.core.values import Value
from gated.embedders import Found, Stock, read_memory
from gated.published_kinds import overlaid
from gated.store.published import Published
from models import installed, manifest
from models.manifest import Manifest, ModelError
from models.schema import Threshold

_GOLDEN_SEEDS, _GOLDEN_NUMBERS = ("egate-1", "egate-2"), 16
_KEY = re.compile(r"(?P<lead>\s*(?P<key>[a-z_]+)\s*=\s*)(?P<value>\"[^\"]*\"|[^#\s]+)(?P<rest>.*)", re.DOTALL)


class Listed(Value):
    """One embedder: where it is from, what it may be used for, and what was measured of it.

    `thresholds` are those of the most fused photographs that were measured, `images`.
    """

    name: str
    origin: str
    use: str
    licence: str
    provenance: str
    sha256: str
    images: int
    thresholds: tuple[Threshold, ...]


def add(words: Words) -> None:
    """Put `models` on the command line."""
    models = words.group("models", "The models of this gate, shipped and installed.")
    face_model.add_folder(models.command("list", list_models))
    verify_words = models.command("verify", verify_models)
    verify_words.add_argument("names", nargs="*", metavar="NAME", help="parts of the manifest; default all")
    face_model.add_folder(verify_words)
    install_words = models.command("install", install_model)
    install_words.add_argument("entry", type=Path, metavar="ENTRY.toml", help="its model lies beside it")
    install_words.add_argument("--replace", action="store_true", help="take the place of one of this name")
    face_model.add_folder(install_words)
    remove_words = models.command("remove", remove_model)
    remove_words.add_argument("name", metavar="NAME")
    face_model.add_folder(remove_words)
    use_words = models.command("use", use_model)
    use_words.add_argument("name", metavar="NAME")
    use_words.add_argument("--shadow", action="store_true", help="let it run beside, deciding nothing")
    face_model.add_folder(use_words)
    golden_words = models.command("golden", golden_embeddings)
    golden_words.add_argument("entry", type=Path, metavar="ENTRY.toml", help="its model lies beside it")


def list_models(arguments: argparse.Namespace) -> Answer:
    """List the embedders, which one decides, and the thresholds that were measured."""
    folder = face_model.folder(arguments)
    known = [Found(name=name, entry=entry) for name, entry in _known(folder).embedders.items()]
    config = configured(arguments)
    if config is not None:
        published = Published(Path(config.paths.state) / "published")
        known += [each for each in Stock(folder, published).known() if each.release]
    uses = _uses(arguments)
    listed = tuple(
        Listed(
            name=found.name,
            origin=_origin(found),
            use=uses.get(found.name, ""),
            licence=found.entry.licence,
            provenance=found.entry.provenance,
            sha256=found.entry.sha256,
            images=max(each.images for each in found.entry.measured),
            thresholds=found.entry.thresholds,
        )
        for found in sorted(known, key=lambda each: each.name)
    )
    return Answer(value=listed, text=tuple(line for one in listed for line in _listed_text(one)))


def _origin(found: Found) -> str:
    if found.release:
        return f"published {found.release}"
    return "shipped" if found.name in manifest.load().embedders else "installed"


def verify_models(arguments: argparse.Namespace) -> Answer:
    """Check that every model is there, is the right one, and runs."""
    from models import trial  # noqa: PLC0415 - the runtime takes a second to load

    known = _known(face_model.folder(arguments))
    found = [
        part for part in trial.parts(known) if not arguments.names or _is_named(part.name, arguments.names)
    ]
    if not found:
        names = ", ".join(part.name for part in trial.parts(known))
        raise UsageError(f"no model is called {', '.join(arguments.names)}: there are {names}")
    values, text = [], []
    for part in found:
        value: dict[str, Any] = {"name": part.name, "file": part.file, "good": True}
        try:
            value["ms"] = round(trial.run(part), 2)
            name = part.name.removeprefix("embedders.")
            if name in known.embedders:
                trial.embed(name, known.embedders[name])
        except ModelError as error:
            value |= {"good": False, "fault": error.fault, "fix": error.fix}
        values.append(value)
        good = f"good  {value.get('ms', 0):7.2f} ms"
        text.append(
            f"{part.name:<24} {good if value['good'] else 'BAD: ' + value['fault'] + ': ' + value['fix']}"
        )
    return Answer(value=tuple(values), text=tuple(text), good=all(value["good"] for value in values))


def install_model(arguments: argparse.Namespace) -> Answer:
    """Install an embedder: an entry as in the manifest, with `name`, and its model beside it."""
    from models import trial  # noqa: PLC0415 - the runtime takes a second to load

    folder = face_model.folder(arguments, may_be_new=True)
    try:
        entry = installed.read_entry(arguments.entry)
        face_model.try_apart(arguments.entry)
        trial.embed(entry.name, installed.embedder_of(entry))
        done = installed.install(arguments.entry, folder, replacing=arguments.replace)
    except ModelError as error:
        raise UsageError(f"models: {error}") from error
    measured = ", ".join(f"FMR {t.fmr:g} at {t.score:g}" for t in done.thresholds)
    return Answer(
        value={"name": done.name, "file": done.file, "sha256": done.sha256},
        text=(
            f"{done.name}: installed as {done.file} ({done.licence}; {measured})",
            f"`gatectl models use {done.name}` lets it decide",
        ),
    )


def remove_model(arguments: argparse.Namespace) -> Answer:
    """Remove an installed embedder that is not in use."""
    if use := _uses(arguments).get(arguments.name):
        raise UsageError(f"{arguments.name} is in use ({use}): let another one be used first")
    try:
        installed.remove(arguments.name, face_model.folder(arguments))
    except ModelError as error:
        raise UsageError(f"models: {error}") from error
    return Answer(value={"removed": arguments.name}, text=(f"{arguments.name}: removed",))


def use_model(arguments: argparse.Namespace) -> Answer:
    """Let an embedder decide, or with --shadow run beside, from the next start of the daemons."""
    path: Path = arguments.config
    config = load_config(path).config
    known = _known(face_model.folder(arguments))
    try:
        entry = manifest.embedder(known, arguments.name)
        threshold = known.threshold(arguments.name, config.policy.match_fmr)
    except ModelError as error:
        raise UsageError(f"models: {error}") from error
    key = "shadow" if arguments.shadow else "embedder"
    if arguments.shadow and arguments.name == config.vision.embedder:
        raise UsageError(f"{arguments.name} decides already: a shadow is another one")
    _set(path, key, arguments.name)
    told = "runs beside and decides nothing" if arguments.shadow else "decides"
    return Answer(
        value={"embedder": arguments.name, "as": key, "threshold": threshold, "config": str(path)},
        text=(
            f"{arguments.name}: {told}, threshold {threshold:g} (FMR {config.policy.match_fmr:g})",
            f"licence: {entry.licence}",
            "it counts from the next start: systemctl restart gated gate-vision",
        ),
    )


def golden_embeddings(arguments: argparse.Namespace) -> Answer:
    """Print what a model gives for known inputs, as `golden` of its entry: gates compare it with theirs."""
    from models import trial  # noqa: PLC0415 - the runtime takes a second to load

    try:
        entry = installed.embedder_of(installed.read_entry(arguments.entry))
        face_model.try_apart(arguments.entry)
        embedder = trial.embed(arguments.entry.name, entry)
    except ModelError as error:
        raise UsageError(f"models: {error}") from error
    golden = [
        {
            "seed": seed,
            "embedding": [round(n, 5) for n in trial.first_numbers(embedder, seed, _GOLDEN_NUMBERS)],
        }
        for seed in _GOLDEN_SEEDS
    ]
    lines = [f'    {{ seed = "{each["seed"]}", embedding = {each["embedding"]} }},' for each in golden]
    return Answer(value=golden, text=("golden = [", *lines, "]"))


def _known(folder: Path) -> Manifest:
    try:
        return installed.load(folder)
    except ModelError as error:
        raise UsageError(f"models: {error}") from error


def _uses(arguments: argparse.Namespace) -> dict[str, str]:
    """Every embedder that is named, or that stands in, and what became of it."""
    config = configured(arguments)
    if config is None:
        return {}
    state = Path(config.paths.state)
    try:
        published = Published(state / "published")
        vision = overlaid(arguments.config, load_config(arguments.config), published).config.vision
    except ConfigError as error:
        raise UsageError(str(error)) from error
    memory = read_memory(state)
    uses = {vision.embedder: "decides"}
    if vision.shadow is not None:
        uses.setdefault(vision.shadow, "shadow")
    for each in memory.refused:
        if each.name in uses:
            uses[each.name] = f"named, refused by gate-vision: {each.code}"
    if memory.decides is not None and memory.decides.name not in uses:
        uses[memory.decides.name] = "decided last"
    uses.setdefault(config.vision.embedder, "stands in where another fails")
    return uses


def _is_named(name: str, asked: list[str]) -> bool:
    return any(name == one or name.endswith(f".{one}") or name.startswith(f"{one}.") for one in asked)


def _listed_text(one: Listed) -> tuple[str, ...]:
    use = f", {one.use}" if one.use else ""
    rates = ", ".join(f"{t.fmr:g}: {t.score:g} (FNMR {t.fnmr:.2%})" for t in one.thresholds)
    of = "one photograph" if one.images == 1 else f"{one.images} fused photographs"
    return (
        f"{one.name} ({one.origin}{use})",
        *wrapped(f"{one.licence}; {one.provenance}", first="  ", then=2),
        *wrapped(f"thresholds by FMR, of {of}: {rates}", first="  ", then=2),
    )


def _set(path: Path, key: str, value: str) -> None:
    """Change or add one key of [vision] in the configuration, its comments kept; whole or not at all.

    The new text is loaded before it takes the place of the old one.
    """
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    section, end = "", None
    for number, line in enumerate(lines):
        if line.lstrip().startswith("["):
            section = line.strip().split("#")[0].strip()
        elif section == "[vision]":
            match = _KEY.match(line)
            if match and match["key"] == key:
                lines[number] = f'{match["lead"]}"{value}"{match["rest"]}'
                break
            if match:
                end = number + 1
    else:
        if end is None:
            raise UsageError(
                f'{path}: has no [vision] with a key on each line: write {key} = "{value}" there'
            )
        lines.insert(end, f'{key} = "{value}"\n')
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text("".join(lines), encoding="utf-8")
        was = path.stat()
        os.chown(beside, was.st_uid, was.st_gid)  # a daemon may read it by its group alone
        beside.chmod(was.st_mode & 0o777)
        load_config(beside)
        beside.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}): run as an administrator") from error
    finally:
        beside.unlink(missing_ok=True)
