"""What a simulated chip by name is made of, and what a careful reading makes of it.

Every one is the passport of the same invented person of Utopia.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, Literal

import cv2
import numpy as np
from msgspec.structs import replace

from gated.core.values import Value
from hw_sim.camera.people import passport_photo, portrait
from hw_sim.passport import cv_pki, details, lds
from hw_sim.passport.behaviour import Behaviour
from hw_sim.passport.chip import Chip
from hw_sim.passport.chip_terminal import TerminalTrust
from hw_sim.passport.cv_pki import CvIdentity, CvPrivate
from hw_sim.passport.issuer import BAC_ONLY, Authority, Passport, Person, Protocols, issue

CAN: Final = "314159"
SEED: Final = "utopia"
PERSON: Final = Person(
    surname="Lovelace",
    given_names="Ada",
    number="UT0815471",
    birth=date(1987, 12, 10),
    expiry=date(2034, 5, 31),
    sex="F",
)
WELL_BEHAVED: Final = Behaviour()

_FACE: Final = "ada"
_USUAL_PX, _USUAL_BYTES = (413, 531), 12 * 1024  # 35 x 45 mm at 300 dpi
_LARGE_PX, _LARGE_BYTES = (826, 1062), 40 * 1024  # at 600 dpi; beyond the offsets of READ BINARY itself

Picture = Literal["jpeg", "jpeg2000", "large"]

Change = Callable[[Passport], Passport]


class Expected(Value):
    """What a reading with the shipped settings finds.

    `access` is the way it got in and `reason` why that was not PACE; `proof` what proved the chip genuine,
    and `doubts` the checks that did not succeed. `error` is the code of the DocumentError that ended the
    reading, with `*` for what hangs on lengths or chance; `silent` means that the chip stopped answering,
    which the reader's driver reports.
    """

    access: str = ""
    reason: str = ""
    proof: str = ""
    doubts: tuple[str, ...] = ()
    error: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of chip.

    `issued` goes to `issue`, `state` to `Authority.establish`; `change` comes after signing. With `fingers`
    there are fingerprints behind terminal authentication.
    """

    name: str
    title: str
    expected: Expected
    protocols: Protocols = BAC_ONLY
    behaviour: Behaviour = WELL_BEHAVED
    issued: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)
    picture: Picture = "jpeg"
    more_groups: bool = False
    fingers: bool = False
    change: Change | None = None
    opened_by: Literal["mrz", "can"] = "mrz"
    seed: str = SEED

    def authority(self, today: date) -> Authority:
        """The state that issued it."""
        return Authority.establish(self.seed, today=today, **self.state)

    def passport(self, today: date) -> Passport:
        """The passport, as it lies on the reader."""
        picture = photograph(self.picture)
        protocols = replace(self.protocols, can=CAN) if self.protocols.pace else self.protocols
        issued = dict(self.issued)
        if self.more_groups:
            issued["extra"] = _more_groups(picture)
        if self.fingers:
            issued["extra"] = {lds.DG3: details.dg3([(2, details.WSQ_LIKE), (7, details.WSQ_LIKE)])}
            issued["terminal_authentication"] = terminal_trust(today)
        passport = issue(self.authority(today), PERSON, picture, protocols=protocols, **issued)
        return self.change(passport) if self.change else passport

    def chip(self, today: date) -> Chip:
        """The chip in it, out of the field."""
        return Chip(self.passport(today), self.behaviour)


def terminal_trust(today: date) -> TerminalTrust:
    """The CVCA that the chips with fingerprints trust."""
    return TerminalTrust(roots=(cvca(today).certificate,), today=today)


def cvca(today: date) -> CvIdentity:
    """The verifying authority of Utopia: what it certifies may read fingerprints."""
    years = (today - timedelta(days=365), today + timedelta(days=730))
    return cv_pki.root("UTCVCA00001", CvPrivate("utopia"), years)


def _more_groups(picture: bytes) -> dict[int, bytes]:
    """The optional data groups that access alone opens."""
    groups = details.everything(PERSON.surname.upper(), PERSON.given_names.upper(), PERSON.birth, picture)
    return {fid: content for fid, content in groups.items() if fid != details.DG3}


@functools.cache
def photograph(kind: Picture) -> bytes:
    """The portrait on the chip, coded."""
    match kind:
        case "jpeg":
            return passport_photo(_FACE, 0)
        case "jpeg2000":
            return _jpeg2000(_USUAL_PX, _USUAL_BYTES)
        case "large":
            return _jpeg2000(_LARGE_PX, _LARGE_BYTES)


def _jpeg2000(size: tuple[int, int], least: int) -> bytes:
    """The portrait with some grain, in few more bytes than `least`."""
    picture = cv2.resize(portrait(_FACE, 0), size, interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, 6, picture.shape)
    grainy = np.clip(picture + grain, 0, 255).astype(np.uint8)
    about = 1000 * least // grainy.size  # the coder comes near the rate that it is asked for
    for per_mille in range(max(1, about), 1000):
        quality = (cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, per_mille)
        coded = cv2.imencode(".jp2", grainy, quality)[1].tobytes()
        if len(coded) >= least:
            return coded
    raise ValueError("the portrait does not get that large: raise its grain")
