"""Publishing what is not a watchlist: rules, configuration, trust stores, models and prompts.

A release is some files under one number. It is checked here as a gate will check it, as far as a centre can,
laid in place and entered into the index of its kind; how far it is rolled out is changed afterwards, and a
release that proves wrong is withdrawn: what was good before it is published again under the next number, for
exactly those gates that had come so far. Numbers only ever rise.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace
from tuf.api.metadata import TargetFile

from gated.central.folder import CentralError, CentralFolder, write
from gated.central.repository import Lifetimes, Repository, utc_text
from gated.core.values import Value
from gated.watchlist.publication import (
    ALONE,
    FORMAT,
    MAX_FILE,
    MAX_RELEASES,
    Kind,
    KindIndex,
    PublishedFile,
    Release,
    Stage,
    check_files,
    file_path,
    index_path,
    parse_kind_index,
)
from gated.watchlist.snapshot import ListError

Groups = dict[str, tuple[str, ...]]
KindCheck = Callable[[Mapping[str, bytes]], None]
"""Looks at the files of a release, by name; raises CentralError for what no gate would take."""


class Released(Value):
    """A kind as it is published now, or as it waits for signatures."""

    kind: str
    version: int
    files: tuple[str, ...]
    stages: tuple[Stage, ...]
    withdrawn: tuple[int, ...] = ()
    staged: bool = False


@dataclass(frozen=True)
class Signing:
    """Who signs what is published, when, and for how long; `stage`: nobody yet."""

    now: datetime
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    keys: tuple[Path, ...] = ()
    stage: bool = False


def kind_index(folder: CentralFolder, kind: Kind) -> KindIndex | None:
    """What is published of a kind; None before the first release. Raises CentralError, ListError."""
    repository = Repository(folder)
    target = repository.targets(kind).targets.get(index_path(kind))
    return parse_kind_index(repository.file(target).read_bytes(), kind) if target else None


def release(
    folder: CentralFolder,
    kind: Kind,
    sources: Sequence[tuple[str, Path]],
    stages: Sequence[Stage],
    signing: Signing,
    check: KindCheck = lambda _: None,
) -> Released:
    """Publish files, each with its use, as the next release of a kind. Raises CentralError, OSError."""
    folder.require()
    contents = {path.name: (use, _read(path)) for use, path in sources}
    if len(contents) != len(sources):
        raise CentralError("two of the files have the same name: rename one")
    try:
        files = msgspec.convert(
            [_described(name, *each) for name, each in contents.items()], tuple[PublishedFile, ...]
        )
        check_files(kind, files)
    except msgspec.ValidationError as error:
        raise CentralError("a file's name: small letters, digits and ._-, at most 64") from error
    except ListError as error:
        raise CentralError(f"these files are no release of {kind}: {error.code}") from error
    check({name: body for name, (_, body) in contents.items()})
    with folder.locked():
        index = kind_index(folder, kind) or _empty(kind, signing.now)
        version = index.releases[-1].version + 1 if index.releases else 1
        added = Release(version=version, created=utc_text(signing.now), files=files, stages=tuple(stages))
        targets = _targets(folder, kind)
        for name, (_, body) in contents.items():
            targets |= _placed(folder, file_path(kind, version, name), body)
        return _publish(folder, index, (*index.releases, added), targets, signing)


def roll_out(
    folder: CentralFolder, kind: Kind, version: int, stages: Sequence[Stage], signing: Signing
) -> Released:
    """Say anew how far a release is rolled out. Raises CentralError."""
    folder.require()
    with folder.locked():
        index, found = _found(folder, kind, version)
        if found.withdrawn:
            raise CentralError(f"{kind} {version} was withdrawn: publish a release instead")
        changed = replace(found, stages=tuple(stages))
        releases = tuple(changed if each.version == version else each for each in index.releases)
        return _publish(folder, index, releases, _targets(folder, kind), signing)


def withdraw(folder: CentralFolder, kind: Kind, version: int, signing: Signing) -> Released:
    """Take a release back: what was good before it is published again, as far as it had been rolled out.

    Where the one before was on trial with some gates only, the one that everybody had comes again, too.
    Raises CentralError.
    """
    folder.require()
    with folder.locked():
        index, found = _found(folder, kind, version)
        if found.withdrawn:
            raise CentralError(f"{kind} {version} was withdrawn already")
        earlier = [each for each in index.releases if each.version < version and not each.withdrawn]
        if not earlier:
            raise CentralError(f"there is no good release before {kind} {version}: publish one instead")
        targets = _targets(folder, kind)
        releases = [
            replace(each, withdrawn=True, stages=()) if each.version == version else each
            for each in index.releases
        ]
        for good in _good(earlier):
            number = releases[-1].version + 1
            targets |= _copied(folder, kind, targets, good, number)
            releases.append(replace(good, version=number, created=utc_text(signing.now)))
        return _publish(folder, index, tuple(releases), targets, signing)


def _good(earlier: Sequence[Release]) -> tuple[Release, ...]:
    """What gates shall have again: the newest, and before it the newest that was for everybody."""
    newest = earlier[-1]
    base = next((each for each in reversed(earlier) if Stage() in each.stages), newest)
    return (newest,) if base == newest else (base, newest)


def _copied(
    folder: CentralFolder, kind: Kind, targets: Mapping[str, TargetFile], good: Release, number: int
) -> dict[str, TargetFile]:
    copies: dict[str, TargetFile] = {}
    for file in good.files:
        body = Repository(folder).file(targets[file_path(kind, good.version, file.name)]).read_bytes()
        copies |= _placed(folder, file_path(kind, number, file.name), body)
    return copies


def read_groups(folder: CentralFolder) -> Groups:
    """Which gates are in which group. Raises CentralError."""
    if not folder.groups.exists():
        return {}
    try:
        return msgspec.json.decode(folder.groups.read_bytes(), type=Groups)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise CentralError(f"{folder.groups}: not readable: restore it from its backup") from error


def set_group(folder: CentralFolder, name: str, gates: Sequence[str]) -> Groups:
    """Put these gates, and no others, into a group; none: there is no such group. Raises CentralError."""
    folder.require()
    with folder.locked():
        groups = {**read_groups(folder), name: tuple(sorted(set(gates)))}
        groups = {each: members for each, members in sorted(groups.items()) if members}
        try:
            msgspec.convert(
                {"format": FORMAT, "kind": "rules", "created": "2026-01-01T00:00:00Z", "groups": groups},
                KindIndex,
            )
        except msgspec.ValidationError as error:
            raise CentralError("names of groups and gates: small letters, digits and hyphens") from error
        write(folder.groups, msgspec.json.encode(groups))
    return groups


def released(index: KindIndex, *, staged: bool = False) -> Released:
    """The newest release of a kind, and what was withdrawn."""
    newest = index.releases[-1]
    return Released(
        kind=index.kind,
        version=newest.version,
        files=tuple(file.name for file in newest.files),
        stages=newest.stages,
        withdrawn=tuple(each.version for each in index.releases if each.withdrawn),
        staged=staged,
    )


def _publish(
    folder: CentralFolder,
    index: KindIndex,
    releases: tuple[Release, ...],
    targets: dict[str, TargetFile],
    signing: Signing,
) -> Released:
    kind = index.kind
    releases = releases[-1:] if kind in ALONE else _pruned(releases)
    index = replace(index, created=utc_text(signing.now), releases=releases, groups=read_groups(folder))
    wanted = {file_path(kind, each.version, file.name) for each in releases for file in each.files}
    kept = {path: target for path, target in targets.items() if path in wanted}
    kept |= _placed(folder, index_path(kind), msgspec.json.encode(index))
    repository = Repository(folder, signing.keys)
    if signing.stage:
        repository.stage(kind, kept, signing.now, signing.lifetimes)
    else:
        repository.publish(kind, kept, signing.now, signing.lifetimes)
    return released(index, staged=signing.stage)


def _pruned(releases: tuple[Release, ...]) -> tuple[Release, ...]:
    """The newest that an index holds, and what everybody has, where nothing newer is for everybody."""
    newest = releases[-MAX_RELEASES:]
    if any(Stage() in each.stages for each in newest):
        return newest
    base = [each for each in releases if Stage() in each.stages][-1:]
    return (*base, *newest[len(base) :])


def _empty(kind: Kind, now: datetime) -> KindIndex:
    return KindIndex(format=FORMAT, kind=kind, created=utc_text(now))


def _found(folder: CentralFolder, kind: Kind, version: int) -> tuple[KindIndex, Release]:
    index = kind_index(folder, kind)
    found = index.release(version) if index else None
    if index is None or found is None:
        raise CentralError(f"{kind} {version} is not published: see gate-central status")
    return index, found


def _targets(folder: CentralFolder, kind: Kind) -> dict[str, TargetFile]:
    return dict(Repository(folder).targets(kind).targets)


def _placed(folder: CentralFolder, path: str, body: bytes) -> dict[str, TargetFile]:
    target = TargetFile.from_data(path, body, ["sha256"])
    write(Repository(folder).file(target), body)
    return {path: target}


def _described(name: str, use: str, body: bytes) -> dict[str, object]:
    return {"name": name, "use": use, "length": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        body = file.read(MAX_FILE + 1)
    if not body or len(body) > MAX_FILE:
        raise CentralError(f"{path}: a published file has from 1 to {MAX_FILE} bytes")
    return body
