"""Starts vsmartcard's emulated passport, a program of others, on a virtual reader. Run by Debian's python3.

    passport_card.py HOST PORT FOLDER

FOLDER holds the files of the passport application, each named by its identifier (`0101`). The emulation is
`virtualsmartcard.cards.ePass`: Basic Access Control, secure messaging with 3DES and a file system that are
none of ours. Debian's package is broken in three ways, which are mended here, on the way in, and not in what
they do: it lies outside of the path; its port to Python 3 stopped half-way (`REPAIRS`); and this card leaves
the status out of secured responses (DO99), which its sister card in the same package does right.
"""

# ruff: noqa: PLC0415 - what is imported here can only be imported once it is mended

import importlib.abc
import importlib.util
import sys
import types
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path

PACKAGE = Path("/usr/lib/python3/site-packages/virtualsmartcard")
APPLICATION = bytes.fromhex("A0000002471001")

# Text and bytes mixed up, or an item of bytes taken for bytes: what stands there, what it has to be.
REPAIRS = {
    "virtualsmartcard.TLVutils": {'return b"".join(result)': "return result"},
    "virtualsmartcard.CryptoUtils": {
        "chr(op(ord(string1[i]), ord(string2[i])))": "op(string1[i], string2[i])",
        'return "".join(result)': "return bytes(result)",
    },
    "virtualsmartcard.SEutils": {
        'return_data = ["", ]': 'return_data = [b"", ]',
        'data="".join(return_data)': 'data=b"".join(return_data)',
        "stringtoint(value[0])": "value[0]",
        'def __init__(self, tag, config=""):': 'def __init__(self, tag, config=b""):',
        'if config != "":': "if config:",
        "stringtoint(self.__config_string[position+1])": "self.__config_string[position+1]",
    },
}


class Mending(SourceFileLoader):
    """Loads a module's source with its repairs, never its byte code."""

    def get_data(self, path: str) -> bytes:
        """The source. Raises ImportError where a repair does not fit: another version is installed."""
        if not path.endswith(".py"):
            raise OSError(path)
        source = super().get_data(path).decode()
        for broken, mended in REPAIRS[self.name].items():
            if broken not in source:
                raise ImportError(f"{self.name} of another version: {broken!r} is not in it")
            source = source.replace(broken, mended)
        return source.encode()


class Mender(importlib.abc.MetaPathFinder):
    """Finds the modules that need mending."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The module, if it is one of them."""
        del path, target
        if fullname not in REPAIRS:
            return None
        file = PACKAGE / f"{fullname.replace('.', '/')}.py"
        return importlib.util.spec_from_file_location(fullname, file, loader=Mending(fullname, str(file)))


def prepare(**modules: types.ModuleType) -> None:
    """Make the package importable; `modules` take the place of some that it asks for and nobody packages."""
    import Cryptodome

    sys.modules["Crypto"] = Cryptodome  # Debian renamed the package that the emulation imports
    sys.modules.update(modules)
    sys.meta_path.insert(0, Mender())
    sys.path.insert(0, str(PACKAGE))


def application(master_file: object, folder: Path) -> object:
    """The passport application with the files of a folder."""
    from virtualsmartcard.SmartcardFilesystem import DF, TransparentStructureEF

    directory = DF(parent=master_file, fid=4, dfname=APPLICATION, bertlv_data=[])
    for file in sorted(folder.iterdir()):
        fid = int(file.name, 16)
        directory.append(
            TransparentStructureEF(
                parent=directory, fid=fid, shortfid=fid & 0x1F, filedescriptor=0, data=file.read_bytes()
            )
        )
    return directory


def main(host: str, port: int, folder: Path) -> None:
    """Lay the card on the reader until that goes away."""
    unused = types.ModuleType("unused")  # the sister card's cryptography, which this one does not use
    for name in ("CHAT", "CVC", "PACE_SEC", "EAC_CTX"):
        setattr(unused, name, None)
    prepare(eac=unused, chat=unused)
    from virtualsmartcard.cards.ePass import PassportSAM, ePass_SE
    from virtualsmartcard.cards.nPA import nPA_SE
    from virtualsmartcard.SmartcardFilesystem import MF
    from virtualsmartcard.VirtualSmartcard import Iso7816OS, VirtualICC

    ePass_SE.protect_response = nPA_SE.protect_response
    master_file = MF()
    master_file.append(application(master_file, folder))
    card = VirtualICC(None, "iso7816", host, port, logginglevel="WARNING")
    card.os = Iso7816OS(master_file, PassportSAM(master_file))
    card.run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
