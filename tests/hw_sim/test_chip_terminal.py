"""Terminal authentication of the simulated chip: from access over chip authentication to the fingers."""

import secrets
from collections.abc import Callable
from datetime import date

import pytest

from gated.document import access, tlv
from gated.document.access.security_infos import parse_security_infos
from gated.document.apdu import Command
from gated.document.errors import AccessError
from gated.document.genuine.chip_authentication import chip_authentication, choose_chip_authentication
from gated.document.genuine.credentials import Chain, Credentials
from gated.document.genuine.terminal_authentication import (
    document_identifier,
    parse_cvca,
    terminal_authentication,
)
from gated.document.keys import Suite
from gated.document.lds import parse_dg14
from gated.document.reading import drive
from hw_sim.passport import cv_pki, details, lds
from hw_sim.passport.chip import Chip
from hw_sim.passport.chip_terminal import TerminalTrust
from hw_sim.passport.cv_pki import CvPrivate
from hw_sim.passport.issuer import PaceProfile, Passport, Protocols, issue
from hw_sim.passport.protocols import ChipAuthenticationProfile
from tests.document.material import refused
from tests.holder import ANNA
from tests.hw_sim.terminal import TODAY, UTOPIA, Terminal, at, select

YEARS = (date(2025, 1, 1), date(2029, 1, 1))
ROOT = cv_pki.root("UTCVCA00001", CvPrivate("root"), YEARS)
LINK = ROOT.certify("UTCVCA00002", CvPrivate("link"), cv_pki.CVCA, YEARS, rights=3)
VERIFIER = LINK.certify("UTDVGATE00001", CvPrivate("dv"), cv_pki.DV_DOMESTIC, YEARS, rights=3)
SYSTEM = VERIFIER.certify("UTISLANE00001", CvPrivate("is"), cv_pki.INSPECTION_SYSTEM, YEARS)
CREDENTIALS = Credentials.load([one.certificate for one in (ROOT, LINK, VERIFIER, SYSTEM)])
FINGERS = details.dg3([(2, b"\xff\xa0" + bytes(300))])
IRISES = tlv.encode(0x76, b"\x7f\x61\x03\x02\x01\x00")

BY_BAC = Protocols(chip_authentication=(ChipAuthenticationProfile(suite=Suite.TDES, domain=12),))
BY_PACE = Protocols(
    bac=False,
    pace=(PaceProfile(suite=Suite.AES_128, domain=13),),
    chip_authentication=(ChipAuthenticationProfile(suite=Suite.AES_128, domain=13),),
)


def passport(protocols: Protocols) -> Passport:
    return issue(
        UTOPIA,
        ANNA,
        b"\xff\xd8",
        protocols=protocols,
        extra={lds.DG3: FINGERS, lds.DG4: IRISES},
        terminal_authentication=TerminalTrust(roots=(ROOT.certificate,), today=date(2025, 6, 1)),
    )


class Lane:
    """One reading of one chip, step by step."""

    def __init__(self, document: Passport, chip: Chip | None = None) -> None:
        self.terminal: Terminal = at(document, chip)
        self._document = document
        self.identifier = self.compressed = b""

    def enter(self) -> "Lane":
        """BAC where the chip has it, else PACE; the application is selected."""
        if self._document.protocols.bac:
            self.terminal.enter_bac()
            self.identifier = document_identifier(self._document.access_key)
            return self
        choice = access.parse_card_access(self.terminal.raw("00B09C0000")[:-2]).choose()
        assert choice is not None
        opened = drive(access.pace(choice, self.terminal.password, secrets.token_bytes), self.terminal.raw)
        self.terminal.channel, self.identifier = opened.channel, opened.chip_key
        self.terminal.select_application()
        return self

    def authenticate_chip(self) -> "Lane":
        choice = choose_chip_authentication(parse_security_infos(parse_dg14(self.read(lds.DG14))))
        assert choice is not None
        restarted = drive(chip_authentication(choice, secrets.token_bytes), self.terminal.send)
        self.terminal.channel, self.compressed = restarted.channel, restarted.terminal_key
        return self

    def authenticate(self, sign: Callable[[bytes], bytes] = SYSTEM.private.sign) -> "Lane":
        protocol = terminal_authentication(
            self.chain(), sign, identifier=self.identifier, compressed=self.compressed
        )
        drive(protocol, self.terminal.send)
        return self

    def chain(self) -> Chain:
        return CREDENTIALS.chain_for(self.references(), TODAY)

    def references(self) -> tuple[str, ...]:
        return parse_cvca(self.read(0x011C))

    def status(self, fid: int) -> int:
        """Of SELECT."""
        return self.terminal.send(select(fid & 0xFFFF)).status

    def read(self, fid: int) -> bytes:
        assert self.status(fid) == 0x9000
        content = b""
        while True:
            answer = self.terminal.send(Command(0x00, 0xB0, len(content) >> 8, len(content) & 0xFF, b"", 200))
            content += answer.body
            if answer.status != 0x9000 or len(answer.body) < 200:
                return content


@pytest.mark.parametrize("protocols", [BY_BAC, BY_PACE], ids=["bac", "pace"])
def test_fingers_open_and_irises_stay_closed_as_the_chain_says(protocols: Protocols) -> None:
    lane = Lane(passport(protocols)).enter()
    assert (lane.status(lds.DG3), lane.status(lds.DG4)) == (0x6982, 0x6982)
    lane.authenticate_chip()
    assert lane.status(lds.DG3) == 0x6982
    lane.authenticate()
    assert lane.read(lds.DG3) == FINGERS
    assert lane.status(lds.DG4) == 0x6982
    assert (
        lane.terminal.send(Command(0x00, 0xB0, 0x84, 0x00, b"", 6)).status == 0x6982
    )  # nor by short identifier


def test_without_chip_authentication_nothing_can_be_proven() -> None:
    lane = Lane(passport(BY_PACE)).enter()
    assert lane.terminal.send(Command(0x00, 0x84, 0x00, 0x00, b"", 8)).status == 0x6985
    with refused(AccessError, "ta_certificate_refused"):
        lane.authenticate()


def test_a_session_that_ends_takes_the_right_with_it_but_not_what_the_chip_learned() -> None:
    document = passport(BY_BAC)
    chip = Chip(document)
    lane = Lane(document, chip).enter().authenticate_chip().authenticate()
    assert lane.references() == ("UTCVCA00002", "UTCVCA00001")
    assert lane.read(lds.DG3) == FINGERS
    chip.reset()
    again = Lane(document, chip).enter()
    assert again.status(lds.DG3) == 0x6982
    assert again.references() == ("UTCVCA00002", "UTCVCA00001")
    again.authenticate_chip().authenticate()
    assert len(again.chain().certificates) == 2
    assert again.read(lds.DG3) == FINGERS


def test_a_signature_over_another_channel_is_denied() -> None:
    lane = Lane(passport(BY_PACE)).enter().authenticate_chip()
    lane.compressed = secrets.token_bytes(32)
    with refused(AccessError, "ta_denied"):
        lane.authenticate()
    assert lane.status(lds.DG3) == 0x6982


def test_a_challenge_serves_once() -> None:
    lane = Lane(passport(BY_PACE)).enter().authenticate_chip()
    send = lane.terminal.send
    for certificate in lane.chain().certificates:
        assert send(Command(0, 0x22, 0x81, 0xB6, tlv.encode(0x83, certificate.issuer.encode()))).ok
        assert send(Command(0, 0x2A, 0x00, 0xBE, certificate.content)).ok
    assert send(Command(0, 0x22, 0x81, 0xA4, tlv.encode(0x83, b"UTISLANE00001"))).ok
    challenge = send(Command(0, 0x84, 0, 0, b"", 8)).body
    assert len(challenge) == 8
    good = SYSTEM.private.sign(lane.identifier + challenge + lane.compressed)
    assert send(Command(0, 0x82, 0, 0, good[::-1])).status == 0x6300
    assert send(Command(0, 0x82, 0, 0, good)).status == 0x6985
    assert lane.status(lds.DG3) == 0x6982


def test_once_in_a_session() -> None:
    lane = Lane(passport(BY_PACE)).enter().authenticate_chip().authenticate()
    with pytest.raises(AccessError) as refusal:
        lane.authenticate()
    assert (refusal.value.code, refusal.value.status) == ("ta_denied", 0x6982)
    assert lane.read(lds.DG3) == FINGERS


def test_a_verifier_is_no_terminal() -> None:
    lane = Lane(passport(BY_PACE)).enter().authenticate_chip()
    send = lane.terminal.send
    for certificate in lane.chain().certificates[:-1]:
        assert send(Command(0, 0x22, 0x81, 0xB6, tlv.encode(0x83, certificate.issuer.encode()))).ok
        assert send(Command(0, 0x2A, 0x00, 0xBE, certificate.content)).ok
    assert send(Command(0, 0x22, 0x81, 0xA4, tlv.encode(0x83, b"UTDVGATE00001"))).ok
    challenge = send(Command(0, 0x84, 0, 0, b"", 8)).body
    signed = VERIFIER.private.sign(lane.identifier + challenge + lane.compressed)
    assert send(Command(0, 0x82, 0, 0, signed)).status == 0x6985


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (Command(0, 0x2A, 0x00, 0xBE, b"\x7f\x4e\x00"), 0x6985),  # no key chosen
        (Command(0, 0x22, 0x81, 0xB6, b"\x83\x00"), 0x6A88),
        (Command(0, 0x22, 0x81, 0xB6, b"\x84\x00"), 0x6A80),
        (Command(0, 0x22, 0x81, 0xA4, b"\x83\x0bUTCVCA00009"), 0x6A88),
        (Command(0, 0x84, 0x01, 0x00, b"", 8), 0x6A86),
        (Command(0, 0x84, 0x00, 0x00, b"", 7), 0x6700),
        (Command(0, 0x82, 0x00, 0x00, bytes(64)), 0x6985),
    ],
)
def test_malformed_commands_and_wrong_order(command: Command, status: int) -> None:
    assert Lane(passport(BY_PACE)).enter().authenticate_chip().terminal.send(command).status == status


def test_certificates_that_the_chip_refuses() -> None:
    lane = Lane(passport(BY_PACE)).enter().authenticate_chip()
    chosen = Command(0, 0x22, 0x81, 0xB6, b"\x83\x0bUTCVCA00001")
    content = tlv.parse_one(LINK.certificate, 0x7F21).value
    for body, status in ((content[:-1], 0x6A80), (content[:-1] + b"\x00", 0x6300), (b"", 0x6A80)):
        assert lane.terminal.send(chosen).ok
        assert lane.terminal.send(Command(0, 0x2A, 0x00, 0xBE, body)).status == status
    assert lane.terminal.send(chosen).ok
    assert lane.terminal.send(Command(0, 0x2A, 0x00, 0xBF, content)).status == 0x6A86


def test_what_dg14_announces() -> None:
    assert bytes.fromhex("300D060804007F0007020202020101") in passport(BY_PACE).files[lds.DG14]
