"""The proof of PACE with chip authentication mapping (Doc 9303-11 section 4.4.3.5.2).

The chip's key of the mapping must be its static public key times the data that it sent. That says something
only where passive authentication found EF.CardSecurity good: a forger writes his own.
"""

from gated.document import keys
from gated.document.access.pace import MappingEvidence
from gated.document.access.security_infos import SecurityInfos
from gated.document.groups.domains import EllipticDomain
from gated.document.groups.key_info import PublicKey


def verify_mapping(card_security: SecurityInfos, evidence: MappingEvidence) -> str:
    """Whether the chip proved that it knows its static private key: empty if so, else why not.

    `mapping_key_missing`: no key in EF.CardSecurity has the identifier of the offer, nor is there a single
    one without any (TR-03110-3, A.1.1.2). `mapping_key_unusable`: it is not on the curve of the offer, or
    cannot be read. `mapping_data_missing`: the chip sent no data, or of the wrong length. `mapping_mismatch`:
    another chip, or a copy. To be called only on top of passive authentication.
    """
    domain = evidence.choice.domain
    if not isinstance(domain, EllipticDomain):
        return "mapping_key_unusable"
    listed, number = card_security.chip_keys, evidence.choice.offer.parameter_id
    named = [it for it in listed if it.key_id == number or (it.key_id is None and len(listed) == 1)]
    if not named:
        return "mapping_key_missing"
    static = [it.key for it in named if it.key is not None and it.key.domain.number == domain.number]
    if len(static) != 1:
        return "mapping_key_unusable"
    return _compare(domain, static[0], evidence)


def _compare(domain: EllipticDomain, static: PublicKey, evidence: MappingEvidence) -> str:
    curve = domain.curve
    factor = int.from_bytes(evidence.data, "big")
    if len(evidence.data) != (curve.n.bit_length() + 7) // 8 or not 0 < factor < curve.n:
        return "mapping_data_missing"
    product = curve.encode(curve.multiply(factor, curve.decode(static.value)))
    return "" if keys.equal(product, evidence.public) else "mapping_mismatch"
