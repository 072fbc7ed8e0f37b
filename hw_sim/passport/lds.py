"""The files of a simulated passport chip, as bytes (Doc 9303-10), and the protocols that it offers.

Everything is written with the shortest BER lengths. Portraits are in `faces`, optional groups in `details`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import ClassVar

from asn1crypto import algos, core

from gated.document.tlv import encode
from hw_sim.passport.protocols import PaceProfile, pace_infos, set_of

# File identifiers; the short one is the low byte's five bits (Doc 9303-10 section 3.6).
CARD_ACCESS, ATR_INFO, DIR = 0x011C, 0x2F01, 0x2F00  # in the master file
CARD_SECURITY = 0x3F00_011D  # in the master file; the security object has the same identifier
COM, SOD, DG1, DG2, DG14 = 0x011E, 0x011D, 0x0101, 0x0102, 0x010E  # in the application
DG3, DG4, DG15 = 0x0103, 0x0104, 0x010F
CVCA = 0x0001_011C  # in the application; EF.CardAccess has the same identifier

APPLICATION = bytes.fromhex("A0000002471001")

_TAGS = bytes.fromhex("6175637665666768696A6B6C6D6E6F70")  # of data groups 1 to 16


def com(data_groups: Mapping[int, bytes]) -> bytes:
    """EF.COM: LDS 1.7, Unicode 4.0.0, and the tags of the data groups."""
    tags = bytes(_TAGS[fid - DG1] for fid in sorted(data_groups))
    return encode(0x60, encode(0x5F01, b"0107") + encode(0x5F36, b"040000") + encode(0x5C, tags))


def dg1(lines: tuple[str, str]) -> bytes:
    """EF.DG1: the two lines of a TD3 machine-readable zone."""
    return encode(0x61, encode(0x5F1F, "".join(lines).encode("ascii")))


def card_access(profiles: tuple[PaceProfile, ...]) -> bytes:
    """EF.CardAccess: a PACEInfo for each profile (Doc 9303-11 section 9.2.1)."""
    return set_of(pace_infos(profiles))


def dg14(profiles: tuple[PaceProfile, ...], more: Sequence[bytes] = ()) -> bytes:
    """EF.DG14: the same security infos once more, and more of them, under the document signer's signature."""
    return encode(0x6E, set_of([*pace_infos(profiles), *more]))


def atr_info(capabilities: bytes, limits: tuple[int, int]) -> bytes:
    """EF.ATR/INFO: card capabilities, and the longest command and response if lengths may be extended."""
    coded = encode(0x47, capabilities)
    if not capabilities[2] & 0x40:
        return coded
    return coded + encode(0x7F66, b"".join(encode(0x02, limit.to_bytes(2, "big")) for limit in limits))


def application_directory() -> bytes:
    """EF.DIR: the one application."""
    return encode(0x61, encode(0x4F, APPLICATION))


def security_object(
    data_groups: Mapping[int, bytes], digest: str, versions: tuple[str, str] | None = None
) -> bytes:
    """LDSSecurityObject: the hash of each data group, whole file (Doc 9303-10 section 4.6.2.3).

    With `versions`, of the LDS and of Unicode (`0108`, `040000`), it is version 1; else version 0.
    """
    hashes = [
        {"number": fid & 0xFF, "digest": hashlib.new(digest, data_groups[fid]).digest()}
        for fid in sorted(data_groups)
    ]
    fields = {"version": 0, "hash_algorithm": {"algorithm": digest}, "hashes": hashes}
    if versions:
        fields |= {"version": 1, "versions": {"lds": versions[0], "unicode": versions[1]}}
    return bytes(_LdsSecurityObject(fields).dump())


def sod(signed: bytes) -> bytes:
    """EF.SOD around a CMS."""
    return encode(0x77, signed)


class _DataGroupHash(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    _fields: ClassVar[list[tuple[str, type]]] = [("number", core.Integer), ("digest", core.OctetString)]


class _DataGroupHashes(core.SequenceOf):  # type: ignore[misc]  # asn1crypto has no types
    _child_spec = _DataGroupHash


class _LdsVersionInfo(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    _fields: ClassVar[list[tuple[str, type]]] = [
        ("lds", core.PrintableString),
        ("unicode", core.PrintableString),
    ]


class _LdsSecurityObject(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    """Doc 9303-10 section 4.6.2.3."""

    _fields: ClassVar[list[tuple[object, ...]]] = [
        ("version", core.Integer),
        ("hash_algorithm", algos.DigestAlgorithm),
        ("hashes", _DataGroupHashes),
        ("versions", _LdsVersionInfo, {"optional": True}),
    ]
