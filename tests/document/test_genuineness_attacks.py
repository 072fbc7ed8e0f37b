"""Attacks on the proofs of genuineness: each is what somebody would try who has a copy and no private key."""

import dataclasses
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from gated.core.checks import Check, Result, overall
from gated.core.settings.documents import DocumentSettings
from gated.document import tlv
from gated.document.access import (
    PaceChoice,
    Password,
    SecurityInfos,
    pace,
    parse_card_access,
    parse_security_infos,
)
from gated.document.apdu import Command, parse_command
from gated.document.errors import ReadingError
from gated.document.genuine.mapping import verify_mapping
from gated.document.reading import ChipFiles, Proofs, drive
from gated.document.reading.passport import APPLICATION
from gated.document.reading.proofs import Proving
from gated.document.reading.terminal import Raw, Terminal
from gated.document.trust.card_security import authenticate_card_security
from gated.document.trust.store import TrustStore
from gated.document.verification import Verification
from hw_sim.passport import lds
from hw_sim.passport.behaviour import Behaviour
from hw_sim.passport.chip_active import ActiveKey, ActiveProfile, Entropy
from hw_sim.passport.issuer import Authority, Passport, Protocols, issue, with_file
from hw_sim.passport.protocols import static_keys
from tests.document.chips import AT, BAC, PORTRAIT, STORE, TODAY, UTOPIA, Counted, Slot, zone
from tests.document.material import refused
from tests.document.test_genuineness import (
    CHIP_MAPPING,
    ELLIPTIC,
    GENERIC,
    RefusingPace,
    chip,
    is_good,
)
from tests.holder import ANNA


def copy_of(genuine: Passport) -> Passport:
    """All files of a chip, and private keys of the forger's own."""
    other = static_keys(genuine.protocols, "a forger")
    active = genuine.active and ActiveKey.make(genuine.active.profile, "a forger")
    return replace(genuine, static_keys=other, active=active)


def judged(document: Passport, files: ChipFiles, store: TrustStore = STORE) -> dict[str, Check]:
    verification = Verification(zone(document), store, AT)
    for name in ("sod", *(it for it in files.files if it != "sod")):
        verification.take(name, files[name].reveal())
    return {check.name: check for check in verification.conclude(files).checks}


# --- PACE that fails so that its mapping is not run ---------------------------------------------------


def test_a_copy_that_refuses_pace_does_not_get_rid_of_the_mapping_by_bac() -> None:
    copy = copy_of(chip(pace=(CHIP_MAPPING,), bac=True))
    found = judged(copy, RefusingPace(copy).read(settings=DocumentSettings(bac="pace_failed")))
    undetermined = Check("genuineness", Result.UNDETERMINED, "mapping_offered_and_not_run")
    assert found["genuineness"] == undetermined
    assert not is_good(found)


def test_a_copy_that_hides_the_mapping_among_its_offers_is_found_out() -> None:
    copy = copy_of(chip(pace=(CHIP_MAPPING, GENERIC)))
    hiding = with_file(copy, lds.CARD_ACCESS, lds.card_access((GENERIC,)))
    found = judged(hiding, Slot(hiding).read())
    assert found["card_access"].result is Result.FAILED
    assert overall(tuple(found.values())) is Result.FAILED


# --- genuine chips whose signature is longer than a short response ------------------------------------


@pytest.mark.parametrize("bits", [2048, 3072])
@pytest.mark.parametrize("long_chip", [False, True])
@pytest.mark.parametrize("max_response", [256, 65_536])
def test_signatures_of_any_length_pass_readers_and_chips_of_any_length(
    bits: int, max_response: int, *, long_chip: bool
) -> None:
    document = chip(active=ActiveProfile(rsa_bits=bits))
    slot = Slot(document, Behaviour(extended_lengths=long_chip))
    found = judged(document, slot.read(max_response=max_response))
    assert found["active_authentication"].result is Result.SUCCESSFUL
    assert max_response > 256 or not any(is_long(command) for command in slot.sent)


@dataclass(frozen=True, slots=True, repr=False)
class CutSignature(ActiveKey):
    """The key of a chip that cuts what a short response has no room for, and says 9000 all the same."""

    def answer(self, command: Command, entropy: Entropy) -> bytes:
        whole = super(CutSignature, self).answer(command, entropy)
        return whole if command.extended else whole[:223]


def test_a_signature_of_2048_bits_is_asked_for_in_the_form_that_has_room_for_it() -> None:
    document = chip(active=ActiveProfile(rsa_bits=2048))
    assert document.active is not None
    key = CutSignature(document.active.profile, document.active.d, document.active.n)
    found = judged(document, Slot(replace(document, active=key)).read(max_response=65_536))
    assert found["active_authentication"].result is Result.SUCCESSFUL


@pytest.mark.parametrize("left", [231, 232, 256, 300])
def test_a_piece_is_asked_for_in_the_form_that_has_room_for_it_secured(left: int) -> None:
    """What a short response cannot bring at once, because it is secured, is asked for in a long one."""
    around = len(issue(UTOPIA, ANNA, PORTRAIT[:300], protocols=BAC).files[lds.DG2]) - 300
    document = issue(UTOPIA, ANNA, PORTRAIT[: 223 + left - around], protocols=BAC)
    slot = Slot(document)
    slot.read(max_response=65_536)
    reads = [command for command in slot.sent if command[:2] == b"\x0c\xb0"]
    assert wanted(reads[-1]) == left
    room = 231  # 3DES: 256 less DO87, DO99, DO8E and padding
    assert all(is_long(command) == (wanted(command) > room) for command in reads)


def is_long(command: bytes) -> bool:
    return len(command) > 5 and command[4] == 0


def wanted(command: bytes) -> int:
    objects = {item.tag: item.value for item in tlv.parse(parse_command(command).body)}
    return int.from_bytes(objects[0x97], "big") or 256


def test_a_single_key_of_the_mapping_needs_no_identifier() -> None:
    """As TR-03110-3 has it; of two keys the one that is meant has to say so."""
    files = Slot(chip(pace=(CHIP_MAPPING,))).read()
    evidence = files.proofs.mapping
    card = authenticate_card_security(files["card_security"].reveal(), STORE, at=AT)
    (key,) = parse_security_infos(card.security_infos).chip_keys
    assert evidence is not None
    unnamed = dataclasses.replace(key, key_id=None)
    assert verify_mapping(SecurityInfos(chip_keys=(unnamed,)), evidence) == ""
    assert verify_mapping(SecurityInfos(chip_keys=(unnamed, unnamed)), evidence) == "mapping_key_missing"


# --- two chips, one after the other -------------------------------------------------------------------


class Swapped(Slot):
    """A copy that breaks its session off before the portrait, and from then on a genuine chip."""

    def __init__(self, copy: Passport, genuine: Passport) -> None:
        super().__init__(copy, Behaviour(short_identifiers=False))
        self._genuine = genuine
        self._pieces = 0

    def transceive(self, command: bytes) -> bytes:
        self._pieces += command[:2] == b"\x0c\xb0"
        if self._pieces == 40:
            self._pieces += 1
            self.chip = Slot(self._genuine).chip
            return b"\x67\x00"
        return super().transceive(command)


def test_a_chip_that_proves_itself_does_not_prove_what_another_one_said() -> None:
    """Two holders with one number, birth and expiry, or one access number: one password opens both."""
    protocols = Protocols(bac=False, pace=(CHIP_MAPPING,))
    own = issue(UTOPIA, replace(ANNA, surname="Doe"), PORTRAIT, protocols=protocols)
    other = issue(UTOPIA, ANNA, PORTRAIT, protocols=protocols)
    copy = with_file(copy_of(other), lds.CARD_SECURITY, own.files[lds.CARD_SECURITY])
    with refused(ReadingError, "sod_changed"):
        Swapped(copy, own).read()
    again = Swapped(other, other).read()  # a chip that only lost its session goes on
    assert judged(other, again)["chip_authentication_mapping"].result is Result.SUCCESSFUL


def test_keys_that_the_chip_never_answered_under_prove_nothing() -> None:
    document = chip(ELLIPTIC)
    slot = Slot(document)
    terminal = Terminal()

    def only_agree() -> Raw[Proofs]:
        opened = yield from terminal.run_coded(pace(offered(document), password(document), Counted()))
        terminal.channel = opened.channel
        yield from terminal.send(Command(0x00, 0xA4, 0x04, 0x0C, APPLICATION))
        proving = Proving(terminal, Counted(), all_proofs=False)
        yield from proving.authenticate_chip(document.files[lds.DG14])
        return proving.proofs

    assert drive(only_agree(), slot.transceive).chip_authentication == "chip_authentication_keys_differ"


def offered(document: Passport) -> PaceChoice:
    choice = parse_card_access(document.files[lds.CARD_ACCESS]).choose()
    assert choice is not None
    return choice


def password(document: Passport) -> Password:
    return Password.of_mrz(zone(document))


def test_a_mapping_key_of_another_trusted_state_is_a_forgery() -> None:
    document = chip(pace=(CHIP_MAPPING,))
    other = Authority.establish("ruritania", today=TODAY, state="RUR", country="RU")
    signed = issue(other, ANNA, PORTRAIT, protocols=document.protocols).files[lds.CARD_SECURITY]
    chimera = with_file(document, lds.CARD_SECURITY, signed)
    both = TrustStore.load([UTOPIA.master_list()], [other.csca.der], [UTOPIA.anchor])
    found = judged(chimera, Slot(chimera).read(), both)
    name = "chip_authentication_mapping"
    assert found[name] == Check(name, Result.FAILED, "card_security_of_another_state")
