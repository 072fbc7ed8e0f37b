"""Whole readings of chips that prove themselves, of copies that cannot, and what the verdicts rest on."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from gated.core.checks import Check, Result, overall
from gated.core.settings.documents import DocumentSettings
from gated.document.access import Password
from gated.document.errors import AccessError, CvError, ReadingError
from gated.document.genuine.credentials import Credentials
from gated.document.keys import Suite
from gated.document.reading import ChipFiles, TerminalKey, drive, read_passport
from gated.document.trust.store import TrustStore
from gated.document.verification import Verification, verify
from hw_sim.passport import cv_pki, details, lds
from hw_sim.passport.chip_active import ActiveProfile
from hw_sim.passport.chip_terminal import TerminalTrust
from hw_sim.passport.issuer import (
    Authority,
    PaceProfile,
    Passport,
    Protocols,
    issue,
    with_copied_chip,
    with_file,
)
from hw_sim.passport.pki_lists import Deviating
from hw_sim.passport.protocols import ChipAuthenticationProfile
from tests.document.chips import AT, PORTRAIT, STORE, TODAY, UTOPIA, Counted, Slot, carrying, zone
from tests.document.material import refused
from tests.holder import ANNA

ELLIPTIC = ChipAuthenticationProfile(suite=Suite.AES_128, domain=13)
SECOND = ChipAuthenticationProfile(suite=Suite.AES_256, domain=16, version=2)
TRIPLE_DES = ChipAuthenticationProfile(suite=Suite.TDES, domain=12)
RESIDUES = ChipAuthenticationProfile(suite=Suite.AES_128, domain=2)  # 2048 bits: beyond a short command
GENERIC = PaceProfile(suite=Suite.AES_128, domain=13)
CHIP_MAPPING = PaceProfile(suite=Suite.AES_128, domain=13, mapping="CAM")


def chip(
    *profiles: ChipAuthenticationProfile,
    pace: tuple[PaceProfile, ...] = (GENERIC,),
    bac: bool = False,
    active: ActiveProfile | None = None,
) -> Passport:
    protocols = Protocols(bac=bac, pace=pace, chip_authentication=profiles)
    return issue(UTOPIA, ANNA, PORTRAIT, protocols=protocols, active_authentication=active)


def verdicts(
    document: Passport, settings: DocumentSettings | None = None, *, max_response: int = 256
) -> tuple[dict[str, Check], str]:
    files = Slot(document).read(settings=settings, max_response=max_response)
    verification = Verification(zone(document), STORE, AT, settings=settings)
    for name in ("sod", *(it for it in files.files if it != "sod")):
        verification.take(name, files[name].reveal())
    found = verification.conclude(files)
    return {check.name: check for check in found.checks}, found.proof


def is_good(found: dict[str, Check]) -> bool:
    return overall(tuple(found.values())) is Result.SUCCESSFUL


# --- chips that prove themselves --------------------------------------------------------------------


@pytest.mark.parametrize("profile", [ELLIPTIC, SECOND, TRIPLE_DES, RESIDUES], ids=str)
@pytest.mark.parametrize("max_response", [256, 65_536])
@pytest.mark.parametrize("bac", [False, True])
def test_chip_authentication(profile: ChipAuthenticationProfile, max_response: int, *, bac: bool) -> None:
    document = chip(profile, pace=() if bac else (GENERIC,), bac=bac)
    found, proof = verdicts(document, max_response=max_response)
    assert is_good(found), found
    assert proof == "chip_authentication"
    assert found[proof] == Check(proof, Result.SUCCESSFUL)


def test_the_mapping_of_pace_proves_without_another_protocol() -> None:
    document = chip(ELLIPTIC, pace=(CHIP_MAPPING,), active=ActiveProfile())
    found, proof = verdicts(document)
    assert is_good(found), found
    assert proof == "chip_authentication_mapping"
    assert not found.keys() & {"chip_authentication", "active_authentication", "genuineness"}


@pytest.mark.parametrize(
    "profile",
    [ActiveProfile(), ActiveProfile(der=True, domain=17), ActiveProfile(rsa_bits=2048, implicit=True)],
    ids=str,
)
def test_active_authentication(profile: ActiveProfile) -> None:
    found, proof = verdicts(chip(active=profile))
    assert is_good(found), found
    assert proof == "active_authentication"


def test_all_proofs_where_they_are_wanted() -> None:
    document = chip(SECOND, pace=(CHIP_MAPPING,), active=ActiveProfile())
    found, proof = verdicts(document, DocumentSettings(all_proofs=True))
    assert is_good(found), found
    assert proof == "chip_authentication_mapping"
    assert {"chip_authentication", "active_authentication"} <= found.keys()


def test_active_authentication_follows_where_chip_authentication_is_not_offered() -> None:
    found, proof = verdicts(chip(pace=(), bac=True, active=ActiveProfile()))
    assert is_good(found), found
    assert proof == "active_authentication"


# --- copies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", [ELLIPTIC, SECOND, TRIPLE_DES], ids=str)
def test_a_copy_does_not_follow_chip_authentication(profile: ChipAuthenticationProfile) -> None:
    found, proof = verdicts(with_copied_chip(chip(profile)))
    assert (found["chip_authentication"].result, proof) == (Result.FAILED, "")
    assert found["dg_hashes"].result is Result.SUCCESSFUL  # read to the end all the same


def test_a_copy_does_not_know_the_key_of_the_mapping() -> None:
    found, proof = verdicts(with_copied_chip(chip(pace=(CHIP_MAPPING,))))
    name = "chip_authentication_mapping"
    assert (found[name], proof) == (Check(name, Result.FAILED, "mapping_mismatch"), "")


@pytest.mark.parametrize("profile", [ActiveProfile(), ActiveProfile(rsa_bits=1024)], ids=str)
def test_a_copy_cannot_sign(profile: ActiveProfile) -> None:
    found, proof = verdicts(with_copied_chip(chip(active=profile)))
    assert (found["active_authentication"].result, proof) == (Result.FAILED, "")


@pytest.mark.parametrize("file", [lds.DG14, lds.DG15])
def test_a_copy_cannot_leave_out_what_the_state_signed(file: int) -> None:
    document = with_file(chip(ELLIPTIC, active=ActiveProfile()), file, None)
    with pytest.raises(ReadingError, match="_missing"):
        Slot(document).read(settings=DocumentSettings(all_proofs=True))


def test_a_key_of_the_forgers_own_proves_nothing() -> None:
    genuine = chip(active=ActiveProfile())
    own = issue(UTOPIA, replace(ANNA, number="X00000000"), PORTRAIT, active_authentication=ActiveProfile())
    forged = replace(with_file(genuine, lds.DG15, own.files[lds.DG15]), active=own.active)
    found, proof = verdicts(forged)
    assert found["dg_hashes"].reason == "dg15_hash_wrong"
    undetermined = Check("active_authentication", Result.UNDETERMINED, "key_not_authenticated")
    assert (found["active_authentication"], proof) == (undetermined, "")


def test_a_state_that_nobody_trusts_proves_nothing() -> None:
    document = chip(ELLIPTIC)
    files = Slot(document).read()
    other = Authority.establish("other", today=TODAY)
    checks = verify(files, zone(document), TrustStore.load([], [other.anchor], []), AT)
    by_name = {check.name: check for check in checks}
    assert by_name["chip_authentication"].result is Result.UNDETERMINED


def test_card_security_of_another_state_proves_nothing() -> None:
    document = chip(pace=(CHIP_MAPPING,))
    other = Authority.establish("other", today=TODAY)
    signed = issue(other, ANNA, PORTRAIT, protocols=document.protocols).files[lds.CARD_SECURITY]
    found, proof = verdicts(with_file(document, lds.CARD_SECURITY, signed))
    assert (found["chip_authentication_mapping"].result, proof) == (Result.UNDETERMINED, "")


# --- what was taken away ----------------------------------------------------------------------------


def test_offers_of_pace_that_were_taken_away_are_missed() -> None:
    genuine = chip(pace=(GENERIC, replace(GENERIC, suite=Suite.AES_256)))
    weaker = with_file(genuine, lds.CARD_ACCESS, lds.card_access((GENERIC,)))
    weaker = replace(weaker, protocols=replace(genuine.protocols, pace=(GENERIC,)))
    found, _ = verdicts(weaker)
    assert found["card_access"] == Check("card_access", Result.FAILED, "pace_offers_not_signed")


def test_a_chip_pushed_down_to_bac_is_found_out() -> None:
    genuine = chip(bac=True)
    found, _ = verdicts(with_file(genuine, lds.CARD_ACCESS, None))
    assert found["card_access"].result is Result.FAILED


def test_a_chip_without_any_proof_passes_only_where_none_is_required() -> None:
    document = chip()
    found, _ = verdicts(document)
    assert (is_good(found), found["genuineness"].result) == (True, Result.NOT_SUPPORTED)
    required, _ = verdicts(document, DocumentSettings(genuineness="required"))
    assert (is_good(required), required["genuineness"].result) == (False, Result.UNDETERMINED)


# --- BAC in place of PACE ---------------------------------------------------------------------------


def test_bac_may_be_forbidden() -> None:
    with refused(AccessError, "bac_not_allowed"):
        Slot(chip(pace=(), bac=True)).read(settings=DocumentSettings(bac="never"))


class RefusingPace(Slot):
    """A chip whose PACE is out of order."""

    def transceive(self, command: bytes) -> bytes:
        if command[1] == 0x22:
            self.sent.append(command)
            return b"\x6a\x88"
        return super().transceive(command)


@pytest.mark.parametrize("bac", ["never", "no_pace_offered", "pace_unsupported"])
def test_a_pace_that_fails_has_failed(bac: str) -> None:
    slot = RefusingPace(chip(bac=True))
    with pytest.raises(AccessError, match="pace_refused"):
        slot.read(settings=DocumentSettings(bac=bac))  # type: ignore[arg-type]  # one of the four words
    assert all(command[1] != 0x84 for command in slot.sent)


def test_bac_follows_a_failed_pace_only_by_the_operators_word_and_is_on_record() -> None:
    files = RefusingPace(chip(bac=True)).read(settings=DocumentSettings(bac="pace_failed"))
    assert (files.access, files.access_reason) == ("BAC", "pace_failed_pace_refused")


def test_a_wrong_password_is_never_tried_again_with_bac() -> None:
    document = chip(bac=True)
    slot = Slot(document)
    other = Password.of_mrz(zone(replace(document, lines=issue_lines("X12345678"))))
    with refused(AccessError, "access_denied"):
        slot.read(other, settings=DocumentSettings(bac="pace_failed"))
    assert all(command[1] != 0x84 for command in slot.sent)


def issue_lines(number: str) -> tuple[str, str]:
    return issue(UTOPIA, replace(ANNA, number=number), PORTRAIT).lines


# --- fingers ----------------------------------------------------------------------------------------

LATER = (TODAY, TODAY + timedelta(days=60))
TERMINAL = cv_pki.CvPrivate("terminal")


def credentials(rights: int = cv_pki.FINGERPRINTS) -> tuple[bytes, TerminalKey]:
    state = cv_pki.root("UTCVCA00001", cv_pki.CvPrivate("cvca"), (TODAY, TODAY + timedelta(days=900)))
    verifier = state.certify("UTDVDE00001", cv_pki.CvPrivate("dv"), cv_pki.DV_DOMESTIC, LATER)
    terminal = verifier.certify("UTIS00000001", TERMINAL, cv_pki.INSPECTION_SYSTEM, LATER, rights=rights)
    files = (state.certificate, verifier.certificate, terminal.certificate)
    return state.certificate, TerminalKey(Credentials.load(files), TERMINAL.sign, TODAY)


def with_fingers(pace: tuple[PaceProfile, ...] = (GENERIC,), *, bac: bool = False) -> Passport:
    root, _ = credentials()
    return issue(
        UTOPIA,
        ANNA,
        PORTRAIT,
        protocols=Protocols(bac=bac, pace=pace, chip_authentication=(ELLIPTIC,)),
        extra={lds.DG3: FINGERS},
        terminal_authentication=TerminalTrust(roots=(root,), today=TODAY),
    )


FINGERS = details.dg3([(2, b"\xff\xa0" + bytes(600))])


def read_with(key: TerminalKey | None, document: Passport) -> ChipFiles:
    slot = Slot(document)
    commands = read_passport(
        Password.of_mrz(zone(document)),
        random=Counted(),
        limits=carrying(256),
        historical=slot.chip.atr[4:-1],
        terminal_key=key,
    )
    return drive(commands, slot.transceive)


@pytest.mark.parametrize("pace", [(GENERIC,), (CHIP_MAPPING,), ()], ids=["gm", "cam", "bac"])
def test_fingers_are_read_with_the_right_to(pace: tuple[PaceProfile, ...]) -> None:
    files = read_with(credentials()[1], with_fingers(pace, bac=not pace))
    assert files["dg3"].reveal() == FINGERS


def test_fingers_are_left_alone_without_the_right_to() -> None:
    assert "dg3" not in read_with(None, with_fingers())
    assert "dg3" not in read_with(credentials(rights=cv_pki.IRISES)[1], with_fingers())


def test_a_terminal_that_the_chip_does_not_know_is_told_so() -> None:
    root = cv_pki.root("XXCVCA00001", cv_pki.CvPrivate("other"), (TODAY, TODAY + timedelta(days=900)))
    stranger = TerminalKey(Credentials.load((root.certificate,)), TERMINAL.sign, date(2026, 11, 23))
    with refused(CvError, "cv_no_chain"):
        read_with(stranger, with_fingers())


# --- what the state tells of its own documents ------------------------------------------------------


def test_a_key_that_the_state_says_is_in_other_hands_proves_nothing() -> None:
    document = chip(active=ActiveProfile())
    told = UTOPIA.deviation_list(Deviating((("1.4", None),), signer=UTOPIA.document_signer.certificate))
    store = TrustStore.load([], [UTOPIA.anchor], [], deviations=[told])
    files = Slot(document).read()
    found = {check.name: check for check in verify(files, zone(document), store, AT)}
    reason = "active_authentication_key_compromised"
    assert found["active_authentication"] == Check("active_authentication", Result.UNDETERMINED, reason)
    assert found["dg_hashes"].result is Result.SUCCESSFUL
