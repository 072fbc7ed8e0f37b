"""New keys for a role: after a loss, after somebody has left, or by the calendar.

While the new keys lie in `keys/next`, old and new ones both sign, so that what gates fetch holds before and
after the step that counts: the new root, or for a kind the new delegation. Only then the old keys go to
`keys/retired`, to be destroyed. A rotation that was interrupted is finished by the same command.
"""

from datetime import datetime
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Role, Root

from gated.central.folder import CentralError, CentralFolder
from gated.central.keys import ROOT_DAYS, TOP, Quorum, make_keys
from gated.central.repository import Lifetimes, Repository, utc_text
from gated.central.signers import key_files, signer_of, signers_in
from gated.core.values import Value
from gated.watchlist.publication import ROLES


class Rotated(Value):
    """A role has new keys. The old ones lie in `retired`, where they were here."""

    role: str
    threshold: int
    keys: int
    root_version: int
    retired: str


def rotate(
    folder: CentralFolder,
    role: str,
    quorum: Quorum | None,
    now: datetime,
    lifetimes: Lifetimes,
    keys: tuple[Path, ...] = (),
) -> Rotated:
    """Give a role new keys, as many as it had unless `quorum` says else. Raises CentralError, OSError."""
    folder.require()
    if role not in (*TOP, *ROLES):
        raise CentralError(f"there is no such role: one of {', '.join((*TOP, *ROLES))}")
    with folder.locked():
        repository = Repository(folder, keys)
        if role in ROLES:
            repository.targets(role)  # a folder may be older than the role
        held = _held(repository, role)
        if quorum is None:
            quorum = Quorum(threshold=held.threshold, keys=len(held.keyids))
        following = folder.keys / "next"
        following.mkdir(mode=0o700, exist_ok=True)
        if not key_files(following, role):
            make_keys(following, role, quorum.keys)
        signers = signers_in(following, role)
        if not {signer.public_key.keyid for signer in signers} <= set(held.keyids):  # else: finish that one
            _install(repository, role, signers, quorum.threshold, now, lifetimes)
        held = _held(repository, role)
        retired = _settle(folder, role, set(held.keyids), now)
        return Rotated(
            role=role,
            threshold=held.threshold,
            keys=len(held.keyids),
            root_version=repository.root().version,
            retired=str(retired),
        )


def _held(repository: Repository, role: str) -> Role:
    delegator = repository.root() if role in TOP else repository.targets()
    found: Role = delegator.get_delegated_role(role)
    return found


def _install(
    repository: Repository,
    role: str,
    signers: list[CryptoSigner],
    threshold: int,
    now: datetime,
    lifetimes: Lifetimes,
) -> None:
    if role in ROLES:
        repository.change_delegation(role, signers, threshold, now, lifetimes)
        return
    if role != Root.type:
        repository.sign_role_again(role, now, lifetimes)  # by old and new keys, before the root names these
    before, root = repository.root(), repository.root()
    for key_id in list(root.roles[role].keyids):
        root.revoke_key(key_id, role)
    for signer in signers:
        root.add_key(signer.public_key, role)
    root.roles[role].threshold = threshold
    root.version += 1
    repository.replace_root(root, before, now, ROOT_DAYS)


def _settle(folder: CentralFolder, role: str, held: set[str], now: datetime) -> Path:
    """Put the keys away that count no more, then the new ones in their place. May be done again."""
    retired = folder.keys / "retired" / utc_text(now).replace(":", "")
    retired.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in key_files(folder.keys, role):
        if signer_of(path).public_key.keyid not in held:
            path.replace(retired / path.name)
    for path in key_files(folder.keys / "next", role):
        path.replace(folder.keys / path.name)
    return retired
