"""How each kind stands at the centre: what is published, how far, signed by how many, and what waits."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from gated.central.folder import CentralFolder
from gated.central.kinds import kind_index
from gated.central.publish import current_index
from gated.central.repository import Repository
from gated.core.values import Value
from gated.watchlist.publication import KINDS, ROLES

SOON = timedelta(days=7)


class KindState(Value):
    """A kind that is published. `stages` tell how far the newest release is rolled out; none: to nobody."""

    kind: str
    version: int = 0
    created: str = ""
    files: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    withdrawn: tuple[int, ...] = ()
    signatures: str = ""
    """How many must sign, of how many keys."""
    waits: str = ""
    """What was built and is not published yet."""


def kind_states(folder: CentralFolder) -> tuple[KindState, ...]:
    """Every role that is here; the watchlist is for all gates. Raises CentralError, ListError."""
    repository = Repository(folder)
    delegator = repository.targets()
    states = []
    here = repository.roles()
    for role in ROLES:
        if role not in here:
            continue
        delegated = delegator.get_delegated_role(role)
        staged = repository.staged(role)
        state = KindState(
            kind=role,
            signatures=f"{delegated.threshold} of {len(delegated.keyids)}",
            waits=f"{len(staged.signatures)} signatures" if staged else "",
        )
        if role not in KINDS:
            listed = current_index(folder)
            if listed is not None:
                state = replace(state, version=listed.version, created=listed.created)
            states.append(state)
            continue
        index = kind_index(folder, role)
        if index is not None and index.releases:
            newest = index.releases[-1]
            state = replace(
                state,
                version=newest.version,
                created=newest.created,
                files=tuple(file.name for file in newest.files),
                stages=tuple(f"{stage.share} % of {stage.group or 'all'}" for stage in newest.stages),
                withdrawn=tuple(each.version for each in index.releases if each.withdrawn),
            )
        states.append(state)
    return tuple(states)


def expiry_warnings(name: str, expires: datetime, now: datetime) -> list[str]:
    """What is to be said of metadata that ended, or that will soon unless somebody signs."""
    if expires <= now:
        return [f"{name} has expired: gates take nothing of it; sign it again"]
    if name not in {"timestamp", "snapshot"} and expires - now < SOON:
        again = "publish" if name == "watchlist" else f"publish --kind {name}"
        if name in {"root", "targets"}:
            again = f"rotate --role {name}"
        return [f"{name} expires in {(expires - now).days} days: gate-central {again} signs it again"]
    return []
