"""Residues as points of a curve: the encoding of PACE's integrated mapping (Doc 9303-11 appendix B.2).

It needs a prime that is 3 modulo 4, so P-224 has none (section 9.5.1). Every cofactor here is 1, so the last
step of the appendix, the multiplication by it, is left out.
"""

from gated.document.errors import CurveError
from gated.document.groups.curves import Curve, Point


def can_encode(curve: Curve) -> bool:
    """Whether the integrated mapping works on this curve."""
    return curve.p % 4 == 3


def encoded_point(curve: Curve, value: int) -> Point:
    """The point that a value in 1 ... p - 1 stands for. Raises CurveError.

    `mapping_unsupported` on a curve without such an encoding, `mapping_degenerate` for 0, 1 and p - 1.
    """
    p, a, b, t = curve.p, curve.a, curve.b, value
    if not can_encode(curve):
        raise CurveError("mapping_unsupported")
    alpha = -t * t % p
    beta = (alpha + alpha * alpha) % p
    if beta == 0:
        raise CurveError("mapping_degenerate")
    x2 = -b * (1 + beta) * pow(a * beta, -1, p) % p
    x3 = alpha * x2 % p
    h2 = (x2 * x2 * x2 + a * x2 + b) % p
    root = pow(h2, p - 1 - (p + 1) // 4, p)  # 1 / sqrt(h2), where h2 is a square
    if root * root * h2 % p == 1:
        return curve.point(x2, root * h2 % p)
    return curve.point(x3, root * t * t * t * h2 % p)
