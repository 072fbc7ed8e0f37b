"""Personalisation: from a person, a photograph and a state's keys to a passport, genuine or forged.

A `Passport` is what is printed and what is stored: the lines of the page, and the chip's files with the
password that opens them. `issue` makes a genuine one. Forgeries are made the way a forger makes them, by
changing a genuine passport afterwards, so each keeps every signature and check digit that it still can;
what must give it away stands in its function's docstring.

The password of a chip follows from the lines on its page, also on a forgery: a forger who cannot open his
own chip is found out too early to be interesting.

Issuing takes some milliseconds. With elliptic keys the same input gives the same bytes.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

from msgspec.structs import replace

from gated.core.values import Value
from gated.document.keys import Suite
from gated.document.tlv import encode
from hw_sim.passport import chip_terminal, faces, lds
from hw_sim.passport.chip_active import ActiveKey, ActiveProfile
from hw_sim.passport.chip_terminal import TerminalTrust
from hw_sim.passport.faces import RecordStandard
from hw_sim.passport.pki import Authority
from hw_sim.passport.protocols import (
    ChipAuthenticationProfile,
    PaceProfile,
    Protocols,
    StaticKey,
    chip_authentication_infos,
    mapping_infos,
    set_of,
    static_keys,
)

__all__ = [
    "BAC_ONLY",
    "BROKEN_JPEG",
    "NOT_AN_IMAGE",
    "PACE_AND_BAC",
    "PACE_ONLY",
    "ActiveProfile",
    "Authority",
    "ChipAuthenticationProfile",
    "PaceProfile",
    "Passport",
    "Person",
    "Protocols",
    "Suite",
    "TerminalTrust",
    "check_digit",
    "issue",
    "mrz_lines",
    "with_another_birth_date",
    "with_another_face",
    "with_another_page",
    "with_copied_chip",
    "with_cut_sod",
    "with_file",
]

BAC_ONLY = Protocols()
PACE_AND_BAC = Protocols(pace=(PaceProfile(suite=Suite.AES_128, domain=13),))  # 13: brainpoolP256r1
PACE_ONLY = Protocols(bac=False, pace=PACE_AND_BAC.pace)

NOT_AN_IMAGE = b"This is a portrait." * 700
BROKEN_JPEG = b"\xff\xd8\xff\xe0" + bytes(13_000)  # begins like one: only a decoder finds out

_NAME_WIDTH = 39
_WEIGHTS = (7, 3, 1)


class Person(Value):
    """Who a passport is for, and its number and dates. Names in A to Z, space, hyphen and apostrophe."""

    surname: str
    given_names: str
    number: str
    birth: date
    expiry: date
    sex: Literal["M", "F", "X"] = "X"
    nationality: str = "UTO"
    optional: str = ""  # such as a personal number, up to 14 characters

    def __post_init__(self) -> None:
        if not re.fullmatch("[A-Z0-9]{1,9}", self.number):
            raise ValueError("a document number is one to nine of A to Z and 0 to 9: correct `number`")
        if not re.fullmatch("[A-Z]{1,3}", self.nationality):
            raise ValueError("a nationality is one to three letters A to Z: correct `nationality`")
        if not re.fullmatch("[A-Z0-9<]{0,14}", self.optional):
            raise ValueError("optional data is up to 14 of A to Z, 0 to 9 and <: correct `optional`")

    def __repr__(self) -> str:
        return "Person(‹personal›)"


class Passport(Value):
    """A TD3 passport: the printed lines, and the chip's files by file identifier."""

    person: Person
    state: str
    lines: tuple[str, str]
    files: dict[int, bytes]
    protocols: Protocols
    active: ActiveKey | None = None
    terminal: TerminalTrust | None = None
    static_keys: tuple[StaticKey, ...] = ()

    def __repr__(self) -> str:
        return "Passport(‹personal›)"

    @property
    def access_key(self) -> str:
        """The MRZ information that opens the chip: number, birth, expiry, each with its check digit."""
        second = self.lines[1]
        return second[:10] + second[13:20] + second[21:28]


def issue(
    authority: Authority,
    person: Person,
    photograph: bytes,
    *,
    protocols: Protocols = PACE_AND_BAC,
    digest: Literal["sha1", "sha256", "sha384", "sha512"] = "sha256",
    by_key_id: bool = False,
    record: RecordStandard = "19794-5:2005",
    more_photographs: Sequence[bytes] = (),
    extra: Mapping[int, bytes] | None = None,
    lds_versions: tuple[str, str] | None = None,
    active_authentication: ActiveProfile | None = None,
    terminal_authentication: TerminalTrust | None = None,
) -> Passport:
    """Make a genuine passport. `photograph` is an encoded image; it is not looked into.

    `by_key_id` names the document signer by its key identifier in place of issuer and serial number.
    `record` is the standard of DG2, where `more_photographs` stand behind the first. `extra` are more data
    groups by file identifier, signed like the others (see `details`). `lds_versions` makes the security
    object one of version 1. `active_authentication` adds a key with its DG15. With `terminal_authentication`
    DG3 and DG4 stay closed to terminals that no trusted CVCA answers for.
    """
    if not protocols.bac and not protocols.pace:
        raise ValueError("a chip needs BAC or PACE: set `bac` or add a PACE profile")
    lines = mrz_lines(person, authority.state)
    photographs = [photograph, *more_photographs]
    files = {lds.DG1: lds.dg1(lines), lds.DG2: faces.dg2(photographs, person.sex, record)}
    active = ActiveKey.make(active_authentication, person.number) if active_authentication else None
    infos = [active.security_info] if active and active.security_info else []
    if terminal_authentication:
        infos.append(chip_terminal.security_info())
    private = static_keys(protocols, person.number)
    infos += chip_authentication_infos(protocols.chip_authentication, private)
    if protocols.pace or infos:
        files[lds.DG14] = lds.dg14(protocols.pace, infos)
    if active:
        files[lds.DG15] = encode(0x6F, active.public_info)
    files |= extra or {}
    content = lds.security_object(files, digest, lds_versions)
    signed = authority.sign_document(content, by_key_id=by_key_id)
    files[lds.COM] = lds.com(files)
    files[lds.SOD] = lds.sod(signed)
    files[lds.DIR] = lds.application_directory()
    if protocols.pace:
        files[lds.CARD_ACCESS] = lds.card_access(protocols.pace)
    if any(profile.mapping == "CAM" for profile in protocols.pace):
        content = set_of(mapping_infos(protocols.pace, private))
        files[lds.CARD_SECURITY] = authority.sign_card_security(content)
    return Passport(
        person=person,
        state=authority.state,
        lines=lines,
        files=files,
        protocols=protocols,
        active=active,
        terminal=terminal_authentication,
        static_keys=private,
    )


# --- forgeries and damage ------------------------------------------------------------------------


def with_another_birth_date(passport: Passport, birth: date) -> Passport:
    """Page and DG1 changed after signing, all check digits good: the hash of DG1 gives it away."""
    person = replace(passport.person, birth=birth)
    lines = mrz_lines(person, passport.state)
    changed = replace(passport, person=person, lines=lines)
    return with_file(changed, lds.DG1, lds.dg1(lines))


def with_another_page(passport: Passport, number: str) -> Passport:
    """A genuine chip in the page of another document: MRZ and DG1 disagree, all signatures hold."""
    page = replace(passport.person, number=number)
    return replace(passport, lines=mrz_lines(page, passport.state))


def with_another_face(passport: Passport, photograph: bytes) -> Passport:
    """The portrait exchanged after signing: the hash of DG2 gives it away."""
    return with_file(passport, lds.DG2, faces.dg2([photograph], passport.person.sex))


def with_cut_sod(passport: Passport, kept: float = 0.5) -> Passport:
    """A security object that ends early: its head promises more bytes than the file has."""
    whole = passport.files[lds.SOD]
    return with_file(passport, lds.SOD, whole[: int(len(whole) * kept)])


def with_copied_chip(passport: Passport) -> Passport:
    """What somebody can make who has read the chip: all its files, and private keys of their own."""
    active = passport.active and ActiveKey.make(passport.active.profile, "copied")
    return replace(passport, static_keys=static_keys(passport.protocols, "copied"), active=active)


def with_file(passport: Passport, fid: int, content: bytes | None) -> Passport:
    """Any file exchanged after signing, or taken away."""
    files = {key: value for key, value in passport.files.items() if key != fid}
    if content is not None:
        files[fid] = content
    return replace(passport, files=files)


# --- the machine-readable zone ---------------------------------------------------------------------


def mrz_lines(person: Person, state: str) -> tuple[str, str]:
    """The two lines of 44 characters of a TD3 document (Doc 9303-4 section 4.2).

    Raises ValueError for a name that does not fit or has other letters; this printer does not shorten.
    """
    names = f"{_in_mrz(person.surname)}<<{_in_mrz(person.given_names)}".rstrip("<")
    if len(names) > _NAME_WIDTH:
        raise ValueError(f"a name takes {len(names)} of {_NAME_WIDTH} characters: shorten it")
    number = _checked(person.number.ljust(9, "<"))
    birth, expiry = (_checked(day.strftime("%y%m%d")) for day in (person.birth, person.expiry))
    optional = _checked(person.optional.ljust(14, "<"), blank="<")
    composite = check_digit(number + birth + expiry + optional)
    sex = "<" if person.sex == "X" else person.sex
    second = f"{number}{person.nationality:<<3}{birth}{sex}{expiry}{optional}{composite}"
    return f"P<{state:<<3}{names:<<39}", second


def check_digit(field: str) -> str:
    """Weights 7, 3, 1 modulo 10; A to Z count as 10 to 35 and `<` as 0 (Doc 9303-3 section 4.9)."""
    values = (0 if letter == "<" else int(letter, 36) for letter in field)
    return str(sum(value * _WEIGHTS[at % 3] for at, value in enumerate(values)) % 10)


def _checked(field: str, *, blank: str = "0") -> str:
    """The field and its check digit; an empty optional field may show `<` in its place."""
    return field + (check_digit(field) if field.strip("<") else blank)


def _in_mrz(name: str) -> str:
    """A name as the zone shows it: separators become `<`, apostrophes vanish."""
    coded = "<".join(name.upper().replace("'", "").replace("-", " ").split())
    if not all("A" <= letter <= "Z" or letter == "<" for letter in coded):
        raise ValueError("a name has letters outside A to Z: transliterate it first (Doc 9303-3, 6)")
    return coded
