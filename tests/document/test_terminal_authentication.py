"""Terminal authentication against the chip's side of it, which was written from the standard."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.document import tlv
from gated.document.access.security_infos import SecurityInfos, parse_security_infos
from gated.document.apdu import Command, Response
from gated.document.errors import AccessError, LdsError
from gated.document.genuine.credentials import Chain, Credentials
from gated.document.genuine.terminal_authentication import (
    document_identifier,
    find_cvca,
    parse_cvca,
    terminal_authentication,
)
from gated.document.lds.directory import CVCA
from gated.document.reading import drive
from hw_sim.passport import cv_pki, lds
from hw_sim.passport.chip_files import Refused
from hw_sim.passport.chip_terminal import TerminalAuthentication, TerminalTrust, cvca_file
from hw_sim.passport.cv_pki import Algorithm, CvPrivate
from tests.document.chips import Counted
from tests.document.material import FUZZ, accepts_or_raises, damaged, refused
from tests.document.test_cv_certificates import ALGORITHMS, TODAY, YEARS, Pki, pki

IDENTIFIER = b"L898902C36"
COMPRESSED = bytes(range(32))


def chip(of: Pki, today: date = date(2025, 6, 1), *, agreed: bool = True) -> TerminalAuthentication:
    made = TerminalAuthentication(TerminalTrust(roots=(of.root.certificate,), today=today), Counted())
    if agreed:
        made.agreed(IDENTIFIER, COMPRESSED)
    return made


class Wire:
    """Carries plain commands to the chip's side and keeps them."""

    def __init__(self, to: TerminalAuthentication) -> None:
        self._to = to
        self.sent: list[Command] = []

    def __call__(self, command: Command) -> Response:
        self.sent.append(command)
        assert TerminalAuthentication.handles(command)
        try:
            return Response(self._to.answer(command), 0x9000)
        except Refused as error:
            return Response(b"", error.status)


def authenticate(
    to: TerminalAuthentication,
    chain: Chain,
    sign: Callable[[bytes], bytes],
    *,
    identifier: bytes = IDENTIFIER,
    compressed: bytes = COMPRESSED,
) -> Wire:
    wire = Wire(to)
    drive(terminal_authentication(chain, sign, identifier=identifier, compressed=compressed), wire)
    return wire


def chain_of(of: Pki, to: TerminalAuthentication) -> Chain:
    return Credentials.load(of.files).chain_for(parse_cvca(to.directory), TODAY)


# --- good -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_right_to_fingerprints_is_got_with_every_algorithm(algorithm: Algorithm) -> None:
    of = pki(algorithm)
    to = chip(of)
    assert to.closed == {lds.DG3, lds.DG4}
    authenticate(to, chain_of(of, to), of.system.private.sign)
    assert to.closed == {lds.DG4}


def test_the_commands_are_those_of_the_standard() -> None:
    of = pki()
    to = chip(of)
    signed: list[bytes] = []

    def sign(message: bytes) -> bytes:
        signed.append(message)
        return of.system.private.sign(message)

    wire = authenticate(to, chain_of(of, to), sign)
    headers = [command.header.hex() for command in wire.sent]
    assert headers == ["002281b6", "002a00be"] * 3 + ["002281a4", "00840000", "00820000"]
    assert [command.body for command in wire.sent[0:6:2]] == [
        b"\x83\x0bUTCVCA00001",
        b"\x83\x0bUTCVCA00002",
        b"\x83\x0dUTDVGATE00001",
    ]
    assert [command.body for command in wire.sent[1:6:2]] == [
        tlv.parse_one(one.certificate).value for one in of[1:]
    ]
    assert wire.sent[6].body == b"\x83\x0dUTISLANE00001"
    assert wire.sent[7].le == 8
    assert signed == [IDENTIFIER + Counted()(8) + COMPRESSED]


def test_a_chip_learns_the_new_trust_point_and_the_date_for_good() -> None:
    of = pki()
    to = chip(of)
    first = authenticate(to, chain_of(of, to), of.system.private.sign)
    assert parse_cvca(to.directory) == ("UTCVCA00002", "UTCVCA00001")
    to.forget()
    assert to.closed == {lds.DG3, lds.DG4}
    to.agreed(IDENTIFIER, COMPRESSED)
    second = authenticate(to, chain_of(of, to), of.system.private.sign)
    assert len(first.sent) - len(second.sent) == 2  # no link certificate any more
    later = date(2026, 1, 1)
    verifier = of.link.certify("UTDVGATE00005", CvPrivate("v5"), cv_pki.DV_DOMESTIC, (later, YEARS[1]))
    system = verifier.certify("UTISLANE00005", CvPrivate("s5"), cv_pki.INSPECTION_SYSTEM, (TODAY, YEARS[1]))
    chain = Credentials.load([*of.files[:2], verifier.certificate, system.certificate]).chain_for(
        ["UTCVCA00002"], TODAY
    )
    to.agreed(IDENTIFIER, COMPRESSED)
    authenticate(to, chain, CvPrivate("s5").sign)
    assert to.today == TODAY


def test_the_date_of_a_foreign_verifiers_terminal_teaches_nothing() -> None:
    of = pki()
    to = chip(of)
    verifier = of.link.certify("UTDVGATE00006", CvPrivate("v6"), cv_pki.DV_FOREIGN, YEARS)
    system = verifier.certify("UTISLANE00006", CvPrivate("s6"), cv_pki.INSPECTION_SYSTEM, (TODAY, YEARS[1]))
    files = [*of.files[:2], verifier.certificate, system.certificate]
    authenticate(to, Credentials.load(files).chain_for(["UTCVCA00001"], TODAY), CvPrivate("s6").sign)
    assert (to.today, to.closed) == (date(2025, 6, 1), {lds.DG4})


# --- refused ----------------------------------------------------------------------------------------


def test_a_key_that_is_not_the_chains_signs_nothing_that_is_sent() -> None:
    of = pki()
    to = chip(of)
    wire = Wire(to)
    protocol = terminal_authentication(
        chain_of(of, to), CvPrivate("other").sign, identifier=IDENTIFIER, compressed=COMPRESSED
    )
    with refused(AccessError, "ta_signature_wrong"):
        drive(protocol, wire)
    assert wire.sent[-1].header.hex() == "00840000"


@pytest.mark.parametrize(
    ("identifier", "compressed"), [(b"L898902C35", COMPRESSED), (IDENTIFIER, COMPRESSED[::-1])]
)
def test_another_chip_or_another_channel_is_denied(identifier: bytes, compressed: bytes) -> None:
    of = pki()
    to = chip(of)
    with refused(AccessError, "ta_denied"):
        authenticate(
            to, chain_of(of, to), of.system.private.sign, identifier=identifier, compressed=compressed
        )
    assert to.closed == {lds.DG3, lds.DG4}


def test_a_chip_whose_date_is_later_refuses_an_expired_terminal() -> None:
    of = pki()
    to = chip(of, today=date(2028, 1, 2))
    chain = Credentials.load(of.files).chain_for(["UTCVCA00001"], TODAY)
    with pytest.raises(AccessError) as refusal:
        authenticate(to, chain, of.system.private.sign)
    assert (refusal.value.code, refusal.value.status) == ("ta_certificate_refused", 0x6300)
    assert parse_cvca(to.directory) == ("UTCVCA00002",)  # the link it took, and dropped what had expired


def test_a_trust_point_that_has_expired_answers_for_links_only() -> None:
    of = pki()
    short = cv_pki.root("UTCVCA00001", of.root.private, (YEARS[0], date(2025, 3, 1)))
    trust = TerminalTrust(roots=(short.certificate,), today=date(2025, 6, 1))
    verifier = of.root.certify("UTDVGATE00004", CvPrivate("v4"), cv_pki.DV_DOMESTIC, YEARS)
    system = verifier.certify("UTISLANE00004", CvPrivate("s4"), cv_pki.INSPECTION_SYSTEM, YEARS)
    files = [of.root.certificate, verifier.certificate, system.certificate]
    to = TerminalAuthentication(trust, Counted())
    to.agreed(IDENTIFIER, COMPRESSED)
    with refused(AccessError, "ta_certificate_refused"):
        authenticate(to, Credentials.load(files).chain_for(["UTCVCA00001"], TODAY), CvPrivate("s4").sign)
    authenticate(to, chain_of(of, to), of.system.private.sign)
    assert to.closed == {lds.DG4}


def test_a_chip_that_trusts_another_state() -> None:
    of = pki()
    stranger = cv_pki.root("DECVCA00001", CvPrivate("de"), YEARS)
    to = TerminalAuthentication(TerminalTrust(roots=(stranger.certificate,), today=TODAY), Counted())
    to.agreed(IDENTIFIER, COMPRESSED)
    chain = Credentials.load(of.files).chain_for(["UTCVCA00001"], TODAY)
    with pytest.raises(AccessError) as refusal:
        authenticate(to, chain, of.system.private.sign)
    assert (refusal.value.code, refusal.value.status) == ("ta_certificate_refused", 0x6A88)


def test_before_the_chip_has_authenticated_itself() -> None:
    of = pki()
    to = chip(of, agreed=False)
    with refused(AccessError, "ta_certificate_refused"):
        authenticate(to, Credentials.load(of.files).chain_for(["UTCVCA00001"], TODAY), of.system.private.sign)


@pytest.mark.parametrize(
    ("refuses", "status", "body", "code"),
    [
        (0xA4, 0x6A88, b"", "ta_key_refused"),
        (0x84, 0x6985, b"", "ta_challenge_refused"),
        (0x84, 0x9000, bytes(7), "ta_challenge_length"),
        (0x84, 0x9000, b"", "ta_challenge_length"),
        (0x82, 0x6300, b"", "ta_denied"),
    ],
)
def test_each_refusal_has_its_code(refuses: int, status: int, body: bytes, code: str) -> None:
    of = pki()
    to = chip(of)
    wire = Wire(to)

    def stubborn(command: Command) -> Response:
        if refuses in {command.ins, command.p2 if command.ins == 0x22 else None}:
            return Response(body, status)
        return wire(command)

    protocol = terminal_authentication(
        chain_of(of, to), of.system.private.sign, identifier=IDENTIFIER, compressed=COMPRESSED
    )
    with refused(AccessError, code):
        drive(protocol, stubborn)


@FUZZ
@given(
    st.lists(st.tuples(st.binary(max_size=12), st.sampled_from([0x9000, 0x9000, 0x6300, 0x6A88])), max_size=9)
)
def test_whatever_a_chip_answers_one_error_is_raised(answers: list[tuple[bytes, int]]) -> None:
    of = pki()
    left = iter(answers)
    chain = Credentials.load(of.files).chain_for(["UTCVCA00001"], TODAY)
    protocol = terminal_authentication(
        chain, of.system.private.sign, identifier=IDENTIFIER, compressed=COMPRESSED
    )
    good = [(b"", 0x9000)] * 7 + [(bytes(8), 0x9000), (b"", 0x9000)]
    expected = all(status == 0x9000 for _, status in answers) and len((answers[7:8] or good[7:8])[0][0]) == 8

    def chip_of_chance(_: Command) -> Response:
        body, status = next(left, (bytes(8), 0x9000))
        return Response(body, status)

    if expected:
        drive(protocol, chip_of_chance)
    else:
        with pytest.raises(AccessError, match=r"^ta_[a-z_]+$"):
            drive(protocol, chip_of_chance)


# --- EF.CVCA ----------------------------------------------------------------------------------------


def test_references_of_one_or_two_trust_points() -> None:
    assert parse_cvca(cvca_file(["UTCVCA00001"])) == ("UTCVCA00001",)
    assert parse_cvca(cvca_file(["UTCVCA00002", "UTCVCA00001"])) == ("UTCVCA00002", "UTCVCA00001")
    assert parse_cvca(b"\x42\x10" + b"DECVCAePASS00102") == ("DECVCAePASS00102",)


@pytest.mark.parametrize(
    "raw",
    [b"", bytes(36), b"\x42\x00", b"\x43" + cvca_file(["UTCVCA00001"])[1:], b"\x42\x0butCVCA00001",
     cvca_file(["UTCVCA00001"]) + b"\x42", b"\x42\x0bUTCVCA00001" * 3],
)  # fmt: skip
def test_references_that_are_refused(raw: bytes) -> None:
    with refused(LdsError, "cvca_malformed"):
        parse_cvca(raw)


@FUZZ
@given(st.one_of(damaged(cvca_file(["UTCVCA00002", "UTCVCA00001"])), st.binary(max_size=80)))
def test_reference_files_are_accepted_or_refused(raw: bytes) -> None:
    accepts_or_raises(parse_cvca, LdsError, raw)


def info(*rest: str) -> SecurityInfos:
    body = bytes.fromhex("060804007F0007020202" + "".join(rest))
    return parse_security_infos(tlv.encode(0x31, tlv.encode(0x30, body)))


def test_where_the_references_are() -> None:
    assert find_cvca(info("020101")) == CVCA
    named = find_cvca(info("020101", "30040402011C"))
    assert named == CVCA
    other = find_cvca(info("020101", "300404020220"))
    assert other is not None
    assert (other.identifier, other.max_length) == (0x0220, 36)
    assert find_cvca(info("020102")) is None  # version 2 is for identity cards
    assert find_cvca(SecurityInfos()) is None


def test_the_identifier_of_a_chip_after_bac() -> None:
    assert document_identifier("L898902C<369080619406236") == b"L898902C<3"
