"""What a test found of one device: a verdict, what was measured, and what to do about it."""

from collections.abc import Iterable
from enum import StrEnum

from gated.core.ports import DeviceError
from gated.core.values import Value


class Verdict(StrEnum):
    """How a device is. A warning keeps no traveller out."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


class Finding(Value):
    """`part` is which of several: a door, a camera. Whatever is not `ok` has a code and a fix."""

    device: str
    verdict: Verdict
    measured: str
    part: str = ""
    code: str = ""
    fix: str = ""


def ok(device: str, measured: str, part: str = "") -> Finding:
    """It is as it should be."""
    return Finding(device=device, verdict=Verdict.OK, measured=measured, part=part)


def warning(device: str, code: str, measured: str, fix: str, part: str = "") -> Finding:
    """The gate works, and somebody should see to it."""
    return Finding(device=device, verdict=Verdict.WARNING, measured=measured, part=part, code=code, fix=fix)


def fault(device: str, code: str, measured: str, fix: str, part: str = "") -> Finding:
    """It does not do what the gate needs."""
    return Finding(device=device, verdict=Verdict.FAULT, measured=measured, part=part, code=code, fix=fix)


def failed(device: str, error: DeviceError, part: str = "") -> Finding:
    """A driver said what is wrong."""
    return fault(device, error.code, "does not work", error.fix, part)


def many(count: int, what: str) -> str:
    """A count with its noun: `1 cycle`, `2 cycles`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def is_good(findings: Iterable[Finding]) -> bool:
    """Whether there is no fault among them."""
    return all(each.verdict is not Verdict.FAULT for each in findings)
