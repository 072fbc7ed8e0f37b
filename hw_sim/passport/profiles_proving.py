"""Profiles of the ways in and of the proofs that a chip is genuine, of issuing states, and of forgeries."""

import dataclasses
from datetime import date
from typing import Any, Final

from msgspec.structs import replace

from gated.document.groups import domain_parameters
from gated.document.keys import Suite
from hw_sim.passport.chip_active import ActiveProfile
from hw_sim.passport.issuer import (
    BAC_ONLY,
    PACE_AND_BAC,
    PACE_ONLY,
    Passport,
    with_another_birth_date,
    with_another_face,
    with_another_page,
    with_copied_chip,
    with_cut_sod,
)
from hw_sim.passport.pki_keys import Recipe
from hw_sim.passport.profile import Change, Expected, Profile, photograph
from hw_sim.passport.protocols import ChipAuthenticationProfile, Mapping, PaceProfile

BRAINPOOL_256: Final = 13
_GROUPS: Final = (0, 1, 2)  # the DH groups of RFC 5114
_LABELS: Final = ("1024q160", "2048q224", "2048q256")  # lengths of prime and order
_AES: Final = (Suite.AES_128, Suite.AES_192, Suite.AES_256)

BAC: Final = Expected(access="BAC", reason="no_card_access")
PACE: Final = Expected(access="PACE-ECDH-GM-AES-128")
_BY_CHIP: Final = replace(BAC, proof="chip_authentication")
_BY_SIGNATURE: Final = replace(BAC, proof="active_authentication")


def _slug(name: str) -> str:
    return name.lower().replace("-", "")


# --- ways in -----------------------------------------------------------------------------------------


def _pace(mapping: Mapping, suite: Suite, domain: int, label: str) -> Profile:
    elliptic = domain not in _GROUPS
    agreement = "ECDH" if elliptic else "DH"
    kind = mapping.lower() if elliptic else f"dh-{mapping.lower()}"
    proof = "chip_authentication_mapping" if mapping == "CAM" else ""
    return Profile(
        f"pace-{kind}-{_slug(suite.value)}-{_slug(label)}",
        f"PACE, {agreement} with {_MAPPINGS[mapping]}, {suite.value} on {label}",
        Expected(access=f"PACE-{agreement}-{mapping}-{suite.value}", proof=proof),
        replace(PACE_ONLY, pace=(PaceProfile(suite=suite, domain=domain, mapping=mapping),)),
    )


# Integrated mapping is defined where the field's prime is 3 modulo 4 (Doc 9303-11 appendix B): not for P-224.
_MAPPED_CURVES: Final = tuple(curve for curve in domain_parameters.TABLE if curve.p % 4 == 3)
_MAPPINGS: Final = {
    "GM": "generic mapping",
    "IM": "integrated mapping",
    "CAM": "chip authentication mapping",
}
_EXPLICIT: Final = replace(
    PACE_ONLY, pace=(PaceProfile(suite=Suite.AES_128, domain=BRAINPOOL_256, explicit=64),)
)
_SEVERAL: Final = replace(
    PACE_AND_BAC,
    pace=(
        PaceProfile(suite=Suite.TDES, domain=12),
        PaceProfile(suite=Suite.AES_256, domain=16),
        PaceProfile(suite=Suite.AES_256, domain=12, mapping="IM"),
    ),
)

WAYS_IN: Final = (
    *(_pace("GM", suite, curve.number, curve.name) for curve in domain_parameters.TABLE for suite in Suite),
    *(_pace("IM", Suite.AES_128, curve.number, curve.name) for curve in _MAPPED_CURVES),
    *(_pace("IM", suite, BRAINPOOL_256, "brainpoolP256r1") for suite in Suite if suite is not Suite.AES_128),
    *(_pace("CAM", Suite.AES_128, curve.number, curve.name) for curve in domain_parameters.TABLE),
    *(_pace("CAM", suite, BRAINPOOL_256, "brainpoolP256r1") for suite in _AES[1:]),
    *(_pace("GM", suite, group, _LABELS[group]) for group in _GROUPS for suite in Suite),
    *(_pace("IM", suite, group, _LABELS[group]) for group in _GROUPS for suite in Suite),
    Profile("pace-explicit", "PACE on a curve that is written out in EF.CardAccess", PACE, _EXPLICIT),
    Profile(
        "pace-several",
        "three offers of PACE, on different curves",
        Expected(access="PACE-ECDH-GM-AES-256"),
        _SEVERAL,
    ),
)


# --- proofs of genuineness ---------------------------------------------------------------------------


def _chip(name: str, title: str, *profiles: ChipAuthenticationProfile) -> Profile:
    protocols = replace(BAC_ONLY, chip_authentication=profiles)
    return Profile(f"ca-{name}", f"chip authentication: {title}", _BY_CHIP, protocols)


def _signs(name: str, title: str, profile: ActiveProfile) -> Profile:
    return Profile(
        f"aa-{name}",
        f"active authentication: {title}",
        _BY_SIGNATURE,
        issued={"active_authentication": profile},
    )


def _key(suite: Suite, domain: int, **options: Any) -> ChipAuthenticationProfile:
    return ChipAuthenticationProfile(suite=suite, domain=domain, **options)


_AES_128: Final = Suite.AES_128

PROOFS: Final = (
    *(
        _chip(
            f"{_slug(suite.value)}-{_slug(curve.name)}",
            f"{suite.value} with ECDH on {curve.name}",
            _key(suite, curve.number),
        )
        for curve in domain_parameters.TABLE
        for suite in ((Suite.TDES, *_AES) if curve.number == BRAINPOOL_256 else (_AES_128,))
    ),
    *(
        _chip(
            f"{_slug(suite.value)}-dh-{_slug(_LABELS[group])}",
            f"{suite.value} with DH of {_LABELS[group]}",
            _key(suite, group),
        )
        for group in _GROUPS
        for suite in (Suite.TDES, _AES_128)
    ),
    _chip("v2-ecdh", "version 2, AES-128 with ECDH", _key(_AES_128, 13, version=2)),
    _chip("v2-dh", "version 2, AES-256 with DH", _key(Suite.AES_256, 2, version=2)),
    _chip("v2-3des", "version 2, 3DES with ECDH", _key(Suite.TDES, 12, version=2)),
    _chip("named", "a curve by its name", _key(_AES_128, 12, written="named")),
    _chip("standardized", "a curve by its number", _key(_AES_128, 13, written="standardized")),
    _chip("pkcs3", "DH as PKCS #3 writes it", _key(Suite.TDES, 1, written="pkcs3")),
    _chip("unannounced", "a key alone, which means 3DES", _key(Suite.TDES, 13, announced=False)),
    _chip("two-keys", "two keys, told apart", _key(Suite.TDES, 12, key_id=1), _key(_AES_128, 13, key_id=2)),
    _signs("rsa1024", "RSA of 1024 bits, SHA-1 by trailer BC", ActiveProfile(rsa_bits=1024, implicit=True)),
    *(
        _signs(
            f"rsa-{digest}",
            f"RSA of 2048 bits, {digest} by its number",
            ActiveProfile(rsa_bits=2048, digest=digest),
        )
        for digest in ("sha1", "sha224", "sha256", "sha384", "sha512")
    ),
    _signs("rsa-total", "RSA, the challenge recovered too", ActiveProfile(rsa_bits=2048, total=True)),
    _signs("rsa-smaller", "RSA, the smaller of two signatures", ActiveProfile(rsa_bits=2048, smaller=True)),
    _signs("rsa-padded", "RSA, padded before the recovered part", ActiveProfile(rsa_bits=2048, filled=4)),
    *(
        _signs(f"ecdsa-{_slug(curve.name)}", f"ECDSA on {curve.name}", ActiveProfile(domain=curve.number))
        for curve in domain_parameters.TABLE
    ),
    _signs("ecdsa-der", "ECDSA, the signature as a SEQUENCE", ActiveProfile(der=True)),
    _signs("ecdsa-explicit", "ECDSA on a curve written out", ActiveProfile(domain=13, explicit=True)),
    _signs("ecdsa-unannounced", "ECDSA without DG14 to say how", ActiveProfile(announced=False)),
    _signs("ecdsa-sha512", "ECDSA on P-521 with SHA-512", ActiveProfile(domain=18, digest="sha512")),
    Profile(
        "all-proofs",
        "PACE-CAM, chip authentication and active authentication",
        Expected(access="PACE-ECDH-CAM-AES-128", proof="chip_authentication_mapping"),
        replace(
            PACE_AND_BAC,
            pace=(PaceProfile(suite=_AES_128, domain=13, mapping="CAM"),),
            chip_authentication=(_key(_AES_128, 13, key_id=1),),
        ),
        issued={"active_authentication": ActiveProfile()},
    ),
    Profile(
        "fingers",
        "fingerprints behind terminal authentication",
        replace(PACE, proof="chip_authentication"),
        replace(PACE_AND_BAC, chip_authentication=(_key(_AES_128, 13),)),
        fingers=True,
    ),
)


# --- states ------------------------------------------------------------------------------------------


def _state(name: str, title: str, *, digest: str = "sha256", **state: object) -> Profile:
    return Profile(
        f"state-{name}", f"signed by a state with {title}", BAC, state=state, issued={"digest": digest}
    )


STATES: Final = (
    *(
        _state(f"rsa-{name}", f"RSA and {name}", digest=name, signer_recipe=Recipe("rsa", name))
        for name in ("sha1", "sha224", "sha256", "sha384", "sha512")
    ),
    *(
        _state(f"pss-{name}", f"RSA-PSS and {name}", digest=name, signer_recipe=Recipe("rsa-pss", name))
        for name in ("sha1", "sha256", "sha512")
    ),
    _state("rsa-root", "an RSA root", root_recipe=Recipe("rsa", "sha256")),
    _state("pss-root", "an RSA-PSS root", root_recipe=Recipe("rsa-pss", "sha256")),
    _state("named", "a root on a named curve", explicit=False),
    *(
        _state(f"ecdsa-{curve.lower()}", f"ECDSA on {curve}", signer_curve=curve)
        for curve in ("secp224r1", "secp384r1", "secp521r1", "brainpoolP224r1", "brainpoolP320r1",
                      "brainpoolP384r1", "brainpoolP512r1")
    ),
)  # fmt: skip


# --- forgeries ---------------------------------------------------------------------------------------


def _with_another_birth_date(passport: Passport) -> Passport:
    return with_another_birth_date(passport, date(1999, 1, 2))


def _with_another_face(passport: Passport) -> Passport:
    return with_another_face(passport, photograph("jpeg2000"))


def _in_another_page(passport: Passport) -> Passport:
    return with_another_page(passport, "UT0815472")


def _forged(name: str, title: str, expected: Expected, change: Change) -> Profile:
    return Profile(f"forged-{name}", title, expected, PACE_AND_BAC, change=change)


def _cloned(name: str, title: str, doubt: str, original: Profile) -> Profile:
    expected = replace(original.expected, proof="", doubts=(doubt,))
    return dataclasses.replace(
        original, name=f"clone-{name}", title=title, expected=expected, change=with_copied_chip
    )


_GENUINE: Final = {profile.name: profile for profile in (*WAYS_IN, *PROOFS)}
_HASHES: Final = replace(PACE, doubts=("dg_hashes",))

FORGERIES: Final = (
    _forged("birth", "another birth date in zone and DG1", _HASHES, _with_another_birth_date),
    _forged("face", "another portrait", _HASHES, _with_another_face),
    _forged(
        "page",
        "a genuine chip in another document's page",
        replace(PACE, doubts=("mrz_matches_chip",)),
        _in_another_page,
    ),
    _forged("sod", "a security object that ends early", Expected(error="sod_truncated"), with_cut_sod),
    _cloned("ca", "files copied, not the key of chip authentication", "chip_authentication",
            _GENUINE["ca-aes128-brainpoolp256r1"]),
    _cloned("aa", "files copied, not the key of active authentication", "active_authentication",
            _GENUINE["aa-rsa-sha256"]),
    _cloned("cam", "files copied, not the key of PACE-CAM", "chip_authentication_mapping",
            _GENUINE["pace-cam-aes128-brainpoolp256r1"]),
)  # fmt: skip
