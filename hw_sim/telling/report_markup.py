"""The pieces of HTML that the report is made from. Text is escaped here, markup is passed as it is."""

from collections.abc import Iterable
from html import escape
from typing import Final

from gated.core import effects as do
from hw_sim.record import Rehearsed
from hw_sim.telling.story import began_at

SIGNS: Final = {True: "✓", False: "✗"}

Head = tuple[str, str]  # the words of a column's head, and its class


def table(look: str, caption: str, heads: Iterable[Head], rows: Iterable[str], *, silent: bool = True) -> str:
    """A table; a silent one has its caption for those only who hear the page read out."""
    titles = "".join(
        f'<th scope="col"{f" class={style!r}" if style else ""}>{escape(words)}</th>'
        for words, style in heads
    )
    unseen = ' class="unseen"' if silent else ""
    return (
        f'<table class="{look}"><caption{unseen}>{escape(caption)}</caption>'
        f"<thead><tr>{titles}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def scrolling(name: str, content: str) -> str:
    """A part that scrolls sideways by itself where it is too wide, with the keyboard too."""
    return f'<div class="scroll" role="region" aria-label="{escape(name)}" tabindex="0">{content}</div>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names with their values, in a line that wraps."""
    told = (f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in pairs)
    return f'<dl class="facts">{"".join(told)}</dl>'


def signed(words: str, look: str, sign: str) -> str:
    """Words with a sign before them, so that colour is not alone."""
    return f'<span class="{look}"><span aria-hidden="true">{sign}</span> {escape(words)}</span>'


def badge(run: Rehearsed) -> str:
    """How a passage ended, and whether that was expected."""
    ended = "did not end" if run.outcome is None else str(run.outcome)
    agrees = "as expected" if run.as_expected else "not as expected"
    look = "good" if run.as_expected else "bad"
    return (
        f'<span class="badge {look}"><span aria-hidden="true">{SIGNS[run.as_expected]}</span> {escape(ended)}'
        f'<span class="unseen">, {agrees}</span></span>'
    )


def seconds(milliseconds: float | None) -> str:
    """A time in seconds; a dash where there is none."""
    return "–" if milliseconds is None else f"{milliseconds / 1000:.2f} s"


def lasted_ms(run: Rehearsed) -> float | None:
    """From the document laid down to the end of the passage, milliseconds."""
    ends = (
        entry.event.at
        for entry in run.entries
        if any(isinstance(effect, do.EndPassage) for effect in entry.followed.effects)
    )
    end = next(ends, None)
    return None if end is None else (end - began_at(run.entries)) * 1000
