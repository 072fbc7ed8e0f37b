"""Doc 9303-11 appendix D.3 (BAC) and G.1 (PACE with ECDH and generic mapping), replayed byte by byte."""

from collections.abc import Generator
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.document.access import Opened, Password, PasswordKind, bac, pace
from gated.document.access.card_access import PACE_OID, CardAccess, PaceChoice, PaceOffer, parse_card_access
from gated.document.apdu import Command
from gated.document.errors import AccessError
from gated.document.keys import Suite
from gated.document.messaging import SecureChannel, SessionKeys
from gated.document.mrz import parse
from tests.document.material import FUZZ, accepts_or_raises, damaged, refused

T = TypeVar("T")
HEX = bytes.fromhex
Transcript = list[tuple[str, str]]

PACE_PASSWORD = Password(PasswordKind.MRZ, "T22000129364081251010318")
CARD_ACCESS = HEX("31143012060A04007F0007020204020202010202010D")
MAPPING_KEY = HEX("7F4EF07B9EA82FD78AD689B38D0BC78CF21F249D953BC46F4C6E19259C010F99")
EPHEMERAL_KEY = HEX("A73FB703AC1436A18E0CFA5ABB3F7BEC7A070E7A6788486BEE230C4A22762595")
OWN_MAPPING_POINT = (
    "047ACF3EFC982EC45565A4B155129EFBC74650DCBFA6362D896FC70262E0C2CC5E"
    "544552DCB6725218799115B55C9BAA6D9F6BC3A9618E70C25AF71777A9C4922D"
)
CHIP_MAPPING_POINT = (
    "04824FBA91C9CBE26BEF53A0EBE7342A3BF178CEA9F45DE0B70AA601651FBA3F57"
    "30D8C879AAA9C9F73991E61B58F4D52EB87A0A0C709A49DC63719363CCD13C54"
)
OWN_POINT = (
    "042DB7A64C0355044EC9DF190514C625CBA2CEA48754887122F3A5EF0D5EDD301C"
    "3556F3B3B186DF10B857B58F6A7EB80F20BA5DC7BE1D43D9BF850149FBB36462"
)
CHIP_POINT = (
    "049E880F842905B8B3181F7AF7CAA9F0EFB743847F44A306D2D28C1D9EC65DF6DB"
    "7764B22277A2EDDC3C265A9F018F9CB852E111B768B326904B59A0193776F094"
)
PACE: Transcript = [
    ("0022C1A40F800A04007F00070202040202830101", "9000"),
    ("10860000027C0000", "7C12801095A3A016522EE98D01E76CB6B98B42C39000"),
    (f"10860000457C438141{OWN_MAPPING_POINT}00", f"7C438241{CHIP_MAPPING_POINT}9000"),
    (f"10860000457C438341{OWN_POINT}00", f"7C438441{CHIP_POINT}9000"),
    ("008600000C7C0A8508C2B0BD78D94BA86600", "7C0A86083ABB9674BCE93C089000"),
]

BAC_PASSWORD = Password(PasswordKind.MRZ, "L898902C<369080619406236")
BAC_DRAWS = (HEX("781723860C06C226"), HEX("0B795240CB7049B01C19B33E32804F0B"))
BAC: Transcript = [
    ("0084000008", "4608F919887022129000"),
    (
        "008200002872C29C2371CC9BDB65B779B8E8D37B29ECC154AA56A8799FAE2F498F76ED92F25F1448EEA8AD90A728",
        "46B9342A41396CD7386BF5803104D7CEDC122B9132139BAF2EEDC94EE178534F2F2D235D074D74499000",
    ),
]


def replay(protocol: Generator[bytes, bytes, T], transcript: Transcript) -> T:
    """Expect each command, answer it; return what the protocol returns at the end."""
    command = next(protocol)
    try:
        for expected, answer in transcript:
            assert command.hex().upper() == expected
            command = protocol.send(HEX(answer))
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("the protocol asks for more")


def draws(*values: bytes) -> "_Draws":
    return _Draws(list(values))


class _Draws:
    """The chance of a worked example."""

    def __init__(self, values: list[bytes]) -> None:
        self._values = values

    def __call__(self, size: int) -> bytes:
        value = self._values.pop(0)
        assert len(value) == size
        return value


def worked_choice() -> PaceChoice:
    choice = parse_card_access(CARD_ACCESS).choose()
    assert choice is not None
    return choice


def worked_pace(choice: PaceChoice | None = None) -> Generator[bytes, bytes, Opened]:
    return pace(choice or worked_choice(), PACE_PASSWORD, draws(MAPPING_KEY, EPHEMERAL_KEY))


def changed(transcript: Transcript, step: int, answer: str) -> Transcript:
    return [*transcript[:step], (transcript[step][0], answer)]


def test_the_worked_example_of_pace() -> None:
    channel = replay(worked_pace(), PACE).channel
    same = SecureChannel(
        SessionKeys(
            Suite.AES_128, HEX("F5F0E35C0D7161EE6724EE513A0D9A7F"), HEX("FE251C7858B356B24514B3BD5F4297D1")
        )
    )
    select = Command(0x00, 0xA4, 0x02, 0x0C, HEX("011E"))
    assert channel.protect(select) == same.protect(select)


def test_the_worked_example_of_bac() -> None:
    channel = replay(bac(BAC_PASSWORD, draws(*BAC_DRAWS)), BAC)
    command = channel.protect(Command(0x00, 0xA4, 0x02, 0x0C, HEX("011E")))
    assert command.encode() == HEX("0CA4020C158709016375432908C044F68E08BF8B92D635FF24F800")


@pytest.mark.parametrize(
    ("step", "answer", "code"),
    [
        (0, "6A80", "pace_refused"),
        (1, "6985", "pace_refused"),
        (1, "7C0280009000", "pace_malformed"),
        (1, "7C12801195A3A016522EE98D01E76CB6B98B42C39000", "pace_malformed"),
        (1, "7C03800100" + "9000", "pace_malformed"),
        (1, "7C009000", "pace_malformed"),
        (1, "9000", "pace_malformed"),
        (1, "90", "pace_malformed"),
        (2, f"7C438241{OWN_MAPPING_POINT}9000", "pace_echoed_key"),
        (2, f"7C438241{CHIP_MAPPING_POINT[:-2]}559000", "pace_point"),
        (2, "7C0382010" + "09000", "pace_point"),  # infinity
        (3, f"7C438441{OWN_POINT}9000", "pace_echoed_key"),
        (3, f"7C438241{CHIP_POINT}9000", "pace_malformed"),
        (4, "6300", "access_denied"),
        (4, "6982", "access_denied"),
        (4, "7C0A86083ABB9674BCE93C099000", "pace_token_wrong"),
        (4, "7C0886063ABB9674BCE99000", "pace_token_wrong"),
        (4, "7C0A8608C2B0BD78D94BA8669000", "pace_token_wrong"),  # the terminal's own token
    ],
)
def test_a_chip_that_does_pace_wrongly(step: int, answer: str, code: str) -> None:
    with refused(AccessError, code):
        replay(worked_pace(), changed(PACE, step, answer))


@pytest.mark.parametrize(
    ("step", "answer", "code"),
    [
        (0, "6982", "bac_refused"),
        (0, "4608F9198870229000", "bac_refused"),
        (0, "00", "bac_malformed"),
        (1, "6300", "access_denied"),
        (1, BAC[1][1][2:], "bac_token_wrong"),
        (1, "47" + BAC[1][1][2:], "bac_token_wrong"),
        (1, "9000", "bac_token_wrong"),
    ],
)
def test_a_chip_that_does_bac_wrongly(step: int, answer: str, code: str) -> None:
    with refused(AccessError, code):
        replay(bac(BAC_PASSWORD, draws(*BAC_DRAWS)), changed(BAC, step, answer))


def test_a_bac_answer_to_another_challenge() -> None:
    """The MAC is good, but the nonces inside are not those of this run: a replayed answer."""
    other = bac(BAC_PASSWORD, draws(HEX("0000000000000001"), BAC_DRAWS[1]))
    next(other)
    other.send(HEX("4608F919887022129000"))
    with refused(AccessError, "bac_token_wrong"):
        other.send(HEX(BAC[1][1]))


def test_ambiguous_parameters_are_named() -> None:
    command = next(worked_pace(replace(worked_choice(), ambiguous=True)))
    assert command == HEX("0022C1A412800A04007F0007020204020283010184010D")


def test_the_access_number_is_a_password_of_its_own() -> None:
    command = next(pace(worked_choice(), Password.of_can("500540"), draws()))
    assert command == HEX("0022C1A40F800A04007F00070202040202830102")
    with refused(AccessError, "bac_needs_mrz"):
        next(bac(Password.of_can("500540"), draws()))


@pytest.mark.parametrize("number", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦"])
def test_access_numbers_have_six_digits(number: str) -> None:
    with refused(AccessError, "can_malformed"):
        Password.of_can(number)


def test_passwords_are_masked() -> None:
    zone = parse(
        b"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
    )
    assert Password.of_mrz(zone).text == "L898902C3674081221204159"
    assert repr(Password.of_mrz(zone)) == "Password(MRZ)"


# --- EF.CardAccess ---------------------------------------------------------------------------------


def offer(mapping: int, suite: int, parameters: int | None = 13, version: int = 2) -> PaceOffer:
    return PaceOffer(bytes([mapping, suite]), version, parameters)


def test_the_worked_offer() -> None:
    choice = worked_choice()
    assert choice.offer.name == "PACE-ECDH-GM-AES-128"
    assert choice.offer.oid == PACE_OID + b"\x02\x02"
    assert (choice.suite, choice.curve.name, choice.ambiguous) == (Suite.AES_128, "brainpoolP256r1", False)


@pytest.mark.parametrize(
    "unsupported",
    [offer(1, 2, 0), offer(3, 2, 0), offer(4, 2), offer(6, 2), offer(2, 2, None), offer(2, 2, 19),
     offer(2, 2, 13, 1), offer(9, 2), offer(2, 9), PaceOffer(b"\x02\x02\x01", 2, 13)],
)  # fmt: skip
def test_offers_that_this_terminal_does_not_speak(unsupported: PaceOffer) -> None:
    assert CardAccess((unsupported,)).choose() is None
    assert unsupported.name.startswith("PACE-")
    best = CardAccess((unsupported, offer(2, 1, 12))).choose()
    assert best is not None
    assert best.offer.name == "PACE-ECDH-GM-3DES"


def test_the_strongest_offer_is_chosen() -> None:
    offers = (offer(2, 1, 17), offer(2, 4, 12), offer(2, 4, 13), offer(2, 2, 17), offer(2, 4, 16))
    choice = CardAccess(offers).choose()
    assert choice is not None
    assert (choice.suite, choice.curve.name, choice.ambiguous) == (Suite.AES_256, "brainpoolP384r1", True)


def test_other_security_infos_are_passed_over() -> None:
    chip_authentication = "3012060A04007F00070202030202020102020101"
    domain_parameters = "300F060904007F00070202040230020500"
    infos = HEX(chip_authentication + domain_parameters) + CARD_ACCESS[2:]
    parsed = parse_card_access(b"\x31" + bytes([len(infos)]) + infos)
    assert parsed == parse_card_access(CARD_ACCESS)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "3000",
        "31023000",
        "31043002" + "0201",
        "3110300E060A04007F00070202040202" + "0500",
        "3113301106" + "0A04007F00070202040202" + "0200" + "0101",
        "310E300C060A04007F00070202040202",
        "31153013060A04007F000702020402020201020202010D",
    ],
)
def test_card_access_that_is_none(raw: str) -> None:
    with refused(AccessError, "card_access_malformed"):
        parse_card_access(HEX(raw))


@FUZZ
@given(damaged(CARD_ACCESS))
def test_card_access_accepts_or_raises_one_error(raw: bytes) -> None:
    accepts_or_raises(parse_card_access, AccessError, raw)


@FUZZ
@given(st.lists(st.binary(max_size=80), min_size=5, max_size=5), st.integers(0, 5))
def test_protocols_raise_one_error(answers: list[bytes], good: int) -> None:
    """Right answers up to a point, noise from there on."""
    for transcript, run in ((PACE, worked_pace()), (BAC, bac(BAC_PASSWORD, draws(*BAC_DRAWS)))):
        replies = [HEX(answer) for _, answer in transcript][:good] + answers[good:]
        try:
            next(run)
            for reply in replies[: len(transcript)]:
                run.send(reply)
            ended = "asks for more"
        except AccessError:
            ended = "refused"
        except StopIteration:
            ended = "granted"
        assert ended == ("granted" if good >= len(transcript) else "refused")
