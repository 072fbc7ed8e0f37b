"""The characters of the zone and the check digit over them (Doc 9303-3 sections 4.3 and 4.9)."""

ALPHABET = "<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The 37 characters that a zone may hold; the first is the filler."""
FILLER = "<"
VALUES = {character: value for value, character in enumerate(ALPHABET[1:])} | {FILLER: 0}
"""What a character counts in a check digit."""

_WORTH = bytes(VALUES.get(chr(code), 0) for code in range(256))


def values(text: str) -> bytes:
    """What each character counts; 0 for one that is not of the alphabet."""
    return text.encode("latin-1", "replace").translate(_WORTH)


def digit_over(worth: bytes) -> str:
    """The check digit over `values`: weights 7, 3, 1, modulo 10."""
    return str((7 * sum(worth[::3]) + 3 * sum(worth[1::3]) + sum(worth[2::3])) % 10)


def check_digit(text: str) -> str:
    """The check digit of Doc 9303-3 section 4.9: weights 7, 3, 1, modulo 10."""
    return digit_over(values(text))
