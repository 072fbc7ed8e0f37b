"""What a passage was judged by: pictures, scores against thresholds, checks with results and reasons."""

import base64
from collections.abc import Iterable
from html import escape
from typing import Final

from gated.core import events as ev
from gated.core.checks import Check, Result
from gated.core.vocabulary import Grade, Liveness
from gated.rules.telling import why_in_words
from hw_sim.record import Rehearsed
from hw_sim.telling import words
from hw_sim.telling.report_markup import SIGNS, signed, table

RESULTS: Final = {
    Result.SUCCESSFUL: ("✓", "good"),
    Result.FAILED: ("✗", "bad"),
    Result.UNDETERMINED: ("?", "warn"),
    Result.NOT_SUPPORTED: ("–", "quiet"),
    Result.ABORTED: ("!", "bad"),
}


def pictures(run: Rehearsed) -> str:
    """The chip's photograph and the best live shots, of simulated people."""
    shown = [("Chip photograph", run.reference)] if run.reference else []
    shown += [(f"Best live shot {number}", shot) for number, shot in enumerate(run.best, start=1)]
    figures = "".join(_picture(name, jpeg) for name, jpeg in shown if jpeg)
    if not figures:
        return ""
    return (
        f'<h3>Pictures</h3><div class="pictures">{figures}</div>'
        '<p class="note">Simulated people, kept only because this gate was told to.</p>'
    )


def _picture(name: str, jpeg: bytes) -> str:
    source = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
    return (
        f'<figure><img alt="{escape(name)}: a simulated person" src="{source}">'
        f"<figcaption>{escape(name)}</figcaption></figure>"
    )


def scores(run: Rehearsed) -> str:
    """Every capture's scores on a scale with their thresholds."""
    faces = [entry.event for entry in run.entries if isinstance(entry.event, ev.FaceAssessed)]
    if not faces:
        return ""
    heads = (("Capture", ""), ("What", ""), ("0 to 1", ""), ("Score", "num"), ("Needed", "num"))
    rows = (row for face in faces for row in _face(face, run))
    return f"<h3>Face</h3>{table('scores', 'Scores against thresholds', heads, rows)}"


def _face(face: ev.FaceAssessed, run: Rehearsed) -> Iterable[str]:
    capture = f"{face.attempt}: {face.frames} frames"
    if face.frames == 0:
        yield f'<tr><td>{capture}</td><td colspan="4" class="bad">{SIGNS[False]} no usable face</td></tr>'
        return
    fits = face.match_score >= run.match_threshold
    lives = face.liveness is Liveness.LIVE and face.liveness_score >= run.liveness_threshold
    yield _score(capture, "Match", face.match_score, run.match_threshold, good=fits)
    alive = f"Alive ({face.liveness})"
    yield _score("", alive, face.liveness_score, run.liveness_threshold, good=lives)
    for cue in face.cues:
        if cue.score is not None:
            yield _plain(f"· {cue.name}", f"{cue.score:.3f}")
    if face.height_m is not None:
        yield _plain("Height without hair", f"{face.height_m:.2f} ± {face.height_error_m:.2f} m")


def _plain(what: str, value: str) -> str:
    return (
        f'<tr><td></td><td>{escape(what)}</td><td></td><td class="num">{escape(value)}</td>'
        '<td class="num"></td></tr>'
    )


def _score(capture: str, what: str, score: float, needed: float, *, good: bool) -> str:
    return (
        f"<tr><td>{escape(capture)}</td><td>{escape(what)}</td>"
        f"<td>{_scale(what, score, needed)}</td>"
        f'<td class="num {"good" if good else "bad"}">{SIGNS[good]} {score:.3f}</td>'
        f'<td class="num">≥ {needed:.3g}</td></tr>'
    )


def _scale(name: str, score: float, threshold: float) -> str:
    """A score in [0, 1] on a small scale with its threshold; the part from the threshold on is marked."""
    reached = score >= threshold
    look = "pass" if reached else "miss"
    said = f"{name} {score:.3f}, threshold {threshold:g}: {'reached' if reached else 'not reached'}"
    at, mark = 100 * min(max(score, 0), 1), 100 * min(max(threshold, 0), 1)
    return (
        f'<svg class="scale" width="100%" height="26" role="img" aria-label="{escape(said)}">'
        f'<rect class="all" x="0" y="10" width="100%" height="6" rx="3"/>'
        f'<rect class="enough" x="{mark:.2f}%" y="10" width="{100 - mark:.2f}%" height="6" rx="3"/>'
        f'<line class="threshold" x1="{mark:.2f}%" x2="{mark:.2f}%" y1="4" y2="22"/>'
        f'<circle class="{look}" cx="{at:.2f}%" cy="13" r="6"/></svg>'
    )


def checks(run: Rehearsed) -> str:
    """Every check that was made, in the order in which the answers came."""
    rows = [_check(check) for entry in run.entries for check in _checks_of(entry.event)]
    if not rows:
        return ""
    heads = (("Check", ""), ("Result", ""))
    made = f"<h3>Checks</h3>{table('checks', 'Checks of the document and its holder', heads, rows)}"
    return made + _rules(run)


def _rules(run: Rehearsed) -> str:
    """Why the rules decided as they did: each that concerned the traveller, what decided, which text."""
    told = [
        why_in_words(why)
        for entry in run.entries
        if isinstance(entry.event, ev.BackgroundChecked)
        for why in entry.event.why
    ]
    rules = "".join(f"<li>{escape(line)}</li>" for line in told)
    return f'<h3>Rules</h3><ul class="rules">{rules}</ul>' if told else ""


def _checks_of(event: ev.AnyEvent) -> tuple[Check, ...]:
    match event:
        case ev.ChipRead():
            return event.checks
        case ev.ChipFailed():
            return (Check("chip_read", Result.ABORTED, event.reason),)
        case ev.BackgroundChecked() if event.grade is Grade.NONE:
            return (*event.checks, Check("watchlist_hit", Result.SUCCESSFUL))
        case ev.BackgroundChecked():
            return (*event.checks, Check("watchlist_hit", Result.FAILED, f"graded_{event.grade}"))
        case _:
            return ()


def _check(check: Check) -> str:
    sign, look = RESULTS[check.result]
    name = f"{escape(words.check(check.name).capitalize())} <code>{escape(check.name)}</code>"
    why = ""
    if check.reason:
        told = f"{escape(words.reason(check.reason))} <code>{escape(check.reason)}</code>"
        why = f'<br><span class="{look}">{told}</span>'
    return (
        f'<tr><th scope="row">{name}{why}</th><td>{signed(words.spaced(check.result), look, sign)}</td></tr>'
    )
