"""BAC by Doc 9303-11 appendix D.3, passwords, and chips that do BAC and PACE wrongly."""

from collections.abc import Generator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.document import tlv
from gated.document.access import Opened, Password, PasswordKind, bac, pace
from gated.document.access.card_access import CardAccess, PaceChoice, parse_card_access
from gated.document.access.security_infos import PaceInfo, SecurityInfos
from gated.document.apdu import Command, parse_command
from gated.document.errors import AccessError
from gated.document.mrz import parse
from tests.document.exchanges import draws, replay
from tests.document.material import FUZZ, damaged, refused
from tests.document.worked_examples import G1, G2, H1, H2, PACE_EXAMPLES, ZONE_G, Example

HEX = bytes.fromhex
Transcript = tuple[tuple[bytes, bytes], ...]

PACE_PASSWORD = Password(PasswordKind.MRZ, ZONE_G)
CARD_ACCESS = G1.card_access
PACE = G1.transcript
OWN_MAPPING_POINT, OWN_POINT = (PACE[step][0][9:-1].hex() for step in (2, 3))
CHIP_MAPPING_POINT, CHIP_POINT = (PACE[step][1][4:-2].hex() for step in (2, 3))

BAC_PASSWORD = Password(PasswordKind.MRZ, "L898902C<369080619406236")
BAC_DRAWS = (HEX("781723860C06C226"), HEX("0B795240CB7049B01C19B33E32804F0B"))
BAC: Transcript = (
    (HEX("0084000008"), HEX("4608F919887022129000")),
    (
        HEX("0082000028")
        + HEX("72C29C2371CC9BDB65B779B8E8D37B29ECC154AA56A8799FAE2F498F76ED92F25F1448EEA8AD90A728"),
        HEX("46B9342A41396CD7386BF5803104D7CEDC122B9132139BAF2EEDC94EE178534F2F2D235D074D74499000"),
    ),
)


def worked_choice() -> PaceChoice:
    choice = parse_card_access(CARD_ACCESS).choose()
    assert choice is not None
    return choice


def worked_pace(choice: PaceChoice | None = None) -> Generator[bytes, bytes, Opened]:
    return pace(choice or worked_choice(), PACE_PASSWORD, draws(*G1.terminal_draws))


def changed(transcript: Transcript, step: int, answer: str) -> Transcript:
    return (*transcript[:step], (transcript[step][0], HEX(answer)))


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
        (1, BAC[1][1].hex()[2:], "bac_token_wrong"),
        (1, "47" + BAC[1][1].hex()[2:], "bac_token_wrong"),
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
        other.send(BAC[1][1])


def test_ambiguous_parameters_are_named() -> None:
    command = next(worked_pace(replace(worked_choice(), ambiguous=True)))
    assert command == HEX("0022C1A412800A04007F0007020204020283010184010D")


NAMED = HEX("0022C1A412800A04007F0007020204020283010184010D")


@pytest.mark.parametrize("status", ["6A87", "6A88"])
def test_a_chip_that_misses_the_name_of_its_only_parameters_is_told_it(status: str) -> None:
    """Ukrainian passports issued before July 2022 answer 6A87 to a template without it."""
    told = ((PACE[0][0], HEX(status)), (NAMED, PACE[0][1]), *PACE[1:])
    assert replay(worked_pace(), told).channel.is_open
    with refused(AccessError, "pace_refused"):
        replay(worked_pace(), ((PACE[0][0], HEX(status)), (NAMED, HEX(status))))


def test_parameters_that_were_named_are_not_named_again() -> None:
    with refused(AccessError, "pace_refused"):
        replay(worked_pace(replace(worked_choice(), ambiguous=True)), ((NAMED, HEX("6A87")),))


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


def examples_run() -> list[tuple[Transcript, Generator[bytes, bytes, object]]]:
    """BAC, and PACE in every mapping, each at its beginning and with the draws of its worked example."""
    runs: list[tuple[Transcript, Generator[bytes, bytes, object]]] = [
        (BAC, bac(BAC_PASSWORD, draws(*BAC_DRAWS)))
    ]
    for example in PACE_EXAMPLES:
        choice = parse_card_access(example.card_access).choose()
        assert choice is not None
        password = Password(PasswordKind.MRZ, example.zone)
        runs.append((example.transcript, pace(choice, password, draws(*example.terminal_draws))))
    return runs


@FUZZ
@given(st.lists(st.binary(max_size=80), min_size=5, max_size=5), st.integers(0, 5))
def test_protocols_raise_one_error(answers: list[bytes], good: int) -> None:
    """Right answers up to a point, noise from there on."""
    for transcript, run in examples_run():
        replies = [answer for _, answer in transcript][:good] + answers[good:]
        assert _ending(run, replies[: len(transcript)]) == (
            "granted" if good >= len(transcript) else "refused"
        )


@FUZZ
@given(st.data())
def test_near_misses_raise_one_error(data: st.DataObject) -> None:
    """Right answers but one, which is nearly right: cut, or with bytes exchanged or put in."""
    transcript, run = data.draw(st.sampled_from(examples_run()))
    at = data.draw(st.integers(1, len(transcript) - 1))  # the first answer of PACE has no data
    replies = [answer for _, answer in transcript]
    body, status = replies[at][:-2], replies[at][-2:]
    replies[at] = data.draw(damaged(body)) + status
    assert _ending(run, replies) in {"granted", "refused"}


def _ending(run: Generator[bytes, bytes, object], replies: list[bytes]) -> str:
    try:
        next(run)
        for reply in replies:
            run.send(reply)
    except AccessError:
        return "refused"
    except StopIteration:
        return "granted"
    return "asks for more"


@pytest.mark.parametrize(
    ("step", "answer", "code"),
    [
        (1, "7C1A8018" + "00" * 24 + "9000", "pace_malformed"),  # a nonce longer than the cipher's key
        (2, "7C03820100" + "9000", "pace_malformed"),  # integrated mapping has no data of the chip
        (2, "7C028300" + "9000", "pace_malformed"),
        (2, "6A80", "pace_refused"),
    ],
)
@pytest.mark.parametrize("example", [H1, H2], ids=lambda example: example.name)
def test_a_chip_that_maps_wrongly(example: Example, step: int, answer: str, code: str) -> None:
    choice = parse_card_access(example.card_access).choose()
    assert choice is not None
    run = pace(choice, PACE_PASSWORD, draws(*example.terminal_draws))
    with refused(AccessError, code):
        replay(run, changed(example.transcript, step, answer))


def test_a_chip_may_leave_out_the_empty_mapping_data() -> None:
    choice = parse_card_access(H1.card_access).choose()
    assert choice is not None
    answers = [*H1.transcript]
    answers[2] = (answers[2][0], HEX("7C009000"))
    opened = replay(pace(choice, PACE_PASSWORD, draws(*H1.terminal_draws)), answers)
    assert opened.mapping is None


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("01", "pace_point"),
        ("00", "pace_point"),
        ("02", "pace_point"),  # outside of the subgroup
        ("", "pace_point"),
        ("FF" * 128, "pace_point"),
        ("01" * 129, "pace_point"),
    ],
)
@pytest.mark.parametrize("step", [2, 3])
def test_a_chip_with_residues_that_are_no_keys(step: int, key: str, code: str) -> None:
    choice = parse_card_access(G2.card_access).choose()
    assert choice is not None
    answer = tlv.encode(0x7C, tlv.encode(0x80 + 2 * (step - 1), HEX(key))).hex() + "9000"
    run = pace(choice, PACE_PASSWORD, draws(*G2.terminal_draws))
    with refused(AccessError, code):
        replay(run, changed(G2.transcript, step, answer))


def test_an_echo_of_a_residue() -> None:
    choice = parse_card_access(G2.card_access).choose()
    assert choice is not None
    for step in (2, 3):
        own = G2.transcript[step][0][11:-1]
        echo = tlv.encode(0x7C, tlv.encode(0x80 + 2 * (step - 1), own)).hex() + "9000"
        run = pace(choice, PACE_PASSWORD, draws(*G2.terminal_draws))
        with refused(AccessError, "pace_echoed_key"):
            replay(run, changed(G2.transcript, step, echo))


def test_a_refusal_tells_its_status_and_what_it_counts() -> None:
    with pytest.raises(AccessError) as refusal:
        replay(worked_pace(), changed(PACE, 4, "63C2"))
    assert (refusal.value.code, refusal.value.status, refusal.value.tries_left) == (
        "access_denied",
        0x63C2,
        2,
    )
    with pytest.raises(AccessError) as refusal:
        replay(bac(BAC_PASSWORD, draws(*BAC_DRAWS)), changed(BAC, 1, "6300"))
    assert (refusal.value.status, refusal.value.tries_left) == (0x6300, None)
    assert AccessError("pace_malformed").tries_left is None


def test_references_of_certification_authorities_are_passed_over() -> None:
    """Appendix G.2 prints one in the chip's last answer, though the terminal asked for none."""
    answer = "7C1B8608917F37B5C0E6D8D1870F4445544553544356434130303030339000"
    choice = parse_card_access(G2.card_access).choose()
    assert choice is not None
    run = pace(choice, PACE_PASSWORD, draws(*G2.terminal_draws))
    assert replay(run, changed(G2.transcript, 4, answer)).mapping is None


def test_long_keys_ask_for_long_answers() -> None:
    choice = CardAccess(SecurityInfos((PaceInfo(b"\x01\x02", 2, 2),))).choose()
    assert choice is not None
    run = pace(choice, PACE_PASSWORD, lambda size: b"\x07" * size)
    next(run)
    run.send(HEX("9000"))
    command = parse_command(run.send(HEX("7C12801095A3A016522EE98D01E76CB6B98B42C39000")))
    assert (len(command.body), command.le) == (264, 65_536)


def test_what_was_opened_is_masked() -> None:
    assert repr(replay(worked_pace(), PACE)) == "Opened(AES-128)"
