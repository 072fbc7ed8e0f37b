"""DG2: portraits in every record standard, and records that lie about themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.document import lds
from gated.document.errors import LdsError
from gated.document.lds import directory
from gated.document.lds.face_records import OF_2005, OF_2011
from gated.document.lds.faces import MAX_IMAGES
from gated.document.lds.templates import MAX_TEMPLATES, parse_templates
from gated.document.tlv import encode
from hw_sim.passport import faces
from tests.document.material import FUZZ, accepts_or_raises, damaged, refused, specimen, test_data

HEX = bytes.fromhex
JPEG = b"\xff\xd8\xff\xe0 a portrait"
JP2 = HEX("0000000C6A5020200D0A870A") + b"boxes"
STREAM = HEX("FF4FFF51") + b"tiles"
SIZED = HEX("FF4FFF51002F0000 0000019D00000213") + b"tiles"  # a code stream of 413 by 531 pixels
PNG = HEX("89504E470D0A1A0A") + b"chunks"
JPEG_LS = HEX("FFD8FFF7") + b"scan"
STANDARDS: tuple[faces.RecordStandard, ...] = ("19794-5:2005", "19794-5:2011", "39794-5")


def facial_image(image: bytes = JPEG, points: int = 0, length: int | None = None) -> bytes:
    """A block of the edition of 2005."""
    body = points.to_bytes(2, "big") + bytes(14 + 8 * points) + HEX("010000F00140010200000000") + image
    return (len(body) + 4 if length is None else length).to_bytes(4, "big") + body


def face_record(*images: bytes, count: int | None = None, length: int | None = None) -> bytes:
    body = b"".join(images)
    declared = 14 + len(body) if length is None else length
    number = len(images) if count is None else count
    return b"FAC\x00010\x00" + declared.to_bytes(4, "big") + number.to_bytes(2, "big") + body


def representation(image: bytes = JPEG, *, points: int = 0, scores: int = 0, **lies: int) -> bytes:
    """A representation of the edition of 2011; `length` and `image_length` may lie."""
    body = (
        bytes(14) + bytes([scores]) + bytes(5 * scores) + points.to_bytes(2, "big") + bytes(15 + 8 * points)
    )
    body += HEX("010000F0014000000001FF") + lies.get("image_length", len(image)).to_bytes(4, "big") + image
    return lies.get("length", len(body) + 4).to_bytes(4, "big") + body


def record_of_2011(*views: bytes, count: int | None = None, length: int | None = None) -> bytes:
    body = b"".join(views)
    declared = 17 + len(body) if length is None else length
    number = len(views) if count is None else count
    return b"FAC\x00030\x00" + declared.to_bytes(4, "big") + number.to_bytes(2, "big") + bytes(3) + body


def data_block(*blocks: bytes, tag: int = 0x65) -> bytes:
    """ISO/IEC 39794-5, as the passport profile wraps it."""
    return encode(0xA1, encode(tag, encode(0xA0, HEX("800103")) + encode(0xA1, b"".join(blocks))))


def plane(
    image: bytes = JPEG, information: bytes = HEX("A003800102"), wrap: tuple[int, int] = (0xA0, 0xA0)
) -> bytes:
    """A representation block around one plane image, with the mandatory fields."""
    two = encode(wrap[1], encode(0x80, image) + encode(0xA1, information))
    return encode(0x30, encode(0x80, b"\0") + encode(0xA1, encode(wrap[0], two)))


def dg2(*records: bytes, count: int | None = None, tag: int = 0x5F2E, header: bytes = b"") -> bytes:
    templates = b"".join(encode(0x7F60, encode(0xA1, header) + encode(tag, record)) for record in records)
    number = bytes([len(records) if count is None else count])
    return encode(0x75, encode(0x7F61, encode(0x02, number) + templates))


def test_the_specimen() -> None:
    face = lds.face_image(specimen("DG2"))
    assert (face.format, face.width, face.height) == ("jpeg2000", 337, 449)
    assert (face.record, face.as_claimed) == (OF_2005, True)


def test_the_sample_of_iso_39794() -> None:
    raw = test_data("emrtd/iso39794/ICAO_39794_5_AP_DG2_MandFields.dat")
    face = lds.face_image(raw)
    assert (face.format, face.record, face.as_claimed) == ("jpeg2000", "39794-5", True)
    assert (face.width, face.height) == (0, 0)  # only the mandatory fields are there
    bare = test_data("emrtd/iso39794/ICAO_39794_5_AP_MandFields.dat")
    assert lds.face_image(dg2(bare, tag=0x7F2E)).image == face.image
    assert len(face.image.reveal()) == 15_000


@pytest.mark.parametrize("standard", STANDARDS)
def test_every_standard_as_an_issuer_writes_it(standard: faces.RecordStandard) -> None:
    found = lds.face_images(faces.dg2([SIZED, JPEG], "F", standard))
    assert [(image.record, image.as_claimed) for image in found] == [(standard, True)] * 2
    assert [image.format for image in found] == ["jpeg2000", "jpeg"]
    assert [image.image.reveal() for image in found] == [SIZED, JPEG]
    assert [(image.width, image.height) for image in found] == [(413, 531), (240, 320)]
    assert "portrait" not in repr(found)


def test_the_first_portrait_counts_whatever_follows() -> None:
    group = dg2(face_record(facial_image(JP2, points=3), facial_image()), record_of_2011(representation(PNG)))
    assert [image.format for image in lds.face_images(group)] == ["jpeg2000", "jpeg", "png"]
    assert lds.face_image(group).image.reveal() == JP2
    assert lds.face_image(dg2(face_record(), data_block(plane()))).image.reveal() == JPEG


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (PNG, "dg2_png_unsupported"),
        (JPEG_LS, "dg2_jpeg_ls_unsupported"),
        (HEX("FFA0FFA4"), "dg2_wsq_unsupported"),
        (b"GIF89a", "dg2_not_an_image"),
        (JPEG[:2], "dg2_not_an_image"),
        (b"", "dg2_not_an_image"),
    ],
)
def test_a_first_picture_that_is_no_portrait_is_named(image: bytes, code: str) -> None:
    """And the good one behind it is not taken in its place."""
    with refused(LdsError, code):
        lds.face_image(dg2(face_record(facial_image(image), facial_image())))


def test_the_block_says_what_it_is_and_the_header_is_only_a_claim() -> None:
    face, face_of_39794, finger = HEX("8702010188020008"), HEX("870201018802002A"), HEX("8702010188020007")
    other_owner = HEX("8702001B88020008")
    for header, claims_record, claims_block in (
        (face, True, False),
        (face_of_39794, False, True),
        (finger, False, False),
        (other_owner, False, False),
        (b"", False, False),
    ):
        for tag in (0x5F2E, 0x7F2E):
            record = lds.face_image(dg2(face_record(facial_image()), header=header, tag=tag))
            assert (record.record, record.as_claimed) == (OF_2005, claims_record)
            block = lds.face_image(dg2(data_block(plane()), header=header, tag=tag))
            assert (block.record, block.as_claimed) == ("39794-5", claims_block)


def test_scores_and_landmarks_of_2011_are_passed_over() -> None:
    three_dimensional = bytes(40)
    view = representation(JPEG, points=4, scores=2)
    longer = (len(view) + 40).to_bytes(4, "big") + view[4:] + three_dimensional
    face = lds.face_image(dg2(record_of_2011(longer)))
    assert (face.record, face.width, face.height, face.image.reveal()) == (OF_2011, 240, 320, JPEG)


def test_optional_and_later_fields_of_39794_are_passed_over() -> None:
    information = HEX("A003800102") + HEX("A7088002 01F4 8102 0280") + HEX("AA00") + HEX("BF2000")
    block = plane(JPEG, information)[: -0 or None]
    face = lds.face_image(dg2(data_block(block)))
    assert (face.width, face.height) == (500, 640)
    assert lds.face_image(dg2(encode(0x65, HEX("A003800103") + encode(0xA1, block)))).image.reveal() == JPEG


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "dg2_malformed"),
        (HEX("75027F61"), "dg2_malformed"),
        (dg2(face_record(facial_image()), count=2), "dg2_malformed"),
        (dg2(face_record(facial_image()), count=0), "dg2_malformed"),
        (dg2(*[face_record(facial_image())] * (MAX_TEMPLATES + 1)), "dg2_malformed"),
        (dg2(*[face_record(*[facial_image()] * MAX_IMAGES)] * 2), "dg2_malformed"),
        (dg2(face_record(facial_image()), tag=0x5F2D), "dg2_malformed"),
        (dg2(), "dg2_no_image"),
        (dg2(face_record()), "dg2_no_image"),
        (dg2(record_of_2011()), "dg2_no_image"),
        (dg2(data_block()), "dg2_no_image"),
        (dg2(b""), "dg2_format_unsupported"),
        (dg2(b"FIR\x00010\0"), "dg2_format_unsupported"),
        (dg2(face_record(facial_image()).replace(b"010", b"020", 1)), "dg2_format_unsupported"),
    ],
)
def test_groups_that_are_wrong(raw: bytes, code: str) -> None:
    with refused(LdsError, code):
        lds.face_images(raw)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (b"FAC\0", "dg2_malformed"),
        (face_record(facial_image(), length=2**32 - 1), "dg2_length_wrong"),
        (face_record(facial_image(), length=13), "dg2_length_wrong"),
        (face_record(facial_image()) + b"\0", "dg2_length_wrong"),
        (face_record(facial_image(), count=0), "dg2_length_wrong"),
        (face_record(facial_image(), count=2), "dg2_malformed"),
        (face_record(facial_image(), count=MAX_IMAGES + 1), "dg2_malformed"),
        (face_record(facial_image(), count=65_535), "dg2_malformed"),
        (face_record(facial_image(length=2**32 - 1)), "dg2_length_wrong"),
        (face_record(facial_image(length=0)), "dg2_length_wrong"),
        (face_record(facial_image(length=3)), "dg2_length_wrong"),
        (face_record(facial_image(length=31)[:31]), "dg2_malformed"),
        (face_record(facial_image()[:4] + b"\xff\xff" + facial_image()[6:]), "dg2_malformed"),  # points
        (record_of_2011(representation(), length=2**32 - 1), "dg2_length_wrong"),
        (record_of_2011(representation(), count=2), "dg2_malformed"),
        (record_of_2011(representation(), count=65_535), "dg2_malformed"),
        (record_of_2011(representation(length=2**32 - 1)), "dg2_length_wrong"),
        (record_of_2011(representation(length=0)), "dg2_length_wrong"),
        (record_of_2011(representation(image_length=2**32 - 1)), "dg2_length_wrong"),
        (record_of_2011(representation(image_length=len(JPEG) + 1)), "dg2_length_wrong"),
        (record_of_2011(representation(points=2)[:-80], length=17), "dg2_length_wrong"),
        (record_of_2011(HEX("00000004")), "dg2_malformed"),
        (data_block(plane(wrap=(0xA1, 0xA0))), "dg2_format_unsupported"),  # an extension of the standard
        (data_block(plane(wrap=(0xA0, 0xA1))), "dg2_format_unsupported"),  # a shape in three dimensions
        (data_block(plane(), tag=0x64), "dg2_malformed"),
        (data_block(plane())[:-1], "dg2_malformed"),
        (data_block(encode(0x31, b"")), "dg2_malformed"),
        (data_block(encode(0x30, HEX("800100"))), "dg2_malformed"),
        (data_block(plane(information=HEX("A7038001FF"))), "dg2_malformed"),
        (data_block(plane(information=HEX("A7068001FF8101FF"))), "dg2_malformed"),  # negative
        (data_block(plane(information=HEX("A70A80030100008103010000"))), "dg2_malformed"),  # above 65535
        (encode(0xA1, encode(0x65, encode(0xA1, plane()))), "dg2_malformed"),  # no version
        (encode(0xA1, b""), "dg2_malformed"),
    ],
)
def test_records_that_lie(record: bytes, code: str) -> None:
    with refused(LdsError, code):
        lds.face_images(dg2(record))


def test_two_data_blocks_in_one_template_are_refused() -> None:
    block = encode(0x5F2E, face_record(facial_image()))
    template = encode(0x7F60, encode(0xA1, b"") + block + block)
    with refused(LdsError, "dg2_malformed"):
        lds.face_images(encode(0x75, encode(0x7F61, HEX("020101") + template)))


def test_a_template_does_not_show_its_block() -> None:
    (template,) = parse_templates(dg2(face_record(facial_image())), directory.DG2)
    assert repr(template) == f"Template({len(face_record(facial_image()))} bytes)"


def test_a_file_above_its_cap_is_refused() -> None:
    with refused(LdsError, "dg2_malformed"):
        lds.face_images(dg2(face_record(facial_image(JPEG + bytes(0x4_0000)))))


@FUZZ
@given(
    st.sampled_from(
        [
            dg2(face_record(facial_image(points=1), facial_image(JP2))),
            dg2(record_of_2011(representation(points=1, scores=1), representation(STREAM))),
            dg2(data_block(plane(information=HEX("A003800102A708800201F481020280"))), tag=0x7F2E),
            *(faces.dg2([JPEG, JP2], "M", standard) for standard in STANDARDS),
        ]
    ).flatmap(damaged)
)
def test_accepts_or_raises_one_error(raw: bytes) -> None:
    accepts_or_raises(lds.face_images, LdsError, raw)
    accepts_or_raises(lds.face_image, LdsError, raw)
