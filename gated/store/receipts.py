"""The centre's receipts, as a gate keeps them beside its journal: heads that are known elsewhere.

The newest one that fits is kept, and for ever the first one that did not: that the centre has signed for
entries which this journal has not is evidence, whatever comes after it.
"""

import os
import sqlite3
import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta

from gated.core.values import Value
from gated.store.database import store_error
from gated.store.delivery import Position, Receipt, holds
from gated.store.journal import Verdict, foundation_of

RECEIPT, CONTRADICTED = "journal-receipt.json", "journal-receipt.contradicted.json"
MAX_FILE = 4096


class Kept(Value):
    """A receipt as its file holds it."""

    gate: str
    seq: Annotated[int, Meta(ge=0)]
    hash: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    utc: str
    signature: Annotated[str, Meta(pattern=r"^[0-9a-f]{128}\Z")]

    @property
    def receipt(self) -> Receipt:
        """The receipt itself."""
        at = Position(seq=self.seq, hash=bytes.fromhex(self.hash))
        return Receipt(number=0, gate=self.gate, at=at, utc=self.utc, signature=bytes.fromhex(self.signature))


def read_receipt(path: Path) -> Kept | None:
    """The receipt in this file; None where there is none, or none that can be read."""
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(MAX_FILE), type=Kept)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def write_receipt(path: Path, receipt: Receipt) -> None:
    """Keep a receipt durably, in place of what is there. Raises StoreError."""
    kept = Kept(
        gate=receipt.gate,
        seq=receipt.at.seq,
        hash=receipt.at.hash.hex(),
        utc=receipt.utc,
        signature=receipt.signature.hex(),
    )
    try:
        handle, made = tempfile.mkstemp(dir=path.parent, prefix=".receipt-")
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(kept))
            file.flush()
            os.fsync(file.fileno())
        Path(made).replace(path)
    except OSError as error:
        raise store_error(path, error) from error


def with_receipts(
    verdict: Verdict, db: sqlite3.Connection, folder: Path, key: Ed25519PublicKey | None
) -> Verdict:
    """Add to a verdict on a journal what the receipts in its folder tell; `key` checks who signed them."""
    problems: list[str] = []
    receipted = 0
    for name in (CONTRADICTED, RECEIPT):
        kept = read_receipt(folder / name)
        if kept is None:
            if (folder / name).exists():
                problems.append(f"{name}: cannot be read as a receipt")
            continue
        if key is not None and not holds(key, kept.receipt, kept.gate):
            problems.append(f"{name}: was not signed by the centre that [journal] names")
        elif _has(db, kept.receipt.at):
            receipted = max(receipted, kept.seq)
        else:
            lost = f"the centre signed for it at {kept.utc}, and it is not here: cut off, or another journal"
            problems.append(f"entry {kept.seq}: {lost}")
    if verdict.foundation > receipted:
        problems.append(f"entry {verdict.foundation}: was removed, and all before it, without a receipt")
    return msgspec.structs.replace(verdict, receipted=receipted, problems=(*problems, *verdict.problems))


def _has(db: sqlite3.Connection, position: Position) -> bool:
    if foundation_of(db) == (position.seq, position.hash):
        return True
    row = db.execute("SELECT hash FROM entries WHERE seq = ?", (position.seq,)).fetchone()
    return row is not None and bytes(row[0]) == position.hash
