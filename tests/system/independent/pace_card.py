"""Starts vsmartcard's emulated identity card, with OpenPACE's cryptography, as a passport.

    pace_card.py HOST PORT FOLDER CAN ZONE

As `passport_card.py`; but the card opens by PACE (AES-128, brainpoolP256r1): commands, files and secure
messaging are `virtualsmartcard.cards.nPA`'s, what they compute is libeac's. The bindings that the emulation
asks for are not in Debian: `eac.py` beside this file takes their place.
"""

# ruff: noqa: PLC0415 - what is imported here can only be imported once it is mended

import sys
import types
from pathlib import Path

import eac
import passport_card

AES_128 = bytes.fromhex("04007F00070202040202")  # PACE-ECDH-GM-AES-CBC-CMAC-128
SIGNATURE_APPLICATION = bytes.fromhex("A000000167455349474E")


class PACE_SEC:  # noqa: N801
    """A password, as the emulation makes it."""

    def __init__(self, secret: str, kind: int) -> None:
        self.sec = eac.new_secret(secret.encode(), kind)


class EAC_CTX:  # noqa: N801
    """A context, as the emulation makes it."""

    def __init__(self) -> None:
        self.ctx = eac.new_context()


def bindings(card_access: bytes) -> types.ModuleType:
    """The module `eac` that the emulation imports: PACE by what EF.CardAccess says, and no key of its own."""
    module = types.ModuleType("eac")
    for name in dir(eac):
        if name.startswith(("PACE_", "EAC_")):
            setattr(module, name, getattr(eac, name))

    def succeed(*arguments: object) -> int:
        del arguments
        return 1

    def give_nothing(*arguments: object) -> bytes:
        del arguments
        return b""

    def init_by_card_access(content: bytes, context: object) -> None:
        del content  # the EF.CardSecurity of a card whose chip authentication is not wanted here
        eac.read_card_access(context, card_access)

    for name in ("EAC_init", "CA_disable_passive_authentication", "CA_set_key", "print_ossl_err"):
        setattr(module, name, succeed)
    for name in ("EAC_CTX_print_private", "CA_get_pubkey"):
        setattr(module, name, give_nothing)
    module.EAC_CTX_init_ef_cardsecurity = init_by_card_access
    return module


def main(host: str, port: int, folder: Path, can: str, zone: str) -> None:
    """Lay the card on the reader until that goes away."""
    card_access = (folder / "011c").read_bytes()
    chat = types.ModuleType("chat")
    chat.CHAT = chat.CVC = object
    chat.PACE_SEC, chat.EAC_CTX = PACE_SEC, EAC_CTX
    passport_card.prepare(eac=bindings(card_access), chat=chat)
    from virtualsmartcard.cards.nPA import NPAOS, nPA_SAM
    from virtualsmartcard.ConstantDefinitions import ALGO_MAPPING
    from virtualsmartcard.SmartcardFilesystem import DF, MF, TransparentStructureEF
    from virtualsmartcard.VirtualSmartcard import VirtualICC

    ALGO_MAPPING[AES_128] = "PACE"
    master_file = MF()
    for fid, content in ((0x011C, card_access), (0x011D, b"none")):
        master_file.append(
            TransparentStructureEF(parent=master_file, fid=fid, shortfid=fid & 0x1F, data=content)
        )
    master_file.append(DF(parent=master_file, fid=5, dfname=SIGNATURE_APPLICATION))  # it must be there
    master_file.append(passport_card.application(master_file, folder))
    card = VirtualICC(None, "iso7816", host, port, logginglevel="WARNING")
    module = nPA_SAM("", can, zone, "", "", master_file)
    card.os = NPAOS(master_file, module, ca_key=b"none")
    card.run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], sys.argv[5])
