"""SecurityInfos: what a chip says of its protocols and keys (Doc 9303-11 section 9.2; TR-03110-3, A.1).

The same structure stands in EF.CardAccess, where nobody signed it, in EF.CardSecurity and in EF.DG14. Entries
of protocols that are not known are kept by their identifier. A public key or domain that cannot be used is
kept with the reason, so that one odd key costs no other.
"""

from dataclasses import dataclass
from enum import StrEnum

from gated.document import tlv
from gated.document.errors import AccessError, GroupError, TlvError
from gated.document.groups.domains import Domain
from gated.document.groups.key_info import PublicKey, dotted, parse_domain, parse_public_key
from gated.document.keys import Suite

MAX_SECURITY_INFOS = 16_384  # the cap of EF.DG14
MAX_ENTRIES = 64
MAX_NUMBER = 16  # bytes; no standard limits an identifier

_SMARTCARD = bytes.fromhex("04007F00070202")  # bsi-de protocols(2) smartcard(2)
KEY_OID = _SMARTCARD + b"\x01"  # id-PK
TERMINAL_OID = _SMARTCARD + b"\x02"  # id-TA
CHIP_OID = _SMARTCARD + b"\x03"  # id-CA
PACE_OID = _SMARTCARD + b"\x04"  # id-PACE
_SECURITY = bytes.fromhex("6781080101")  # id-icao-mrtd-security
_ACTIVE_OID = _SECURITY + b"\x05"
_DIRECTORY_OID = _SECURITY + b"\x0d"

_INTEGER, _OCTETS, _OID, _SEQUENCE, _SET = 0x02, 0x04, 0x06, 0x30, 0x31

_SUITES = {1: Suite.TDES, 2: Suite.AES_128, 3: Suite.AES_192, 4: Suite.AES_256}
_AGREEMENTS = {1: "DH", 2: "ECDH"}


class Mapping(StrEnum):
    """How PACE comes from its nonce to a generator (section 4.4.3.3)."""

    GENERIC = "GM"
    INTEGRATED = "IM"
    CHIP_AUTHENTICATION = "CAM"


_MAPPINGS = {
    1: ("DH", Mapping.GENERIC),
    2: ("ECDH", Mapping.GENERIC),
    3: ("DH", Mapping.INTEGRATED),
    4: ("ECDH", Mapping.INTEGRATED),
    6: ("ECDH", Mapping.CHIP_AUTHENTICATION),
}


@dataclass(frozen=True, slots=True)
class PaceInfo:
    """One PACEInfo: the protocol's identifier behind id-PACE, its version, and its domain parameters."""

    protocol: bytes
    version: int
    parameter_id: int | None = None

    @property
    def oid(self) -> bytes:
        """Content octets of the object identifier."""
        return PACE_OID + self.protocol

    @property
    def agreement(self) -> str | None:
        """`DH` or `ECDH`; None for what the standard does not name."""
        return _MAPPINGS[self.protocol[0]][0] if self.suite else None

    @property
    def mapping(self) -> Mapping | None:
        """The mapping, if the standard names this protocol."""
        return _MAPPINGS[self.protocol[0]][1] if self.suite else None

    @property
    def suite(self) -> Suite | None:
        """The cipher, if the standard names this protocol; chip authentication mapping has no 3DES."""
        if len(self.protocol) != 2 or self.protocol[0] not in _MAPPINGS or self.protocol == b"\x06\x01":
            return None
        return _SUITES.get(self.protocol[1])

    @property
    def name(self) -> str:
        """Such as `PACE-ECDH-GM-AES-128`; `PACE-unknown` for what the standard does not name."""
        suite = self.suite
        return f"PACE-{self.agreement}-{self.mapping}-{suite.value}" if suite else "PACE-unknown"


@dataclass(frozen=True, slots=True)
class PaceDomain:
    """One PACEDomainParameterInfo. `domain` is None where `problem` says why it cannot be used."""

    parameter_id: int | None
    domain: Domain | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ChipAuthenticationInfo:
    """One ChipAuthenticationInfo: the identifier behind id-CA, the version, and which key it means."""

    protocol: bytes
    version: int
    key_id: int | None = None

    @property
    def oid(self) -> bytes:
        """Content octets of the object identifier."""
        return CHIP_OID + self.protocol

    @property
    def agreement(self) -> str | None:
        """`DH` or `ECDH`; None for what the standard does not name."""
        return _AGREEMENTS[self.protocol[0]] if self.suite else None

    @property
    def suite(self) -> Suite | None:
        """The cipher, if the standard names this protocol."""
        if len(self.protocol) != 2 or self.protocol[0] not in _AGREEMENTS:
            return None
        return _SUITES.get(self.protocol[1])

    @property
    def name(self) -> str:
        """Such as `CA-ECDH-AES-128`; `CA-unknown` for what the standard does not name."""
        suite = self.suite
        return f"CA-{self.agreement}-{suite.value}" if suite else "CA-unknown"


@dataclass(frozen=True, slots=True)
class ChipAuthenticationKey:
    """One ChipAuthenticationPublicKeyInfo. `key` is None where `problem` says why it cannot be used."""

    agreement: str
    key: PublicKey | None
    key_id: int | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TerminalAuthenticationInfo:
    """One TerminalAuthenticationInfo; `references` is the identifier of EF.CVCA, where it is told."""

    version: int
    references: int | None = None


@dataclass(frozen=True, slots=True)
class ActiveAuthenticationInfo:
    """How an elliptic key signs in active authentication; the algorithm as a dotted identifier."""

    version: int
    algorithm: str


@dataclass(frozen=True, slots=True)
class SecurityInfos:
    """All entries by their kind, each in the order of the file; `others` by dotted identifier."""

    pace: tuple[PaceInfo, ...] = ()
    pace_domains: tuple[PaceDomain, ...] = ()
    chip_authentication: tuple[ChipAuthenticationInfo, ...] = ()
    chip_keys: tuple[ChipAuthenticationKey, ...] = ()
    terminal_authentication: tuple[TerminalAuthenticationInfo, ...] = ()
    active_authentication: tuple[ActiveAuthenticationInfo, ...] = ()
    directories: tuple[bytes, ...] = ()  # signed copies of EF.DIR (section 9.2.10)
    others: tuple[str, ...] = ()


_Entry = (
    PaceInfo
    | PaceDomain
    | ChipAuthenticationInfo
    | ChipAuthenticationKey
    | TerminalAuthenticationInfo
    | ActiveAuthenticationInfo
    | bytes
    | str
)


def parse_security_infos(raw: bytes) -> SecurityInfos:
    """Read the DER coded SET OF SecurityInfo. Raises AccessError(`security_infos_malformed`)."""
    try:
        listed = tlv.parse_one(raw, _SET, max_length=MAX_SECURITY_INFOS).value
        found = [_entry(item) for item in tlv.parse(listed, max_objects=MAX_ENTRIES)]
    except (TlvError, GroupError) as error:
        raise AccessError("security_infos_malformed") from error
    return SecurityInfos(
        tuple(item for item in found if isinstance(item, PaceInfo)),
        tuple(item for item in found if isinstance(item, PaceDomain)),
        tuple(item for item in found if isinstance(item, ChipAuthenticationInfo)),
        tuple(item for item in found if isinstance(item, ChipAuthenticationKey)),
        tuple(item for item in found if isinstance(item, TerminalAuthenticationInfo)),
        tuple(item for item in found if isinstance(item, ActiveAuthenticationInfo)),
        tuple(item for item in found if isinstance(item, bytes)),
        tuple(item for item in found if isinstance(item, str)),
    )


def _entry(item: tlv.Tlv) -> _Entry:
    """SecurityInfo ::= SEQUENCE { protocol, requiredData, optionalData OPTIONAL }.

    Whatever lies behind id-PACE counts as an offer, known or not: an unknown PACE is not "no PACE".
    """
    fields = tlv.parse(item.value)
    if item.tag != _SEQUENCE or len(fields) < 2 or fields[0].tag != _OID:
        raise TlvError("tlv_unexpected_tag")
    oid, data = fields[0].value, fields[1:]
    family, arcs = oid[:8], oid[8:]
    if family == PACE_OID:
        return _pace_domain(data) if len(arcs) == 1 else PaceInfo(arcs, *_numbers(data))
    if family == CHIP_OID:
        return ChipAuthenticationInfo(arcs, *_numbers(data))
    if family == KEY_OID and len(arcs) == 1 and arcs[0] in _AGREEMENTS:
        return _chip_key(_AGREEMENTS[arcs[0]], data)
    if oid == TERMINAL_OID:
        return _terminal(data)
    if oid == _ACTIVE_OID and len(data) == 2:
        return ActiveAuthenticationInfo(_number(data[0]), dotted(_value(data[1], _OID)))
    if oid == _DIRECTORY_OID:
        return _value(data[0], _OCTETS)
    return dotted(oid)


def _pace_domain(data: tuple[tlv.Tlv, ...]) -> PaceDomain:
    parameter_id = _optional_number(data)
    try:
        return PaceDomain(parameter_id, parse_domain(data[0].encode()))
    except GroupError as error:
        return PaceDomain(parameter_id, None, error.code)


def _chip_key(agreement: str, data: tuple[tlv.Tlv, ...]) -> ChipAuthenticationKey:
    key_id = _optional_number(data)
    try:
        return ChipAuthenticationKey(agreement, parse_public_key(data[0].encode()), key_id)
    except GroupError as error:
        return ChipAuthenticationKey(agreement, None, key_id, error.code)


def _terminal(data: tuple[tlv.Tlv, ...]) -> TerminalAuthenticationInfo:
    """TerminalAuthenticationInfo, with the FileID of EF.CVCA that TR-03110-3 (A.1.1.3) lets follow."""
    references = None
    if len(data) > 1:
        named = _value(tlv.parse(_value(data[1], _SEQUENCE))[0], _OCTETS) if data[1].value else b""
        references = int.from_bytes(named, "big") if len(named) == 2 else None
    return TerminalAuthenticationInfo(_number(data[0]), references)


def _numbers(data: tuple[tlv.Tlv, ...]) -> tuple[int, int | None]:
    """A version, and an identifier that may follow."""
    if len(data) > 2:
        raise TlvError("tlv_too_many")
    return _number(data[0]), _optional_number(data)


def _optional_number(data: tuple[tlv.Tlv, ...]) -> int | None:
    """The identifier behind the required data."""
    return _number(data[1]) if len(data) > 1 else None


def _number(item: tlv.Tlv) -> int:
    """An INTEGER that is not negative: versions are small, identifiers of keys may be any."""
    content = _value(item, _INTEGER)
    if not 1 <= len(content) <= MAX_NUMBER or content[0] & 0x80:
        raise TlvError("tlv_integer")
    return int.from_bytes(content, "big")


def _value(item: tlv.Tlv, tag: int) -> bytes:
    if item.tag != tag:
        raise TlvError("tlv_unexpected_tag")
    return item.value
