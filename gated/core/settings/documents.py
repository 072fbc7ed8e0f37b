"""What is asked of a document, and whom its signers are checked against."""

from typing import Annotated, Literal

from msgspec import Meta

from gated.core.settings import Path, Settings
from gated.core.trust_policy import TrustPolicy


class TrustSettings(Settings):
    """Master lists and certificates that document signers are checked against (DER or PEM files).

    `anchors` are the certificates that sign master lists; a master list whose signer does not lead
    to one of them is refused. `crls` and `deviations` are signed by the roots themselves.
    """

    master_lists: tuple[Path, ...] = ()
    certificates: tuple[Path, ...] = ()
    anchors: tuple[Path, ...] = ()
    crls: tuple[Path, ...] = ()
    deviations: tuple[Path, ...] = ()
    policy: TrustPolicy = TrustPolicy()


class DocumentSettings(Settings):
    """What is asked of a chip, and what its weaknesses mean.

    `bac` says when Basic Access Control may stand in for PACE: `never`, only where the chip offers no PACE,
    also where it offers none that this gate speaks, or also where its PACE failed for another reason than a
    wrong password. The record always tells which was used and why. `genuineness`: a document that offers no
    proof of its chip's genuineness passes (`where_offered`), or is never admitted by itself (`required`).
    `all_proofs` makes every proof that is offered, in place of the strongest one. `data_groups` are read
    besides DG1 and DG2.
    """

    bac: Literal["never", "no_pace_offered", "pace_unsupported", "pace_failed"] = "no_pace_offered"
    genuineness: Literal["where_offered", "required"] = "where_offered"
    all_proofs: bool = False
    data_groups: tuple[Annotated[int, Meta(ge=5, le=16)], ...] = ()
