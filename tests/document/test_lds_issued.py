"""A passport that leaves no data group out, from the issuer to the parsers."""

import hashlib
from datetime import date

import cv2
import numpy as np
import pytest

from gated.document import lds
from gated.document.lds import directory
from gated.document.trust.signed_data import parse_signed_data
from hw_sim.passport import details, faces
from hw_sim.passport.issuer import Authority, Passport, issue
from models.image import decode
from tests.holder import ANNA

UTOPIA = Authority.establish("utopia", today=date(2026, 11, 23))
STANDARDS: tuple[faces.RecordStandard, ...] = ("19794-5:2005", "19794-5:2011", "39794-5")
PAGE = np.linspace(40, 200, 120 * 90 * 3).reshape(120, 90, 3).astype(np.uint8)


def coded(kind: str) -> bytes:
    good, body = cv2.imencode(kind, PAGE)
    assert good
    return bytes(body)


def complete(kind: str = ".jp2", standard: faces.RecordStandard = "19794-5:2005") -> Passport:
    extra = details.everything(ANNA.surname, ANNA.given_names, ANNA.birth, coded(".jpg"))
    return issue(
        UTOPIA,
        ANNA,
        coded(kind),
        record=standard,
        more_photographs=[coded(".jpg")],
        extra=extra,
        lds_versions=("0108", "040000"),
    )


def test_every_group_is_listed_hashed_and_parsed() -> None:
    files = complete().files
    com = lds.parse_com(files[directory.COM.identifier])
    numbers = [1, 2, 3, 5, 7, 11, 12, 13, 14, 16]
    assert [directory.NUMBER_BY_TAG[tag] for tag in com.tags] == numbers
    signed = parse_signed_data(lds.parse_sod(files[directory.SOD.identifier]), max_length=65_536)
    content = lds.parse_security_object(signed.content)
    assert (content.version, content.lds_version, content.unicode_version) == (1, "0108", "040000")
    for number in numbers:
        raw = files[directory.DATA_GROUPS[number].identifier]
        assert content.hashes[number] == hashlib.new(content.digest, raw).digest()
    assert lds.parse_dg1(files[directory.DG1.identifier]).surname == ANNA.surname.upper()
    assert [finger.format for finger in lds.parse_dg3(files[details.DG3])] == ["wsq", "wsq"]
    assert [image.format for image in lds.parse_dg5(files[details.DG5])] == ["jpeg"]
    assert [image.format for image in lds.parse_dg7(files[details.DG7])] == ["jpeg"]
    person = lds.parse_dg11(files[details.DG11])
    assert person.full_name == lds.FullName(ANNA.surname, ANNA.given_names)
    assert person.birth == lds.CalendarDate(ANNA.birth.year, ANNA.birth.month, ANNA.birth.day)
    assert lds.parse_dg12(files[details.DG12]).issued == lds.CalendarDate(2024, 1, 1)
    assert lds.parse_dg13(files[details.DG13]).reveal()
    assert lds.parse_dg14(files[directory.DG14.identifier])
    assert len(lds.parse_dg16(files[details.DG16])) == 1


@pytest.mark.parametrize("standard", STANDARDS)
@pytest.mark.parametrize("kind", [".jpg", ".jp2"])
def test_the_portrait_that_is_found_can_be_decoded(kind: str, standard: faces.RecordStandard) -> None:
    """And has the size that its record declares."""
    group = complete(kind, standard).files[directory.DG2.identifier]
    first, second = lds.face_images(group)
    assert (first.format, second.format) == ("jpeg" if kind == ".jpg" else "jpeg2000", "jpeg")
    assert (first.width, first.height, first.record) == (90, 120, standard)
    image = decode(first.image.reveal(), max_bytes=100_000, max_pixels=100_000)
    assert image.shape == PAGE.shape
    assert np.abs(image.astype(int) - PAGE).mean() < 3
