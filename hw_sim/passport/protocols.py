"""Which protocols a simulated chip offers, and how it says so: SecurityInfos (Doc 9303-11 section 9.2).

A profile says what the chip does; a `StaticKey` is the private key behind chip authentication, or behind chip
authentication mapping, made at personalisation. `gated.document.access.security_infos` reads what is written
here.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

from gated.core.values import Value
from gated.document.groups.domains import EllipticDomain, ModpDomain, standardized
from gated.document.keys import Suite
from gated.document.tlv import encode

Mapping = Literal["GM", "IM", "CAM"]
Written = Literal["standardized", "explicit", "named", "pkcs3"]
"""How the domain of a static key stands in its SubjectPublicKeyInfo: by number; written out, X9.42 for DH; by
the name of the curve; for DH, as PKCS #3 has it, without the order of the subgroup."""

_SMARTCARD = bytes.fromhex("04007F00070202")  # bsi-de protocols(2) smartcard(2)
_KEY, _CHIP, _PACE = (_SMARTCARD + bytes([arc]) for arc in (1, 3, 4))
_STANDARDIZED = bytes.fromhex("04007F00070102")
_EC_PUBLIC_KEY = bytes.fromhex("2A8648CE3D0201")
_PRIME_FIELD = bytes.fromhex("2A8648CE3D0101")
_X942 = bytes.fromhex("2A8648CE3E0201")
_PKCS3 = bytes.fromhex("2A864886F70D010301")

_SUITE_ARCS = {Suite.TDES: 1, Suite.AES_128: 2, Suite.AES_192: 3, Suite.AES_256: 4}
_MAPPING_ARCS = {("GM", False): 1, ("GM", True): 2, ("IM", False): 3, ("IM", True): 4, ("CAM", True): 6}
_AGREEMENT_ARCS = {False: 1, True: 2}  # DH, ECDH


class PaceProfile(Value):
    """PACE: a suite and a mapping on a standardised domain (Doc 9303-11 tables 2, 3 and 12).

    With `explicit` the domain is written out in EF.CardAccess under this identifier.
    """

    suite: Suite
    domain: int
    mapping: Mapping = "GM"
    explicit: int | None = None

    @property
    def oid(self) -> bytes:
        """Content octets of the protocol's object identifier."""
        return _PACE + bytes([_MAPPING_ARCS[self.mapping, _elliptic(self.domain)], _SUITE_ARCS[self.suite]])

    @property
    def parameter_id(self) -> int:
        """The identifier of the domain parameters."""
        return self.domain if self.explicit is None else self.explicit


class ChipAuthenticationProfile(Value):
    """Chip authentication with a static key on a standardised domain, whose `key_id` tells it from others.

    A chip may leave out to say which protocol goes with a key (`announced`): it then means 3DES.
    """

    suite: Suite
    domain: int
    version: int = 1
    key_id: int | None = None
    announced: bool = True
    written: Written = "explicit"

    @property
    def oid(self) -> bytes:
        """Content octets of the protocol's object identifier."""
        return _CHIP + bytes([_AGREEMENT_ARCS[_elliptic(self.domain)], _SUITE_ARCS[self.suite]])


class Protocols(Value):
    """How a chip lets a terminal in and proves itself. At least one way in.

    `can` is printed on the page, if there is one.
    """

    bac: bool = True
    pace: tuple[PaceProfile, ...] = ()
    can: str | None = None
    chip_authentication: tuple[ChipAuthenticationProfile, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class StaticKey:
    """A private key of chip authentication, and how its public half is written."""

    domain: int
    key_id: int | None
    written: Written
    private: int

    def __repr__(self) -> str:
        return f"StaticKey({self.domain}, {self.key_id})"

    @property
    def public(self) -> bytes:
        """The plain public key value."""
        return standardized(self.domain).public_of(self.private)


def static_keys(protocols: Protocols, label: str) -> tuple[StaticKey, ...]:
    """The keys that the protocols need, each once; they follow from the label."""
    wanted: dict[tuple[int, int | None], Written] = {
        (profile.domain, profile.key_id): profile.written for profile in protocols.chip_authentication
    }
    for profile in protocols.pace:
        if profile.mapping == "CAM":
            wanted.setdefault((profile.domain, profile.parameter_id), "standardized")
    return tuple(
        StaticKey(domain, key_id, written, _private(f"{label}/static/{domain}/{key_id}", domain))
        for (domain, key_id), written in wanted.items()
    )


def pace_infos(profiles: tuple[PaceProfile, ...]) -> list[bytes]:
    """A PACEInfo for each profile, and a PACEDomainParameterInfo for each domain that is written out."""
    infos = [
        _sequence(encode(0x06, profile.oid), _integer(2), _integer(profile.parameter_id))
        for profile in profiles
    ]
    written = {
        (profile.explicit, profile.domain): profile for profile in profiles if profile.explicit is not None
    }
    for (number, domain), profile in written.items():
        kind = encode(0x06, profile.oid[:-1])
        infos.append(_sequence(kind, _explicit(standardized(domain)), _integer(number or 0)))
    return infos


def chip_authentication_infos(
    profiles: tuple[ChipAuthenticationProfile, ...], keys: tuple[StaticKey, ...]
) -> list[bytes]:
    """A ChipAuthenticationInfo for each profile that is announced, and the public keys that they use."""
    infos = [
        _sequence(encode(0x06, profile.oid), _integer(profile.version), _optional(profile.key_id))
        for profile in profiles
        if profile.announced
    ]
    used = {(profile.domain, profile.key_id) for profile in profiles}
    return infos + [public_key_info(key) for key in keys if (key.domain, key.key_id) in used]


def mapping_infos(profiles: tuple[PaceProfile, ...], keys: tuple[StaticKey, ...]) -> list[bytes]:
    """What EF.CardSecurity holds: the offers of PACE, and the public keys of chip authentication mapping."""
    used = {(profile.domain, profile.parameter_id) for profile in profiles if profile.mapping == "CAM"}
    return pace_infos(profiles) + [public_key_info(key) for key in keys if (key.domain, key.key_id) in used]


def public_key_info(key: StaticKey) -> bytes:
    """ChipAuthenticationPublicKeyInfo (section 9.2.6)."""
    domain = standardized(key.domain)
    elliptic = isinstance(domain, EllipticDomain)
    value = key.public if elliptic else _integer(int.from_bytes(key.public, "big"))
    info = _sequence(_algorithm(domain, key.written), encode(0x03, b"\0" + value))
    return _sequence(
        encode(0x06, _KEY + bytes([_AGREEMENT_ARCS[_elliptic(key.domain)]])), info, _optional(key.key_id)
    )


def set_of(infos: list[bytes]) -> bytes:
    """SecurityInfos, in DER's order."""
    return encode(0x31, b"".join(sorted(infos)))


def _algorithm(domain: EllipticDomain | ModpDomain, written: Written) -> bytes:
    """The AlgorithmIdentifier of a domain (section 9.5)."""
    if written == "standardized":
        return _sequence(encode(0x06, _STANDARDIZED), _integer(domain.number or 0))
    if written == "named" and isinstance(domain, EllipticDomain):
        return _sequence(encode(0x06, _EC_PUBLIC_KEY), encode(0x06, _content(domain.curve.oid)))
    if written == "pkcs3" and isinstance(domain, ModpDomain):
        return _sequence(encode(0x06, _PKCS3), _sequence(_integer(domain.group.p), _integer(domain.group.g)))
    return _explicit(domain)


def _explicit(domain: EllipticDomain | ModpDomain) -> bytes:
    if isinstance(domain, ModpDomain):
        group = domain.group
        numbers = (_integer(group.p), _integer(group.g), _integer(group.q or 0))
        return _sequence(encode(0x06, _X942), _sequence(*numbers))
    curve = domain.curve
    a, b = (encode(0x04, value.to_bytes(curve.length, "big")) for value in (curve.a, curve.b))
    parameters = _sequence(
        _integer(1),
        _sequence(encode(0x06, _PRIME_FIELD), _integer(curve.p)),
        _sequence(a, b),
        encode(0x04, curve.encode(curve.generator)),
        _integer(curve.n),
        _integer(1),
    )
    return _sequence(encode(0x06, _EC_PUBLIC_KEY), parameters)


def _private(label: str, number: int) -> int:
    """A private key that follows from the label."""
    domain = standardized(number)
    order = domain.curve.n if isinstance(domain, EllipticDomain) else domain.group.q or 0
    drawn = hashlib.shake_256(label.encode()).digest(order.bit_length() // 8 + 8)
    return int.from_bytes(drawn, "big") % (order - 1) + 1


def _elliptic(number: int) -> bool:
    return isinstance(standardized(number), EllipticDomain)


def _sequence(*fields: bytes) -> bytes:
    return encode(0x30, b"".join(fields))


def _integer(value: int) -> bytes:
    return encode(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _optional(value: int | None) -> bytes:
    return b"" if value is None else _integer(value)


def _content(dotted: str) -> bytes:
    """The content octets of an object identifier."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    content = bytearray()
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        content += bytes(reversed(groups))
    return bytes(content)
