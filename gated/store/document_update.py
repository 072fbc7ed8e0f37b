"""Bringing packed documents to a newer version, in the folder of the version that is being built.

Steps are merged into the changes beside the pack that is here, which the new version shares by a second name;
where they do not fit, or would be longer than the pack, the pack is fetched. It comes as it will be asked, so
nothing is built: it is checked whole, and stays.
"""

import contextlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Final

from gated.store.documents import CHANGES, MAX_CHANGES_FILE, PACK, Documents
from gated.watchlist.changes import State
from gated.watchlist.keyed import ListKeys
from gated.watchlist.replica import DocumentPlan, PublishedDelta, PublishedDocuments, plan_documents
from gated.watchlist.snapshot import ListError

FLUSH_TOLD_S: Final = 1.0  # the watchdog's patience is a minute
MAX_STEPS: Final = MAX_CHANGES_FILE  # bytes of all steps that are merged at once

Fetch = Callable[[str], Path]
"""Brings a signed file; it may be moved away."""


def bring(
    target: Path,
    present: Documents | None,
    published: PublishedDocuments,
    version: int,
    fetch: Fetch,
    keys: ListKeys,
    alive: Callable[[], None],
) -> tuple[State, str]:
    """Put the documents of `version` into the folder `target`; returns what they are, and how they came.

    Raises ListError, OSError, and what `fetch` raises.
    """
    here = present.state.version if present is not None else 0
    plan = plan_documents(here, published, version)
    if plan.pack is None and present is not None:
        # As with deltas: what does not fit is no reason to stay behind.
        with contextlib.suppress(ListError):
            return _by_steps(target, present, plan.steps, version, fetch, keys), "delta"
        (target / PACK).unlink(missing_ok=True)
        (target / CHANGES).unlink(missing_ok=True)
        plan = plan_documents(0, published, version)
    return _by_pack(target, plan, version, fetch, keys, alive), "snapshot"


def _by_steps(
    target: Path,
    present: Documents,
    steps: Sequence[PublishedDelta],
    version: int,
    fetch: Fetch,
    keys: ListKeys,
) -> State:
    changes = present.after(*_read(steps, fetch))
    os.link(present.folder / PACK, target / PACK)
    (target / CHANGES).write_bytes(changes)
    return _state(target, version, keys)


def _by_pack(
    target: Path, plan: DocumentPlan, version: int, fetch: Fetch, keys: ListKeys, alive: Callable[[], None]
) -> State:
    if plan.pack is None:
        raise ListError("gap", 1)
    fetch(plan.pack.path).replace(target / PACK)
    _flush(target / PACK, alive)
    documents = Documents.open(target, keys)
    try:
        documents.verify(alive)
        if plan.steps:
            (target / CHANGES).write_bytes(documents.after(*_read(plan.steps, fetch)))
    finally:
        documents.close()
    return _state(target, version, keys)


def _flush(path: Path, alive: Callable[[], None]) -> None:
    """Force a file to disk, which may take a slow disk minutes, and give signs of life meanwhile."""
    with path.open("rb") as file, ThreadPoolExecutor(1, "flush") as beside:
        flushed = beside.submit(os.fsync, file.fileno())
        while not flushed.done():
            wait([flushed], timeout=FLUSH_TOLD_S)
            alive()
        flushed.result()


def _read(steps: Sequence[PublishedDelta], fetch: Fetch) -> list[bytes]:
    if sum(step.length for step in steps) > MAX_STEPS:
        raise ListError("too_many_changes")
    return [fetch(step.path).read_bytes() for step in steps]


def _state(target: Path, version: int, keys: ListKeys) -> State:
    """What came, read as it will be read. Raises ListError when it is another version."""
    documents = Documents.open(target, keys)
    try:
        if documents.state.version != version:
            raise ListError("not_what_the_index_says", 1)
        return documents.state
    finally:
        documents.close()
