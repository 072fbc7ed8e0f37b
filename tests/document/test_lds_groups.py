"""The other data groups and the master file's files: specimens, what an issuer writes, and what is wrong."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.core.personal import MASK
from gated.document import lds
from gated.document.errors import LdsError
from gated.document.lds import directory
from gated.document.lds.fingers import MAX_FINGERS
from gated.document.lds.texts import MAX_LIST, MAX_TEXT
from gated.document.tlv import encode
from hw_sim.passport import details
from hw_sim.passport import lds as issuer_lds
from tests.document.material import FUZZ, accepts_or_raises, damaged, refused, specimen

HEX = bytes.fromhex
WSQ = HEX("FFA0FFA4003A") + b"ridges"
JP2 = HEX("0000000C6A5020200D0A870A") + b"boxes"
STANDARDS: tuple[details.FingerStandard, ...] = ("19794-4:2005", "19794-4:2011", "39794-4")
DG11 = details.details(
    details.DG11,
    {
        0x5F0E: "MÜLLER<LÜDENSCHEIDT<<ANNA<MARIA".encode(),
        0x5F10: b"4711",
        0x5F2B: b"19740812",
        0x5F11: "Zürich<ZH".encode(),
        0x5F42: b"1 Harbour Street<<Port Utopia",
        0x5F12: b"+999 1 234",
        0x5F13: b"Cartographer",
        0x5F14: b"Dr",
        0x5F15: b"First line\nsecond line",
        0x5F16: JP2,
        0x5F17: b"X1<Y2<",
        0x5F18: b"none",
    },
    ["MUELLER<<ANNA", "EUROPAEA"],
)
DG12 = details.details(
    details.DG12,
    {
        0x5F19: b"Ministry",
        0x5F26: HEX("20240229"),
        0x5F1B: b"seen",
        0x5F1C: b"paid",
        0x5F1D: JP2,
        0x5F1E: JP2,
        0x5F55: b"20240229123059",
        0x5F56: b"P-7",
    },
    ["CHILD<<A"],
)
ATR_INFO = HEX("47038021C0") + HEX("7F66080202FFFF0202FFFF")
DG16 = details.dg16(
    [(date(2024, 1, 2), "KIN<<NEXT", "+999 1 235", "Port<Utopia"), (date(2024, 1, 3), "A", "", "")]
)


# --- where they are -------------------------------------------------------------------------------------


def test_the_directory_is_that_of_the_standard() -> None:
    """Doc 9303-10, tables of sections 3.6 and 4; the simulated issuer keeps a table of its own."""
    for number, file in directory.DATA_GROUPS.items():
        assert (file.name, file.number) == (f"dg{number}", number)
        assert (file.identifier, file.short_identifier) == (0x0100 + number, number)
        assert issuer_lds.com({file.identifier: b""}).endswith(bytes([0x5C, 1, file.tag or 0]))
    assert (directory.COM.identifier, directory.COM.short_identifier) == (0x011E, 0x1E)
    assert (directory.SOD.identifier, directory.SOD.short_identifier) == (0x011D, 0x1D)
    outside = (directory.CARD_ACCESS, directory.CARD_SECURITY, directory.ATR_INFO, directory.DIR)
    assert [file.short_identifier for file in outside] == [0x1C, 0x1D, 0x01, 0x1E]
    assert not any(file.in_application for file in outside)


def test_ef_dir_has_the_short_identifier_that_iso_7816_4_gives_it() -> None:
    assert directory.DIR.short_identifier == 0x1E  # 8.2.1.1; its identifier's low bits would say zero


# --- fingers and irises ---------------------------------------------------------------------------------


def test_fingers_and_irises_of_the_specimen() -> None:
    fingers = lds.parse_dg3(specimen("DG3"))
    assert [(finger.format, finger.record) for finger in fingers] == [("wsq", "19794-4:2005")] * 2
    assert [finger.position.reveal() for finger in fingers] == [2, 7]
    irises = lds.parse_dg4(specimen("DG4"))
    assert len(irises) == 2
    assert all(iris.reveal().startswith(JP2[:12]) for iris in irises)


@pytest.mark.parametrize("standard", STANDARDS)
def test_fingers_in_every_standard(standard: details.FingerStandard) -> None:
    fingers = lds.parse_dg3(details.dg3([(2, WSQ), (7, JP2)], standard))
    assert [(finger.position.reveal(), finger.image.reveal()) for finger in fingers] == [(2, WSQ), (7, JP2)]
    assert [(finger.format, finger.record) for finger in fingers] == [
        ("wsq", standard),
        ("jpeg2000", standard),
    ]
    assert "ridges" not in repr(fingers)
    both = lds.parse_dg3(dg3(details.finger_record([(2, WSQ), (7, JP2)], standard)))
    assert both == fingers


def test_a_passport_without_fingerprints_has_a_group_with_none() -> None:
    assert lds.parse_dg3(details.dg3([], random=b"so that its hash tells nothing")) == ()


def test_certification_and_scores_are_passed_over() -> None:
    """ISO/IEC 19794-4:2011 with one score and two certifications."""
    plain = details.finger_record([(2, WSQ)], "19794-4:2011")
    view = plain[20:34] + b"\1" + bytes(5) + b"\2" + bytes(6) + plain[35:]
    record = plain[:8] + (20 + len(view)).to_bytes(4, "big") + plain[12:14] + b"\1\1"
    record += (4 + len(view)).to_bytes(4, "big") + view
    assert lds.parse_dg3(dg3(record))[0].image.reveal() == WSQ


def dg3(record: bytes) -> bytes:
    template = encode(0x7F60, encode(0xA1, b"") + encode(0x5F2E, record))
    return encode(0x63, encode(0x7F61, HEX("020101") + template))


def with_bytes(record: bytes, at: int, new: bytes) -> bytes:
    return record[:at] + new + record[at + len(new) :]


OLD, NEW, TAGGED = (details.finger_record([(2, WSQ)], standard) for standard in STANDARDS)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (b"", "dg3_format_unsupported"),
        (b"FAC\x00010\0", "dg3_format_unsupported"),
        (OLD[:20], "dg3_length_wrong"),
        (with_bytes(OLD, 8, b"\xff" * 6), "dg3_length_wrong"),
        (with_bytes(OLD, 18, b"\2"), "dg3_malformed"),  # two fingers declared, one there
        (with_bytes(OLD, 32, b"\xff" * 4), "dg3_length_wrong"),
        (with_bytes(OLD, 32, bytes(4)), "dg3_length_wrong"),
        (OLD[:8] + (14).to_bytes(6, "big"), "dg3_malformed"),
        (details.finger_record([(2, b"")] * (MAX_FINGERS + 1), "19794-4:2005"), "dg3_malformed"),
        (with_bytes(NEW, 8, b"\xff" * 4), "dg3_length_wrong"),
        (with_bytes(NEW, 12, b"\xff\xff"), "dg3_malformed"),
        (with_bytes(NEW, 12, b"\0\2"), "dg3_malformed"),
        (with_bytes(NEW, 12, b"\0\0"), "dg3_length_wrong"),
        (with_bytes(NEW, 14, b"\2"), "dg3_malformed"),
        (with_bytes(NEW, 16, b"\xff" * 4), "dg3_length_wrong"),
        (with_bytes(NEW, 16, bytes(4)), "dg3_length_wrong"),
        (with_bytes(NEW, 34, b"\xff"), "dg3_malformed"),  # 255 scores
        (with_bytes(NEW, 53, b"\xff" * 4), "dg3_length_wrong"),
        (TAGGED[:-1], "dg3_malformed"),
        (HEX("A10065"), "dg3_malformed"),
    ],
)
def test_finger_records_that_lie(record: bytes, code: str) -> None:
    with refused(LdsError, code):
        lds.parse_dg3(dg3(record))


def iris_record(*images: bytes, **lies: int) -> bytes:
    """ISO/IEC 19794-6:2005 with one eye; `length`, `count` and `image` may lie."""
    body = b"\1" + lies.get("count", len(images)).to_bytes(2, "big")
    for image in images:
        body += bytes(7) + lies.get("image", len(image)).to_bytes(4, "big") + image
    length = lies.get("length", 45 + len(body))
    return b"IIR\x00010\0" + length.to_bytes(4, "big") + b"\0\0\1" + bytes(30) + body


def dg4(*records: bytes) -> bytes:
    templates = b"".join(encode(0x7F60, encode(0x5F2E, record)) for record in records)
    return encode(0x76, encode(0x7F61, encode(0x02, bytes([len(records)])) + templates))


def test_irises() -> None:
    found = lds.parse_dg4(dg4(iris_record(JP2, b"eye"), iris_record()))
    assert [iris.reveal() for iris in found] == [JP2, b"eye"]
    assert lds.parse_dg4(dg4()) == ()


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (b"IIR\x00020\0", "dg4_format_unsupported"),
        (b"IIR\x00010\0", "dg4_malformed"),
        (iris_record(JP2, length=2**32 - 1), "dg4_length_wrong"),
        (iris_record(JP2, count=65_535), "dg4_malformed"),
        (iris_record(JP2, count=2), "dg4_malformed"),
        (iris_record(JP2, count=0), "dg4_length_wrong"),
        (iris_record(JP2, image=2**32 - 1), "dg4_length_wrong"),
        (iris_record(*[b""] * 17), "dg4_malformed"),
    ],
)
def test_iris_records_that_lie(record: bytes, code: str) -> None:
    with refused(LdsError, code):
        lds.parse_dg4(dg4(record))


def test_irises_are_counted_over_all_templates() -> None:
    with refused(LdsError, "dg4_malformed"):
        lds.parse_dg4(dg4(iris_record(*[b""] * 9), iris_record(*[b""] * 9)))


def test_fingers_are_counted_over_all_templates() -> None:
    blocks = details.finger_record([(1, WSQ)] * 20, "39794-4")
    template = encode(0x7F60, encode(0x7F2E, blocks))
    with refused(LdsError, "dg3_malformed"):
        lds.parse_dg3(encode(0x63, encode(0x7F61, HEX("020102") + template + template)))


# --- displayed images -----------------------------------------------------------------------------------


def test_displayed_images() -> None:
    for name, parser in (("DG5", lds.parse_dg5), ("DG7", lds.parse_dg7)):
        assert [image.format for image in parser(specimen(name))] == ["jpeg2000"]
    marks = lds.parse_dg7(details.displayed(details.DG7, [JP2, b"mark"]))
    assert [(mark.format, mark.image.reveal()) for mark in marks] == [("jpeg2000", JP2), ("unknown", b"mark")]
    assert lds.parse_dg5(details.displayed(details.DG5, [JP2]))[0].image.reveal() == JP2


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        HEX("6700"),
        HEX("6703020100"),
        HEX("6703020101"),
        HEX("6704020200 01"),
        details.displayed(details.DG5, [JP2]),
        details.displayed(details.DG7, [JP2] * 10),
        encode(0x67, HEX("020101020101") + encode(0x5F43, JP2)),
    ],
)
def test_displayed_images_that_are_wrong(raw: bytes) -> None:
    with refused(LdsError, "dg7_malformed"):
        lds.parse_dg7(raw)


# --- details --------------------------------------------------------------------------------------------


def test_personal_details() -> None:
    person = lds.parse_dg11(DG11)
    assert person.full_name == lds.FullName("MÜLLER LÜDENSCHEIDT", "ANNA MARIA")
    assert person.other_names == (lds.FullName("MUELLER", "ANNA"), lds.FullName("EUROPAEA", ""))
    assert person.birth == lds.CalendarDate(1974, 8, 12)
    assert (person.personal_number, person.telephone) == ("4711", "+999 1 234")
    assert (person.birth_place, person.address) == (("Zürich", "ZH"), ("1 Harbour Street", "Port Utopia"))
    assert (person.profession, person.title, person.custody) == ("Cartographer", "Dr", "none")
    assert (person.summary, person.proof_of_citizenship) == ("First line\nsecond line", JP2)
    assert person.other_documents == ("X1", "Y2")


def test_document_details() -> None:
    document = lds.parse_dg12(DG12)
    assert (document.authority, document.issued) == ("Ministry", lds.CalendarDate(2024, 2, 29))
    assert document.other_persons == (lds.FullName("CHILD", "A"),)
    assert (document.endorsements, document.tax_or_exit) == ("seen", "paid")
    assert (document.front, document.rear) == (JP2, JP2)
    assert (document.personalised, document.personalised_by) == ("20240229123059", "P-7")


def test_details_of_the_specimen() -> None:
    person = lds.parse_dg11(specimen("DG11"))
    assert (person.full_name, person.birth) == (lds.FullName("Doe John", ""), lds.CalendarDate(1970, 1, 1))
    assert (person.other_names, person.birth_place) == ((lds.FullName("William", ""),), ("TEST", "TEST"))
    document = lds.parse_dg12(specimen("DG12"))
    assert (document.issued, document.personalised) == (lds.CalendarDate(2024, 1, 1), "20240101123059")


def test_a_silent_chip_gives_empty_details() -> None:
    person = lds.parse_dg11(details.details(details.DG11, {}))
    assert (person.full_name, person.birth, person.address, person.other_names) == (None, None, (), ())
    document = lds.parse_dg12(HEX("6C00"))
    assert (document.authority, document.personalised, document.front) == (None, None, None)


def test_elements_that_nobody_knows_are_passed_over() -> None:
    unknown = encode(0x5F7A, b"\xff") * 2
    person = lds.parse_dg11(encode(0x6B, unknown + encode(0x5F10, b"4711")))
    assert person.personal_number == "4711"


def test_details_do_not_show_in_a_repr() -> None:
    person, document, kin = lds.parse_dg11(DG11), lds.parse_dg12(DG12), lds.parse_dg16(DG16)[0]
    for value in (person, document, kin, person.full_name, person.birth):
        assert repr(value) == f"{type(value).__name__}({MASK})"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"19740812", lds.CalendarDate(1974, 8, 12)),
        (HEX("19740812"), lds.CalendarDate(1974, 8, 12)),
        (b"19740800", lds.CalendarDate(1974, 8, None)),
        (HEX("19740000"), lds.CalendarDate(1974, None, None)),
        (b"1974<<<<", lds.CalendarDate(1974, None, None)),
        (b"197408XX", lds.CalendarDate(1974, 8, None)),
        (b"1974xxxx", lds.CalendarDate(1974, None, None)),
        (b"00000000", None),
        (HEX("00000000"), None),
    ],
)
def test_dates_whole_and_in_part(value: bytes, expected: lds.CalendarDate | None) -> None:
    assert lds.parse_dg11(details.details(details.DG11, {0x5F2B: value})).birth == expected


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"1974081",
        b"740812",
        b"19741301",
        b"19740230",
        b"19740012",
        HEX("1974130A"),
        b"+9740812",
        b"1974 812",
        "１９７".encode()[:8],
        b"\xff" * 8,
        b"19740812 ",
    ],
)
def test_dates_that_are_none(value: bytes) -> None:
    with refused(LdsError, "dg11_date_wrong"):
        lds.parse_dg11(details.details(details.DG11, {0x5F2B: value}))


@pytest.mark.parametrize("value", [b"2024010112305", b"20240101T23059", HEX("2024010112305A"), b""])
def test_a_moment_that_is_none(value: bytes) -> None:
    with refused(LdsError, "dg12_date_wrong"):
        lds.parse_dg12(details.details(details.DG12, {0x5F55: value}))


def repeated(tag: int, value: bytes) -> bytes:
    return encode(0x6B, encode(tag, value) * 2)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "dg11_malformed"),
        (DG12, "dg11_malformed"),
        (repeated(0x5F10, b"4711"), "dg11_malformed"),
        (details.details(details.DG11, {0x5F10: b"\xff\xfe"}), "dg11_not_utf8"),
        (details.details(details.DG11, {0x5F10: "\ud800".encode("utf-8", "surrogatepass")}), "dg11_not_utf8"),
        (details.details(details.DG11, {0x5F10: b"\x1b[2J"}), "dg11_not_printable"),
        (details.details(details.DG11, {0x5F10: "\x9b2J".encode()}), "dg11_not_printable"),
        (details.details(details.DG11, {0x5F10: b"\0"}), "dg11_not_printable"),
        (details.details(details.DG11, {0x5F10: b"4" * (MAX_TEXT + 1)}), "dg11_too_long"),
        (details.details(details.DG11, {0x5F11: b"A<" * (MAX_LIST + 1)}), "dg11_too_many"),
        (encode(0x6B, encode(0xA0, HEX("020102") + encode(0x5F0F, b"A"))), "dg11_malformed"),
        (encode(0x6B, encode(0xA0, encode(0x5F0F, b"A"))), "dg11_malformed"),
        (details.details(details.DG11, {}, ["A"] * (MAX_LIST + 1)), "dg11_malformed"),
    ],
)
def test_details_that_are_wrong(raw: bytes, code: str) -> None:
    with refused(LdsError, code):
        lds.parse_dg11(raw)


def test_an_error_holds_nothing_of_the_text() -> None:
    """Also not in what was being handled when it was raised."""
    for value in (b"SECRET\xff", b"SECRET\x00"):
        with pytest.raises(LdsError) as refusal:
            lds.parse_dg11(details.details(details.DG11, {0x5F10: value}))
        assert refusal.value.__cause__ is None
        assert refusal.value.__context__ is None


# --- persons to notify, and what is only unwrapped ------------------------------------------------------


def test_persons_to_notify() -> None:
    first, second = lds.parse_dg16(DG16)
    assert (first.recorded, first.name) == (lds.CalendarDate(2024, 1, 2), lds.FullName("KIN", "NEXT"))
    assert (first.telephone, first.address) == ("+999 1 235", ("Port", "Utopia"))
    assert (second.name, second.telephone, second.address) == (lds.FullName("A", ""), "", ())
    assert lds.parse_dg16(HEX("7003020100")) == ()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "dg16_malformed"),
        (HEX("7000"), "dg16_malformed"),
        (HEX("7003020101"), "dg16_malformed"),
        (HEX("7005020101A1 01 5F"), "dg16_malformed"),
        (details.dg16([(date(2024, 1, 2), "A", "", "")] * 15)[:-1], "dg16_malformed"),
        (encode(0x70, HEX("020101") + encode(0xA1, encode(0x5F50, b"20240230"))), "dg16_date_wrong"),
        (encode(0x70, HEX("020101") + encode(0xA1, encode(0x5F51, b"\xff"))), "dg16_not_utf8"),
    ],
)
def test_persons_to_notify_that_are_wrong(raw: bytes, code: str) -> None:
    with refused(LdsError, code):
        lds.parse_dg16(raw)


def test_groups_that_are_only_unwrapped() -> None:
    assert lds.parse_dg13(details.dg13(b"anything")).reveal() == b"anything"
    infos, key = lds.parse_dg14(specimen("DG14")), lds.parse_dg15(specimen("DG15"))
    assert (infos[:1], key[:1]) == (b"\x31", b"\x30")
    assert (encode(0x6E, infos), encode(0x6F, key)) == (specimen("DG14"), specimen("DG15"))


def test_groups_that_cannot_be_unwrapped() -> None:
    with refused(LdsError, "dg13_malformed"):
        lds.parse_dg13(HEX("6E00"))
    for raw in (HEX("6E00"), HEX("6E023000"), HEX("6E0431003100"), b""):
        with refused(LdsError, "dg14_malformed"):
            lds.parse_dg14(raw)
    for raw in (HEX("6F00"), HEX("6F023100"), b"", encode(0x6F, encode(0x30, bytes(5000)))):
        with refused(LdsError, "dg15_malformed"):
            lds.parse_dg15(raw)


# --- the master file ------------------------------------------------------------------------------------


def test_capabilities() -> None:
    longest = lds.parse_atr_info(ATR_INFO)
    assert longest == lds.AtrInfo(chaining=True, extended=True, max_command=65_535, max_response=65_535)
    assert lds.parse_atr_info(HEX("4703802180")) == lds.AtrInfo(chaining=True)
    assert lds.parse_atr_info(HEX("4301B84602010200")) == lds.AtrInfo()  # nothing of interest; then padding
    assert lds.parse_atr_info(HEX("47018047018000")[:3]) == lds.AtrInfo()  # one byte only


@pytest.mark.parametrize(
    "raw",
    [
        HEX("47"),
        HEX("470380"),
        HEX("470380214047038021C0"),
        HEX("7F660402020100"),
        HEX("7F660402000200"),
        HEX("7F66060201010301 01"),
        HEX("004703802140"),
        encode(0x47, bytes(2000)),
    ],
)
def test_capabilities_that_are_wrong(raw: bytes) -> None:
    with refused(LdsError, "atr_info_malformed"):
        lds.parse_atr_info(raw)


def test_applications() -> None:
    passport = HEX("A0000002471001")
    assert lds.parse_dir(issuer_lds.application_directory()) == (passport,)
    visa = HEX("A0000002472002")
    both = encode(0x61, encode(0x4F, passport)) + encode(0x61, encode(0x4F, visa) + encode(0x50, b"visa"))
    assert lds.parse_dir(both + bytes(5)) == (passport, visa)
    assert lds.parse_dir(encode(0x61, encode(0x4F, HEX("A000")))) == (HEX("A000"),)  # its zero is no filling
    for raw in (
        HEX("61"),
        HEX("6100"),
        HEX("61024F00"),
        encode(0x61, encode(0x4F, bytes(17))),
        both * 17,
        both * 40,
    ):
        with refused(LdsError, "dir_malformed"):
            lds.parse_dir(raw)


# --- noise ----------------------------------------------------------------------------------------------

PARSERS = (
    lds.parse_dg3,
    lds.parse_dg4,
    lds.parse_dg5,
    lds.parse_dg7,
    lds.parse_dg11,
    lds.parse_dg12,
    lds.parse_dg13,
    lds.parse_dg14,
    lds.parse_dg15,
    lds.parse_dg16,
    lds.parse_atr_info,
    lds.parse_dir,
)


@FUZZ
@given(
    st.sampled_from(
        [
            *(details.dg3([(2, WSQ), (7, JP2)], standard) for standard in STANDARDS),
            dg4(iris_record(JP2, b"eye")),
            details.displayed(details.DG5, [JP2]),
            details.displayed(details.DG7, [JP2]),
            DG11,
            DG12,
            DG16,
            ATR_INFO,
            issuer_lds.application_directory(),
        ]
    ).flatmap(damaged)
)
def test_accepts_or_raises_one_error(raw: bytes) -> None:
    for parser in PARSERS:
        accepts_or_raises(parser, LdsError, raw)
