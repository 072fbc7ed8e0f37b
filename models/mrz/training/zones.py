"""Random zones of Doc 9303-3 to -7 with right check digits, and lines of no sense at all."""

from dataclasses import dataclass

import numpy as np

ALPHABET = "<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LETTERS = ALPHABET[11:]
DIGITS = ALPHABET[1:11]

_VALUES = {c: i for i, c in enumerate(DIGITS + LETTERS)} | {"<": 0}
_CODES = """
ABW AFG AGO ALB AND ARE ARG ARM ATG AUS AUT AZE BDI BEL BEN BFA BGD BGR BHR BHS BIH BLR BLZ BOL BRA
BRB BRN BTN BWA CAF CAN CHE CHL CHN CIV CMR COD COG COL COM CPV CRI CUB CYP CZE DJI DMA DNK DOM DZA
ECU EGY ERI ESP EST ETH FIN FJI FRA FSM GAB GBR GEO GHA GIN GMB GNB GNQ GRC GRD GTM GUY HND HRV HTI
HUN IDN IND IRL IRN IRQ ISL ISR ITA JAM JOR JPN KAZ KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA
LIE LKA LSO LTU LUX LVA MAR MCO MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG MOZ MRT MUS MWI MYS NAM
NER NGA NIC NLD NOR NPL NRU NZL OMN PAK PAN PER PHL PLW PNG POL PRK PRT PRY PSE QAT ROU RUS RWA SAU
SDN SEN SGP SLB SLE SLV SMR SOM SRB SSD STP SUR SVK SVN SWE SWZ SYC SYR TCD TGO THA TJK TKM TLS TON
TTO TUN TUR TUV TWN TZA UGA UKR URY USA UZB VAT VCT VEN VNM VUT WSM YEM ZAF ZMB ZWE UTO EUE
UNO D<< D<< D<<
""".split()  # noqa: SIM905  # a list of 180 literals is no list to read


@dataclass(frozen=True, slots=True)
class Zone:
    """The lines of a zone; `format` is TD1, TD2, TD3, MRVA, MRVB, FRA (the French card) or NONSENSE."""

    format: str
    lines: tuple[str, ...]


def check_digit(text: str) -> str:
    """Doc 9303-3 section 4.9."""
    return str(sum(_VALUES[c] * (7, 3, 1)[i % 3] for i, c in enumerate(text)) % 10)


def random_zone(rng: np.random.Generator, *, nonsense: float = 0.0) -> Zone:
    """A zone of a random format; with probability `nonsense`, random characters."""
    if rng.random() < nonsense:
        count, width = ((3, 30), (2, 36), (2, 44))[rng.integers(3)]
        return Zone("NONSENSE", tuple(_nonsense(rng, width) for _ in range(count)))
    kind = str(
        rng.choice(["TD1", "TD2", "TD3", "MRVA", "MRVB", "FRA"], p=[0.3, 0.15, 0.35, 0.08, 0.08, 0.04])
    )
    if kind == "FRA":
        return Zone(kind, _french(rng))
    if kind == "TD1":
        return Zone(kind, _td1(rng))
    return Zone(kind, _two_lines(rng, kind))


def _pick(rng: np.random.Generator, symbols: str, count: int) -> str:
    return "".join(symbols[i] for i in rng.integers(0, len(symbols), count))


def _nonsense(rng: np.random.Generator, width: int) -> str:
    filler = rng.choice([0.03, 0.1, 0.3])
    weights = np.r_[filler, np.full(10, (1 - filler) * 0.4 / 10), np.full(26, (1 - filler) * 0.6 / 26)]
    body = "".join(ALPHABET[i] for i in rng.choice(37, width, p=weights))
    used = int(rng.integers(width // 3, width + 1))
    return body[:used].ljust(width, "<")


def _word(rng: np.random.Generator, longest: int = 12) -> str:
    """Half of them can be spoken."""
    length = int(rng.integers(2, longest + 1))
    if rng.random() < 0.5:
        return _pick(rng, LETTERS, length)
    pairs = (_pick(rng, "BCDFGHJKLMNPQRSTVWXYZ", 1) + _pick(rng, "AEIOUY", 1) for _ in range(length))
    return "".join(pairs)[:length]


def _name(rng: np.random.Generator, width: int) -> str:
    surname = "<".join(_word(rng) for _ in range(rng.choice([1, 1, 1, 2])))
    given = "<".join(_word(rng, 9) for _ in range(rng.choice([0, 1, 1, 2, 2, 3])))
    name = f"{surname}<<{given}" if given else surname
    return name[:width].ljust(width, "<")


def _date(rng: np.random.Generator) -> str:
    return f"{rng.integers(100):02}{rng.integers(1, 13):02}{rng.integers(1, 29):02}"


def _issuer(rng: np.random.Generator) -> str:
    return _CODES[rng.integers(len(_CODES))]


def _nationality(rng: np.random.Generator, issuer: str) -> str:
    """Mostly the issuer's own citizens; stateless persons and refugees have codes of their own."""
    if rng.random() < 0.8:
        return issuer
    codes = (*_CODES, "XXA", "XXB", "XXC")
    return codes[rng.integers(len(codes))]


def _number(rng: np.random.Generator) -> str:
    form = int(rng.integers(4))
    if form == 0:
        return _pick(rng, DIGITS, 9)
    if form == 1:
        return _pick(rng, LETTERS, int(rng.integers(1, 3))) + _pick(rng, DIGITS, 7)
    if form == 2:
        return _pick(rng, DIGITS + LETTERS, 9)
    return _pick(rng, LETTERS, 1) + _pick(rng, DIGITS, int(rng.integers(5, 8)))


def _optional(rng: np.random.Generator, width: int) -> str:
    if rng.random() < 0.55:
        return "<" * width
    text = _pick(rng, DIGITS if rng.random() < 0.6 else DIGITS + LETTERS, int(rng.integers(1, width + 1)))
    return text[:width].ljust(width, "<")


def _dates_and_sex(rng: np.random.Generator) -> str:
    birth, expiry = _date(rng), _date(rng)
    return (
        birth + check_digit(birth) + "FM<"[rng.choice(3, p=[0.47, 0.47, 0.06])] + expiry + check_digit(expiry)
    )


def _type(rng: np.random.Generator, first: str) -> str:
    return first + ("<" if rng.random() < 0.6 else _pick(rng, LETTERS, 1))


def _two_lines(rng: np.random.Generator, kind: str) -> tuple[str, ...]:
    width = 44 if kind in {"TD3", "MRVA"} else 36
    first = "P" if kind == "TD3" else "V" if kind.startswith("MRV") else "ACI"[rng.integers(3)]
    issuer = _issuer(rng)
    upper = _type(rng, first) + issuer + _name(rng, width - 5)
    number = _number(rng)[:9].ljust(9, "<")
    nationality = _nationality(rng, issuer)
    middle = _dates_and_sex(rng)
    lower = number + check_digit(number) + nationality + middle
    if kind == "TD3":
        optional = _optional(rng, 14)
        digit = "<" if not optional.strip("<") and rng.random() < 0.4 else check_digit(optional)
        lower += optional + digit
    elif kind == "TD2":
        lower += _optional(rng, 7)
    else:
        return upper, lower + _optional(rng, width - 28)
    return upper, lower + check_digit(lower[:10] + lower[13:20] + lower[21:])


def _td1(rng: np.random.Generator) -> tuple[str, ...]:
    issuer = _issuer(rng)
    if rng.random() < 0.1:  # Doc 9303-5, note j: a number of more than nine characters
        number = _pick(rng, DIGITS + LETTERS, int(rng.integers(10, 16)))
        rest = number[9:] + check_digit(number)
        upper = _type(rng, "ACI"[rng.integers(3)]) + issuer + number[:9] + "<" + rest.ljust(15, "<")
    else:
        number = _number(rng)[:9].ljust(9, "<")
        upper = (
            _type(rng, "ACI"[rng.integers(3)]) + issuer + number + check_digit(number) + _optional(rng, 15)
        )
    nationality = _nationality(rng, issuer)
    middle = _dates_and_sex(rng) + nationality + _optional(rng, 11)
    covered = upper[5:] + middle[:7] + middle[8:15] + middle[18:]
    return upper, middle + check_digit(covered), _name(rng, 30)


def _french(rng: np.random.Generator) -> tuple[str, ...]:
    """The French national identity card of 1988 to 2021."""
    upper = "IDFRA" + _word(rng, 20).ljust(25, "<") + _pick(rng, DIGITS, 6)
    number = f"{rng.integers(88, 122) % 100:02}{rng.integers(1, 13):02}" + _pick(rng, DIGITS, 8)
    given = "<<".join(_word(rng, 8) for _ in range(rng.choice([1, 2])))[:14].ljust(14, "<")
    birth = _date(rng)
    lower = number + check_digit(number) + given + birth + check_digit(birth) + "FM"[rng.integers(2)]
    return upper, lower + check_digit(upper + lower)
