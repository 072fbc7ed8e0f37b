"""A published configuration: what the central side may say anew of a gate's `gate.toml`, and what it may not.

Only what decides is laid over: policy, eligibility, how documents are read, the time zone, the officers'
public keys, and which embedder compares faces. What a gate is made of (its wiring, devices, paths, the link
and every key file) is told by the file at the gate alone, so no publication can point a gate elsewhere or
hand it a secret.
"""

from typing import Any

from gated.core import toml

SECTIONS = frozenset({"policy", "eligibility", "document", "officers", "time_zone", "vision"})
MAX_OVERLAY = 256_000
_OF_THE_GATE = frozenset({"lane"})  # how the lane is built is no matter of policy from afar
_OF_VISION = frozenset({"embedder", "shadow"})  # what is kept of a face is told by the gate's own file alone


class OverlayError(Exception):
    """What was published is no overlay; the text names the key and the fix."""


def read_overlay(raw: bytes) -> dict[str, Any]:
    """Decode an overlay. Raises OverlayError."""
    if len(raw) > MAX_OVERLAY:
        raise OverlayError(f"longer than {MAX_OVERLAY} bytes: this is no configuration")
    try:
        table = toml.loads(raw)
    except (ValueError, RecursionError) as error:  # a number may be too long to be one, too
        raise OverlayError("not TOML: correct it, and publish it again") from error
    if foreign := sorted(set(table) - SECTIONS):
        allowed = ", ".join(sorted(SECTIONS))
        raise OverlayError(
            f"{', '.join(foreign)}: only the gate's own file says this; publish only {allowed}"
        )
    policy = table.get("policy", {})
    if isinstance(policy, dict) and (foreign := sorted(set(policy) & _OF_THE_GATE)):
        raise OverlayError(
            f"policy.{', policy.'.join(foreign)}: only the gate's own file says this: remove it"
        )
    vision = table.get("vision", {})
    if not isinstance(vision, dict) or (foreign := sorted(set(vision) - _OF_VISION)):
        raise OverlayError(
            "vision: only the gate's own file says more than `embedder` and `shadow`: remove the rest"
        )
    return table


def lay_over(local: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    """Return the table with the overlay's values in place of its own: tables key by key, all else whole."""
    merged = dict(local)
    for key, value in overlay.items():
        present = merged.get(key)
        both = isinstance(present, dict) and isinstance(value, dict)
        merged[key] = lay_over(present, value) if both and present is not None else value
    return merged
