"""Good samples to start from, made by the simulator: nothing here is of a real document."""

import zlib
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import cv2
import msgspec
import numpy as np

from gated.core.settings.documents import DocumentSettings
from gated.document import tlv
from gated.document.access.password import PasswordKind
from gated.document.reading.terminal import SHORT_APDUS
from gated.document.reading.transcript import FORMAT, Exchange, Transcript
from gated.document.tlv import encode
from gated.store import delivery, registration_post
from gated.store.registration_letters import Kind, LetterReceipt
from gated.watchlist.keyed import encode_key_file
from hw_sim.passport import details, faces, issuer, lds
from hw_sim.passport.cv_pki import CvPrivate, root
from hw_sim.passport.pki_lists import Deviating, deviation_list, ldif
from tests.fuzz import sealed
from tests.holder import ANNA

HEX = bytes.fromhex
TODAY = date(2026, 11, 23)
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
JPEG = b"\xff\xd8\xff\xe0 a portrait"
JP2 = HEX("0000000C6A5020200D0A870A") + b"boxes"


@cache
def utopia() -> issuer.Authority:
    return issuer.Authority.establish("utopia", today=TODAY)


@cache
def passport() -> issuer.Passport:
    extra = details.everything(ANNA.surname, ANNA.given_names, ANNA.birth, JPEG)
    return issuer.issue(
        utopia(), ANNA, JP2, more_photographs=[JPEG], extra=extra, lds_versions=("0108", "040000")
    )


def photographs() -> list[bytes]:
    """A small picture in the formats that a portrait may have."""
    picture = np.linspace(20, 230, 48 * 40 * 3).reshape(48, 40, 3).astype(np.uint8)
    progressive = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
    coded = (
        cv2.imencode(".jpg", picture),
        cv2.imencode(".jpg", picture, progressive),
        cv2.imencode(".jp2", picture),
    )
    whole = [bytes(body) for good, body in coded if good]
    return [*whole, whole[2][whole[2].index(b"\xff\x4f\xff\x51") :]]


def file(fid: int) -> list[bytes]:
    """One file of the passport."""
    return [passport().files[fid]]


def portraits() -> list[bytes]:
    return [
        faces.dg2([JPEG, JP2], "F", "19794-5:2005"),
        faces.dg2([JPEG, JP2], "F", "19794-5:2011"),
        faces.dg2([JPEG, JP2], "F", "39794-5"),
    ]


def fingers() -> list[bytes]:
    pictures = [(2, JP2), (7, b"ridges")]
    return [
        details.dg3(pictures, "19794-4:2005"),
        details.dg3(pictures, "19794-4:2011"),
        details.dg3(pictures, "39794-4"),
        details.dg3([], random=b"random"),
    ]


def irises() -> list[bytes]:
    record = b"IIR\x00010\0" + (62).to_bytes(4, "big") + b"\0\0\1" + bytes(30) + HEX("010001")
    record += bytes(7) + HEX("00000003") + b"eye"
    return [encode(0x76, encode(0x7F61, HEX("020101") + encode(0x7F60, encode(0x5F2E, record))))]


def zones() -> list[bytes]:
    td1 = "I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"
    return [
        "".join(passport().lines).encode(),
        "\r\n".join(passport().lines).encode(),
        "\n".join(td1).encode(),
    ]


def security_objects() -> list[bytes]:
    files = {fid: raw for fid, raw in passport().files.items() if 0x0101 <= fid <= 0x0110}
    return [lds.security_object(files, "sha256"), lds.security_object(files, "sha512", ("0108", "040000"))]


def signed() -> list[bytes]:
    """CMS structures: of a passport, and of a list."""
    wrapped = passport().files[lds.SOD]
    return [wrapped[4:], utopia().master_list()]


def certificates() -> list[bytes]:
    return [utopia().anchor, utopia().document_signer.der]


def revocations() -> list[bytes]:
    return [utopia().revocation_list({4711: "key_compromise"}, issued=AT)]


def deviations() -> list[bytes]:
    entry = Deviating((("2.2", 1),), document_type="P", numbers=("X1",), description="a deviation")
    return [deviation_list([entry])]


def directories() -> list[bytes]:
    return [
        ldif([("userCertificate;binary", utopia().anchor), ("pkdMasterListContent", utopia().master_list())])
    ]


def trust_files() -> list[bytes]:
    return [*certificates(), *revocations(), utopia().master_list(), *directories()]


def cv_certificates() -> list[bytes]:
    return [root("UTCVCA00001", CvPrivate("utopia"), (date(2026, 1, 1), date(2029, 1, 1))).certificate]


def references() -> list[bytes]:
    return [encode(0x42, b"UTCVCA00002") + encode(0x42, b"UTCVCA00001") + bytes(10)]


def active_keys() -> list[bytes]:
    return [encode(0x6F, utopia().document_signer.certificate.public_key.dump())]


def public_keys() -> list[bytes]:
    return [identity.certificate.public_key.dump() for identity in (utopia().csca, utopia().document_signer)]


def capabilities() -> list[bytes]:
    return [HEX("47038021C07F66080202FFFF0202FFFF"), HEX("4703802180")]


def commands() -> list[bytes]:
    return [
        HEX("00A4040C07A0000002471001"),
        HEX("00B0000000"),
        HEX("0CB000000D970100000000000000000000FFFF"),
        HEX("00B00000000000"),
        HEX("00A4020C000002011E0000"),
    ]


def responses() -> list[bytes]:
    return [HEX("9000"), HEX("6982"), HEX("99029000") + encode(0x8E, bytes(8)) + HEX("9000")]


def historical() -> list[bytes]:
    return [HEX("80 73 80 21 C0"), HEX("00 73 80 21 80 00 90 00"), HEX("8077 E1 00 01 02 03 04 05")]


def answers_to_reset() -> list[bytes]:
    return [
        HEX("3B8880010000000000000000 09".replace(" ", "")),
        HEX("3B8F8001804F0CA000000306030001000000006A"),
    ]


def blocks() -> list[bytes]:
    return [HEX("00000100 01".replace(" ", "")), HEX("00C1 01FE 3E".replace(" ", "")), HEX("00800080")]


def ccid_messages() -> list[bytes]:
    return [
        HEX("80020000000001000000") + HEX("9000"),
        HEX("81000000000002000000"),
        HEX("82050000000003000000") + bytes(5),
    ]


def notifications() -> list[bytes]:
    return [HEX("5003"), HEX("51000101")]


def class_descriptors() -> list[bytes]:
    body = HEX(
        "1001 00 07 03000000 A00F0000 A00F0000 00 002A0000 401F0D00 00 FE000000 00000000 00000000 BA060400"
    )
    body += HEX("0F010000 00 00 0000 00 01")
    return [bytes([2 + 1 + len(body), 0x21]) + body + b"\0", bytes([54, 0x21]) + body[:52]]


def transcripts() -> list[bytes]:
    transcript = Transcript(
        format=FORMAT,
        version="1",
        reader="simulated",
        limits=SHORT_APDUS,
        settings=DocumentSettings(),
        historical="80738021C0",
        kind=PasswordKind.MRZ,
        password=passport().access_key,
        characters=88,
        random=("00ff",),
        exchanges=(Exchange(command="00a4020c02011c", response="6a82"),),
    )
    return [msgspec.json.encode(transcript)]


def safety_telegrams() -> list[bytes]:
    """A hello, a wish and a report, as docs/safety-controller.md shows them."""
    return [
        HEX("E65A0101 1A2B3C4D 0001 0000 00000000000000000000000000000000 EA951261"),
        HEX("E65A0102 4BE1FA0E 0003 0002 4FDB7E9D1F4000000000000000000000 58B1D30D"),
        HEX("E65A0182 4BE1FA0E 0003 0003 99AABBCC022503000000 5DC01F360000 B140BC35"),
    ]


def journal_entries() -> list[bytes]:
    """Two entries as a delivery carries them, packed, and as they would be if nothing shrank."""
    entry = delivery.Sent(utc="2030-01-01T00:00:00.000+00:00", event="{}", followed="{}", hash=bytes(32))
    packed = delivery.pack((entry, entry))
    return [packed, zlib.compress(zlib.decompress(packed), 0)]


def journal_letters() -> list[bytes]:
    """What a gate says of its journal."""
    at = delivery.Position(seq=7, hash=bytes(32))
    asks = delivery.Whereabouts(number=1, head=at, known=(at, delivery.GENESIS))
    brings = delivery.Delivery(
        number=2, head=at, after=at, at=at, entries=journal_entries()[0], oldest=True, signature=bytes(64)
    )
    enclosed = delivery.Enclosed(body=registration_letters()[0], signature=bytes(64))
    return [delivery.encode(asks), delivery.encode(brings), delivery.encode(enclosed)]


def journal_answers() -> list[bytes]:
    """What the centre answers."""
    at = delivery.Position(seq=7, hash=bytes(32))
    receipt = delivery.Receipt(number=1, gate="gate-1", at=at, utc="2030", signature=bytes(64), common=at)
    return [delivery.encode(receipt), delivery.encode(delivery.NotTaken(number=2, reason="busy"))]


def registration_letters() -> list[bytes]:
    """What a gate says of registrations."""
    letter = registration_post.LetterUp(registration="0" * 32, kind=Kind.REGISTERED, sealed=bytes(200))
    asks = registration_post.AskWithdrawn(nonce=bytes(16))
    return [registration_post.encode(letter), registration_post.encode(asks)]


def registration_answers() -> list[bytes]:
    """What the centre answers to that."""
    receipt = LetterReceipt(
        gate="gate-1", registration="0" * 32, sha256="0" * 64, utc="2030", signature=bytes(64)
    )
    withdrawn = registration_post.Withdrawn(
        gate="gate-1", nonce=bytes(16), registrations=("0" * 32,), signature=bytes(64)
    )
    taken = registration_post.LetterTaken(receipt=receipt)
    return [registration_post.encode(taken), registration_post.encode(withdrawn)]


def objects() -> list[bytes]:
    return [HEX("6F0A840341010280027F49"), encode(0x7F61, bytes(200)), HEX("5F1F0130")]


def security_infos() -> list[bytes]:
    return [passport().files[lds.CARD_ACCESS]]


def domains() -> list[bytes]:
    """Algorithm identifiers: a named curve, and one written out."""
    return [tlv.parse(tlv.parse_one(key).value)[0].encode() for key in public_keys()]


def conversations() -> list[bytes]:
    """What a chip answers, each answer after its length in one byte."""
    files = [
        passport().files[lds.CARD_ACCESS][:6] + HEX("9000"),
        passport().files[lds.CARD_ACCESS] + HEX("9000"),
    ]
    answers = [
        HEX("9000"),
        *files,
        HEX("9000"),
        HEX("7C00 9000"),
        HEX("6A82"),
        HEX("9000"),
        bytes(8) + HEX("9000"),
    ]
    return [b"".join(bytes([len(answer)]) + answer for answer in answers)]


def list_changes() -> list[bytes]:
    """The header's line, and two changes behind it."""
    state = {"version": 1, "documents": 2, "digest": "0" * 64}
    header = {
        "format": "egate-changes/1",
        "list": "main",
        "created": "2026-11-23T03:00:00Z",
        "key": sealed.KEY.id,
        "before": state,
        "after": {**state, "version": 2},
        "count": 2,
        "body": sealed.HASH.decode(),
        "kinds": [list(msgspec.structs.astuple(kind)) for kind in sealed.KINDS],
    }
    body = b"".join(bytes([tag]) * 8 + b"\0\1" + b"r" * 5 + sign for tag, sign in ((1, b"+"), (2, b"-")))
    return [msgspec.json.encode(header) + b"\n" + body]


def pack_heads() -> list[bytes]:
    """A header of two kinds, with room."""
    header = {
        "format": "egate-pack/1",
        "list": "main",
        "version": 7,
        "created": "2026-11-23T03:00:00Z",
        "key": sealed.KEY.id,
        "documents": 100_000_000,
        "bits": 20,
        "digest": "0" * 64,
        "fanout": "0" * 64,
        "kinds": [list(msgspec.structs.astuple(kind)) for kind in sealed.KINDS],
    }
    return [msgspec.json.encode(header), msgspec.json.encode(header) + b" " * 40]


def pack_buckets() -> list[bytes]:
    """Records in order, two of them of one document."""
    rows = ((1, 0, 1), (7, 0, 1), (7, 1, 1), (9, 1, 2))
    return [b"".join(bytes(7) + bytes([tag, 0, kind]) + bytes([number]) * 5 for tag, kind, number in rows)]


def list_key_files() -> list[bytes]:
    """The file of a key that opens nothing."""
    return [encode_key_file(sealed.KEY)]


def rule_packs() -> list[bytes]:
    """The shipped pack, and what is left of it without its examples."""
    raw = (Path(__file__).parents[2] / "config" / "rules" / "agency.toml").read_bytes()
    return [raw, raw.partition(b"[[examples]]")[0]]
