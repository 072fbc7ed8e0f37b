"""From probabilities of characters to a zone: the search for what Doc 9303 allows and the image supports.

A line reader says for every place how likely each of the 37 symbols is. Of the zones that the grammar of a
format allows (letters and digits where they belong, names built as names, codes of states, dates, check
digits), this finds the likeliest, and how much of the likelihood its rivals hold. Check digits decide between
rivals in the fields that they cover only; they cannot tell 0 from K or 1 from L, whose values are equal
modulo 10, and they cover no name. So a zone is `read` only when its share against its rivals is high and the
image is not strained to allow it; else `unsure`: what the digits cannot protect has to be plain to see.

Scores are natural logarithms. Nothing here knows pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from math import exp, log
from typing import Literal

from gated.core.personal import Personal
from gated.document.mrz.characters import check_digit
from gated.document.mrz.decoding_grammar import (
    ALPHABET,
    DIGITS,
    FORMATS,
    WRONG_DIGIT,
    Field,
    Format,
    weighted,
)

Place = Sequence[float]
"""Probabilities of the symbols of ALPHABET at one place of a line; together about 1."""
Line = Sequence[Place]
Verdict = Literal["read", "unsure", "none"]

DOUBT = 1e-4  # share of every probability that is spread over all symbols: the reader may be wrong and sure
OPTIONS = 6  # symbols of a place that are followed
BEAM = 160  # texts of a field that are kept while it is spelled
WITHIN = 11.0  # a text less likely than the best by more than this is dropped
KEPT = 24  # texts of a finished field
TOGETHER = 400  # combinations of the fields under the composite check digit
MIN_SHARE = 0.75  # of the likelihood of all zones that the grammar allows
MAX_STRAIN = 7.0  # by which the zone may be less likely than the likeliest string of symbols
FORCED = 40.0  # strain at which a zone says more of the grammar than of the image
MIN_PLACE = 0.6  # share of the symbol that is read, at every place


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read. `confidence` has one number, 0 to 1, for each character of `lines`.

    `none`: there are no lines of any format's number and width. `unsure`: `lines` are the likeliest.
    `strain` and `share` are what the verdict was founded on; `format` is one of Doc 9303 or `FRA-ID`.
    """

    verdict: Verdict
    format: str | None = None
    lines: Personal[tuple[str, ...]] = field(default_factory=lambda: Personal(()))
    confidence: tuple[tuple[float, ...], ...] = ()
    share: float = 0.0
    strain: float = 0.0


NOTHING = Reading("none")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Texts for some fields, side by side, and their score."""

    score: float
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Zone:
    """The best zone of a format; `shares` per place."""

    format: Format
    score: float
    text: str
    shares: tuple[float, ...]
    share: float
    strain: float


def decode(lines: Sequence[Line]) -> Reading:
    """Find the zone that lines of probabilities stand for."""
    shape = len(lines), {len(line) for line in lines}
    formats = [f for f in FORMATS if shape == (f.lines, {f.width})]
    if not formats:
        return NOTHING
    places = [_scores(place) for line in lines for place in line]
    zones = [zone for zone in (_best(form, places) for form in formats) if zone is not None]
    best = max(zones, key=lambda zone: zone.score, default=None)
    if best is None or best.strain > FORCED:
        return _unconstrained(places, len(lines))
    rivals = sum(exp(zone.score - best.score) for zone in zones)
    share = best.share / rivals
    sure = share >= MIN_SHARE and best.strain <= MAX_STRAIN and min(best.shares) >= MIN_PLACE
    width = best.format.width
    starts = range(0, len(best.text), width)
    return Reading(
        "read" if sure else "unsure",
        best.format.name,
        Personal(tuple(best.text[start : start + width] for start in starts)),
        tuple(best.shares[start : start + width] for start in starts),
        share,
        best.strain,
    )


def _scores(place: Place) -> dict[str, float]:
    """Logarithms, likeliest first."""
    total = sum(place) or 1.0
    spread = DOUBT / len(ALPHABET)
    scored = {s: log((1 - DOUBT) * p / total + spread) for s, p in zip(ALPHABET, place, strict=True)}
    return dict(sorted(scored.items(), key=lambda item: -item[1]))


def _unconstrained(places: list[dict[str, float]], lines: int) -> Reading:
    """The likeliest symbols when no format allows anything near."""
    symbols = [next(iter(place.items())) for place in places]
    width = len(places) // lines
    starts = range(0, len(places), width)
    text = "".join(symbol for symbol, _ in symbols)
    confidence = [exp(score) for _, score in symbols]
    return Reading(
        "unsure",
        None,
        Personal(tuple(text[start : start + width] for start in starts)),
        tuple(tuple(confidence[start : start + width]) for start in starts),
    )


def _best(form: Format, places: list[dict[str, float]]) -> _Zone | None:
    """The likeliest zone of one format, or None if it allows nothing near."""
    spelled = [(f, _spell(f, places[f.start : f.end])) for f in form.fields]
    covered = [(f, texts) for f, texts in spelled if _offset(form, f) is not None]
    groups: list[tuple[tuple[Field, ...], list[_Candidate]]] = [
        ((f,), texts) for f, texts in spelled if _offset(form, f) is None
    ]
    if form.composite is not None:
        composite = Field("composite", form.composite, form.composite + 1, (DIGITS,))
        fields = (*(f for f, _ in covered), composite)
        groups.append((fields, _combine(form, covered, places[form.composite])))
    text = ["<"] * len(places)
    shares = [0.0] * len(places)
    score, share = 0.0, 1.0
    for fields, candidates in groups:
        if not candidates:
            return None
        best = max(candidates, key=lambda candidate: candidate.score)
        weights = [exp(candidate.score - best.score) for candidate in candidates]
        total = sum(weights)
        score, share = score + best.score, share / total
        for number, f in enumerate(fields):
            for at, symbol in enumerate(best.texts[number]):
                agreeing = (
                    w for w, c in zip(weights, candidates, strict=True) if c.texts[number][at] == symbol
                )
                text[f.start + at] = symbol
                shares[f.start + at] = sum(agreeing) / total
    free = sum(next(iter(place.values())) for place in places)
    held = sum(place[symbol] for place, symbol in zip(places, text, strict=True))
    return _Zone(form, score, "".join(text), tuple(shares), share, free - held)


def _spell(part: Field, places: list[dict[str, float]]) -> list[_Candidate]:
    """The likeliest texts that a field allows, by a beam over its places."""
    beam: list[tuple[float, str, int]] = [(0.0, "", 0)]
    for allowed, place in zip(part.symbols, places, strict=True):
        options = [(symbol, score) for symbol, score in place.items() if symbol in allowed]
        if not options:
            return []
        floor = options[0][1] - WITHIN
        options = [option for option in options if option[1] >= floor][:OPTIONS]
        grown = []
        for score, text, state in beam:
            for symbol, more in options:
                after = part.step(state, symbol) if part.step else 0
                if after is not None:
                    grown.append((score + more, text + symbol, after))
        grown = nlargest(BEAM, grown)
        if not grown:
            return []
        floor = grown[0][0] - WITHIN
        beam = [entry for entry in grown if entry[0] >= floor]
    texts = []
    for score, text, _ in beam:
        prior = part.prior(text) if part.prior else 0.0
        if prior is None:
            continue
        if part.checked and text[-1] != check_digit(text[:-1]):
            prior += WRONG_DIGIT
        texts.append(_Candidate(score + prior, (text,)))
    return nlargest(KEPT, texts, key=lambda candidate: candidate.score)


def _offset(form: Format, part: Field) -> int | None:
    """How many places the composite check digit weighs before this field; None: it does not cover it."""
    before = 0
    for start, end in form.covered:
        if start <= part.start and part.end <= end:
            return before + part.start - start
        before += end - start
    return None


def _combine(
    form: Format, covered: list[tuple[Field, list[_Candidate]]], digit: dict[str, float]
) -> list[_Candidate]:
    """Texts for all fields under the composite check digit, and that digit: the right or a wrong one."""
    rows: list[tuple[float, tuple[str, ...], int]] = [(0.0, (), 0)]
    for part, candidates in covered:
        offset = _offset(form, part) or 0
        worth = [(c.score, c.texts[0], weighted(c.texts[0], offset)) for c in candidates]
        grown = [
            (score + more, (*texts, text), (residue + adds) % 10)
            for score, texts, residue in rows
            for more, text, adds in worth
        ]
        rows = nlargest(TOGETHER, grown)
        rows = [row for row in rows if row[0] >= rows[0][0] - WITHIN]
    seen = [symbol for symbol in digit if symbol in DIGITS][:2]
    candidates = []
    for score, texts, residue in rows:
        for symbol in sorted({str(residue), *seen}):
            price = 0.0 if symbol == str(residue) else WRONG_DIGIT
            candidates.append(_Candidate(score + digit[symbol] + price, (*texts, symbol)))
    return nlargest(TOGETHER, candidates, key=lambda candidate: candidate.score)
