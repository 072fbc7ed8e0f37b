"""Letting go of the words that were compared: what makes many comparisons quick must not outlive them."""

from gated.watchlist.names import families, likeness, parts, sounds, words


def forget() -> None:
    """Let go of every word of every name that was compared."""
    likeness.likeness.cache_clear()
    for remembered in (
        families.names_of,
        sounds.fold,
        sounds.sound,
        sounds.skeleton,
        words.spellings,
        parts.part_of,
    ):
        remembered.cache_clear()
