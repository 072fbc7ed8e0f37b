"""Domain parameters and public keys as a chip writes them in ASN.1 (Doc 9303-11, 9.1 and 9.5; RFC 3279, 2.3).

Elliptic curves come by number, by name or written out, and written out they must be a known curve in every
value. Diffie-Hellman groups come by number, as X9.42 writes them (p, g, q) or as PKCS #3 does (p, g, length).
"""

from dataclasses import dataclass

from gated.document import tlv
from gated.document.errors import GroupError, TlvError
from gated.document.groups.curves import by_oid, by_parameters
from gated.document.groups.domains import Domain, EllipticDomain, ModpDomain, residues, standardized
from gated.document.groups.modp import MAX_PRIME_BITS

MAX_KEY_INFO = 4096  # bytes; a group of 4096 bits written out, and a key in it, take 1.6 KiB

_INTEGER, _BIT_STRING, _OCTETS, _OID, _SEQUENCE = 0x02, 0x03, 0x04, 0x06, 0x30

_PRIME_FIELD = "1.2.840.10045.1.1"
_MAX_ARC = 1 << 64


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A static public key: its domain, and the plain public key value."""

    domain: Domain
    value: bytes


def dotted(content: bytes) -> str:
    """An object identifier from its content octets (X.690, 8.19). Raises GroupError(`oid_malformed`)."""
    arcs, arc = [], 0
    if not content or content[-1] & 0x80:
        raise GroupError("oid_malformed")
    for byte in content:
        arc = arc << 7 | byte & 0x7F
        if arc >= _MAX_ARC:
            raise GroupError("oid_malformed")
        if not byte & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


def parse_domain(algorithm: bytes) -> Domain:
    """Read an AlgorithmIdentifier that names domain parameters. Raises GroupError."""
    try:
        return _domain(algorithm)
    except (TlvError, ValueError) as error:  # ValueError: more fields, or fewer
        raise GroupError("domain_malformed") from error


def parse_public_key(info: bytes) -> PublicKey:
    """Read a SubjectPublicKeyInfo, and check that the key is one of its group. Raises GroupError."""
    try:
        algorithm, key = tlv.parse(_inside(info, _SEQUENCE))
        domain = _domain(algorithm.encode())
        coded = _value(key, _BIT_STRING)
        if coded[:1] != b"\0":  # a whole number of bytes
            raise GroupError("key_malformed")
        if isinstance(domain, EllipticDomain):
            return PublicKey(domain, domain.curve.encode(domain.curve.decode(coded[1:])))
        number = _number(tlv.parse_one(coded[1:]))
        group = domain.group
        return PublicKey(domain, group.encode(group.decode(group.encode(number))))
    except (TlvError, ValueError) as error:  # ValueError: more fields, or fewer
        raise GroupError("key_malformed") from error


def _domain(algorithm: bytes) -> EllipticDomain | ModpDomain:
    fields = tlv.parse(_inside(algorithm, _SEQUENCE))
    if len(fields) != 2 or fields[0].tag != _OID:
        raise GroupError("domain_malformed")
    parameters = fields[1]
    match dotted(fields[0].value):
        case "0.4.0.127.0.7.1.2":  # standardizedDomainParameters
            return standardized(_number(parameters))
        case "1.2.840.10045.2.1":  # ecPublicKey
            return _curve(parameters)
        case "1.2.840.10046.2.1":  # dhpublicnumber, X9.42: p, g, q, and what is not looked at
            p, g, q = (_number(item) for item in tlv.parse(_value(parameters, _SEQUENCE))[:3])
            return residues(p, g, q)
        case "1.2.840.113549.1.3.1":  # dhKeyAgreement, PKCS #3: p, g, and perhaps the length of private keys
            p, g, *length = (_number(item) for item in tlv.parse(_value(parameters, _SEQUENCE)))
            return residues(p, g, exponent_bits=length[0] if length else None)
    raise GroupError("domain_unsupported")


def _curve(parameters: tlv.Tlv) -> EllipticDomain:
    """ECParameters of RFC 3279 section 2.3.5: a name, or all values."""
    if parameters.tag == _OID:
        return EllipticDomain(by_oid(dotted(parameters.value)))
    version, field, equation, base, order, *cofactor = tlv.parse(_value(parameters, _SEQUENCE))
    kind, prime = tlv.parse(_value(field, _SEQUENCE))
    a, b, *_seed = tlv.parse(_value(equation, _SEQUENCE))
    if version.tag != _INTEGER or len(cofactor) > 1:
        raise GroupError("domain_malformed")
    if kind.tag != _OID or dotted(kind.value) != _PRIME_FIELD:
        raise GroupError("domain_unsupported")
    curve = by_parameters(
        _number(prime),
        int.from_bytes(_value(a, _OCTETS), "big"),
        int.from_bytes(_value(b, _OCTETS), "big"),
        base=_value(base, _OCTETS),
        n=_number(order),
        cofactor=_number(cofactor[0]) if cofactor else 1,
    )
    return EllipticDomain(curve)


def _inside(raw: bytes, tag: int) -> bytes:
    return tlv.parse_one(raw, tag, max_length=MAX_KEY_INFO).value


def _value(item: tlv.Tlv, tag: int) -> bytes:
    if item.tag != tag:
        raise TlvError("tlv_unexpected_tag")
    return item.value


def _number(item: tlv.Tlv) -> int:
    """A positive INTEGER no longer than a prime."""
    content = _value(item, _INTEGER)
    if not content or content[0] & 0x80 or len(content) > MAX_PRIME_BITS // 8 + 1:
        raise TlvError("tlv_integer")
    return int.from_bytes(content, "big")
