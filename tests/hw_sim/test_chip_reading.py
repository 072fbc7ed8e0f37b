"""The issued passport, read from the simulated chip and verified by the gate's own code: genuine, forged."""

import secrets
from datetime import UTC, date, datetime

import pytest

from gated.core.checks import Check, Result, overall
from gated.document import mrz
from gated.document.access import Password
from gated.document.errors import (
    AccessError,
    DocumentError,
    LdsError,
    MessagingError,
    ReadingError,
    TrustError,
)
from gated.document.lds import face_image, parse_com, parse_dg1
from gated.document.reading import ChipFiles, drive, read_passport
from gated.document.reading.terminal import MAX_EXCHANGES
from gated.document.trust.passive import TrustStore
from gated.document.verification import verify
from hw_sim.passport import issuer, lds
from hw_sim.passport.chip import Behaviour, Chip, NoAnswer
from hw_sim.passport.issuer import Authority, PaceProfile, Passport, Protocols, Suite, issue
from tests.document.chips import carrying
from tests.holder import ANNA
from tests.hw_sim.terminal import PHOTOGRAPH, TODAY, UTOPIA, passport

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
JPEG = b"\xff\xd8\xff\xe0" + PHOTOGRAPH[2:]
GENUINE = passport(issuer.PACE_AND_BAC, JPEG)
STORE = TrustStore.load([UTOPIA.master_list()], [], [UTOPIA.anchor])


def page(document: Passport) -> mrz.Mrz:
    return mrz.parse("\r\n".join(document.lines).encode())


def read(document: Passport, chip: Chip | None = None, max_response: int = 256) -> ChipFiles:
    chip = chip or Chip(document)
    reader = read_passport(
        Password.of_mrz(page(document)),
        random=secrets.token_bytes,
        limits=carrying(max_response),
        historical=chip.atr[4:-1],
    )
    return drive(reader, chip.command)


def checks(document: Passport, store: TrustStore = STORE) -> dict[str, Check]:
    return {check.name: check for check in verify(read(document), page(document), store, NOW)}


def failures(document: Passport, store: TrustStore = STORE) -> dict[str, str]:
    found = checks(document, store)
    good = {Result.SUCCESSFUL, Result.NOT_SUPPORTED}
    return {name: check.reason for name, check in found.items() if check.result not in good}


# --- genuine ---------------------------------------------------------------------------------------


def _is_whole(files: ChipFiles, document: Passport) -> bool:
    read_files = (files["com"], files["sod"], files["dg1"], files["dg2"])
    wanted = (lds.COM, lds.SOD, lds.DG1, lds.DG2)
    return [item.reveal() for item in read_files] == [document.files[fid] for fid in wanted]


def test_the_store_takes_the_master_list_without_a_refusal() -> None:
    assert STORE.refused == ()
    assert {root.der for root in STORE.roots} == {UTOPIA.anchor}


@pytest.mark.parametrize("domain", [12, 13, 16])
@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize("max_response", [256, 65536])
def test_pace_reads_all_files(suite: Suite, domain: int, max_response: int) -> None:
    document = passport(Protocols(bac=False, pace=(PaceProfile(suite=suite, domain=domain),)), JPEG)
    files = read(document, max_response=max_response)
    assert files.access == f"PACE-ECDH-GM-{suite.value}"
    assert _is_whole(files, document)


@pytest.mark.parametrize("max_response", [256, 1000, 65536])
def test_bac_reads_all_files(max_response: int) -> None:
    document = passport(issuer.BAC_ONLY, JPEG)
    chip = Chip(document)
    files = read(document, chip, max_response)
    assert (files.access, files.access_reason, chip.access) == ("BAC", "no_card_access", "bac")
    assert _is_whole(files, document)


def test_pace_is_taken_where_both_are_offered() -> None:
    chip = Chip(GENUINE)
    assert read(GENUINE, chip).access == "PACE-ECDH-GM-AES-128"
    assert chip.access == "pace"


def test_the_strongest_of_several_offers_is_taken() -> None:
    profiles = tuple(
        PaceProfile(suite=suite, domain=domain)
        for suite, domain in ((Suite.TDES, 12), (Suite.AES_256, 13), (Suite.AES_256, 16), (Suite.AES_128, 18))
    )
    document = passport(Protocols(pace=profiles))
    assert read(document).access == "PACE-ECDH-GM-AES-256"


def test_all_checks_of_a_genuine_passport_are_good() -> None:
    found = checks(GENUINE)
    assert overall(tuple(found.values())) is Result.SUCCESSFUL, found


@pytest.mark.parametrize("curve", ["secp256r1", "secp384r1", "brainpoolP256r1", "brainpoolP384r1"])
@pytest.mark.parametrize("explicit", [False, True])
def test_every_kind_of_csca_leads_to_trust(curve: str, explicit: bool) -> None:  # noqa: FBT001 - a parameter
    state = Authority.establish("kind", today=TODAY, curve=curve, explicit=explicit)  # type: ignore[arg-type]  # one of its words, by parameter
    store = TrustStore.load([state.master_list()], [], [state.anchor])
    assert failures(issue(state, ANNA, JPEG), store) == {}


@pytest.mark.parametrize("by_key_id", [False, True])
@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384", "sha512"])
def test_every_kind_of_sod_leads_to_trust(digest: str, by_key_id: bool) -> None:  # noqa: FBT001 - a parameter
    document = issue(UTOPIA, ANNA, JPEG, digest=digest, by_key_id=by_key_id)  # type: ignore[arg-type]  # one of its words, by parameter
    assert failures(document) == {}


def test_a_document_signer_with_rsa_pss_leads_to_trust() -> None:
    state = Authority.establish("pss", today=TODAY, scheme="rsa-pss")
    store = TrustStore.load([], [state.anchor], [])
    assert failures(issue(state, ANNA, JPEG), store) == {}


def test_a_master_list_may_hold_other_states() -> None:
    other = Authority.establish("other", today=TODAY, state="D", country="DE", curve="secp384r1")
    store = TrustStore.load([UTOPIA.master_list(other)], [], [UTOPIA.anchor])
    assert len(store) == 2
    assert failures(issue(other, ANNA, JPEG), store) == {}
    assert failures(GENUINE, store) == {}


def test_what_was_issued_reads_back() -> None:
    files = read(GENUINE)
    zone = parse_dg1(files["dg1"].reveal())
    assert (zone.surname, zone.given_names, zone.issuer) == ("ERIKSSON", "ANNA MARIA", "UTO")
    assert parse_com(files["com"].reveal()).tags == (0x61, 0x75, 0x6E)
    portrait = face_image(files["dg2"].reveal())
    assert (portrait.format, portrait.image.reveal()) == ("jpeg", JPEG)


# --- forged ----------------------------------------------------------------------------------------


def test_a_changed_dg1_fails_by_its_hash_alone() -> None:
    forged = issuer.with_another_birth_date(GENUINE, date(1999, 1, 2))
    assert failures(forged) == {"dg_hashes": "dg1_hash_wrong"}


def test_a_changed_face_fails_by_its_hash_alone() -> None:
    forged = issuer.with_another_face(GENUINE, JPEG[:5000])
    assert failures(forged) == {"dg_hashes": "dg2_hash_wrong"}


def test_an_authority_that_nobody_listed_is_unknown() -> None:
    rogue = Authority.establish("rogue", today=TODAY)
    found = failures(issue(rogue, ANNA, JPEG))
    # Its CSCA bears the same name as the true one but for the serial number.
    assert found["csca"] == "csca_unknown"
    assert set(found) == {"csca", "issuing_state", "revocation", "signer_document_type", "validity"}


def test_another_states_signer_does_not_speak_for_utopia() -> None:
    other = Authority.establish("other", today=TODAY, state="UTO", country="DE", curve="secp384r1")
    store = TrustStore.load([UTOPIA.master_list(other)], [], [UTOPIA.anchor])
    assert failures(issue(other, ANNA, JPEG), store) == {"issuing_state": "issuing_state_differs"}


def test_a_master_list_of_a_rogue_authority_is_refused() -> None:
    rogue = Authority.establish("rogue", today=TODAY)
    with pytest.raises(TrustError) as refusal:
        TrustStore.load([rogue.master_list()], [], [UTOPIA.anchor])
    assert refusal.value.code == "master_list_not_anchored"


def test_a_page_of_another_document_does_not_match_its_chip() -> None:
    forged = issuer.with_another_page(GENUINE, "X1234567")
    assert failures(forged) == {"mrz_matches_chip": "document_number_differs"}


@pytest.mark.parametrize("kept", [0.01, 0.5, 0.99])
def test_a_cut_sod_is_noticed(kept: float) -> None:
    with pytest.raises(ReadingError, match="sod_truncated"):
        read(issuer.with_cut_sod(GENUINE, kept))


@pytest.mark.parametrize(("fid", "code"), [(lds.SOD, "sod"), (lds.DG1, "dg1"), (lds.DG2, "dg2")])
def test_a_missing_file_is_named(fid: int, code: str) -> None:
    with pytest.raises(ReadingError, match=f"{code}_missing"):
        read(issuer.with_file(GENUINE, fid, None))


def test_what_is_not_an_image_is_found_before_a_decoder_sees_it() -> None:
    document = issue(UTOPIA, ANNA, issuer.NOT_AN_IMAGE)
    assert failures(document) == {}
    with pytest.raises(LdsError, match="dg2_not_an_image"):
        face_image(read(document)["dg2"].reveal())


def test_a_broken_jpeg_passes_all_but_the_decoder() -> None:
    document = issue(UTOPIA, ANNA, issuer.BROKEN_JPEG)
    assert failures(document) == {}
    assert face_image(read(document)["dg2"].reveal()).format == "jpeg"


# --- chips of the field ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(max_read=160),
        Behaviour(max_read=16),
        Behaviour(refuses_le_on_select=True),
        Behaviour(extended_lengths=False),
        Behaviour(beyond_end="corrected_le"),
        Behaviour(beyond_end="wrong_length"),
        Behaviour(max_read=160, refuses_le_on_select=True, extended_lengths=False, beyond_end="wrong_length"),
    ],
)
@pytest.mark.parametrize("max_response", [256, 65536])
@pytest.mark.parametrize("protocols", [issuer.BAC_ONLY, issuer.PACE_ONLY])
def test_odd_chips_are_read(behaviour: Behaviour, max_response: int, protocols: Protocols) -> None:
    photograph = JPEG[:2000] if behaviour.max_read == 16 else JPEG
    document = passport(protocols, photograph)
    assert _is_whole(read(document, Chip(document, behaviour), max_response), document)


@pytest.mark.parametrize("fid", [lds.SOD, lds.DG1, lds.DG2])
def test_a_file_that_declares_4_gb_is_refused_at_its_head(fid: int) -> None:
    chip = Chip(GENUINE, Behaviour(endless_file=fid))
    asked: list[bytes] = []

    def transceive(apdu: bytes) -> bytes:
        asked.append(apdu)
        return chip.command(apdu)

    reader = read_passport(Password.of_mrz(page(GENUINE)), random=secrets.token_bytes)
    with pytest.raises(ReadingError, match="_too_long"):
        drive(reader, transceive)
    assert len(asked) < 300


def test_an_endless_card_access_is_refused_too() -> None:
    with pytest.raises(ReadingError, match="card_access_too_long"):
        read(GENUINE, Chip(GENUINE, Behaviour(endless_file=lds.CARD_ACCESS)))


def test_garbage_macs_end_the_reading() -> None:
    with pytest.raises(MessagingError, match="messaging_mac_wrong"):
        read(GENUINE, Chip(GENUINE, Behaviour(distorts="wrong_mac")))


@pytest.mark.parametrize("protocols", [issuer.BAC_ONLY, issuer.PACE_ONLY])
def test_the_wrong_page_does_not_open_the_chip(protocols: Protocols) -> None:
    document = passport(protocols)
    with pytest.raises(AccessError, match="access_denied"):
        read(issuer.with_another_page(document, "X1234567"), Chip(document))


def test_a_tag_lost_at_any_command_ends_the_reading_and_a_second_attempt_succeeds() -> None:
    document = passport(issuer.PACE_AND_BAC, JPEG[:600])
    counted: list[bytes] = []
    chip = Chip(document)

    def count(apdu: bytes) -> bytes:
        counted.append(apdu)
        return chip.command(apdu)

    drive(read_passport(Password.of_mrz(page(document)), random=secrets.token_bytes), count)
    for nth in range(1, len(counted) + 1):
        lost = Chip(document, Behaviour(lost_at=nth))
        with pytest.raises(NoAnswer):
            read(document, lost)
        lost.reset()
        assert _is_whole(read(document, lost), document)


def test_a_chip_of_chance_never_gets_past_a_document_error() -> None:
    """Every answer after access has one bit flipped; whatever it hits, only DocumentError comes out."""
    document = passport(issuer.PACE_AND_BAC, JPEG[:600])
    for flip in range(152):
        chip = Chip(document)
        seen = 0

        def transceive(apdu: bytes, chip: Chip = chip, flip: int = flip) -> bytes:
            nonlocal seen
            response = bytearray(chip.command(apdu))
            seen += 1
            if seen == flip % 19 + 1:
                response[flip * 7 % len(response)] ^= 1 << flip % 8
            return bytes(response)

        reader = read_passport(Password.of_mrz(page(document)), random=secrets.token_bytes)
        try:
            files = drive(reader, transceive)
        except DocumentError:
            continue
        assert _is_whole(files, document)


def test_the_host_reads_a_file_in_few_exchanges() -> None:
    exchanges = 0
    chip = Chip(GENUINE)

    def count(apdu: bytes) -> bytes:
        nonlocal exchanges
        exchanges += 1
        return chip.command(apdu)

    reader = read_passport(Password.of_mrz(page(GENUINE)), random=secrets.token_bytes, limits=carrying(65536))
    drive(reader, count)
    assert exchanges < 25
    assert exchanges < MAX_EXCHANGES
