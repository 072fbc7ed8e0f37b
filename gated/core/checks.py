"""Results of checks, in the terms of BSI TR-03135: what was checked, how it ended, and why."""

from enum import StrEnum

import msgspec


class Result(StrEnum):
    """How one check ended (TR-03135)."""

    SUCCESSFUL = "successful"
    FAILED = "failed"
    UNDETERMINED = "undetermined"
    NOT_SUPPORTED = "not_supported"
    ABORTED = "aborted"


class Check(msgspec.Struct, frozen=True):
    """One check. `reason` is a short snake_case code without personal data; empty when successful."""

    name: str
    result: Result
    reason: str = ""


def overall(checks: tuple[Check, ...]) -> Result:
    """Failed if any failed, aborted if any aborted, successful only if all are (TR-03135).

    What the document does not support does not count: whoever must have it says `undetermined` instead.
    """
    results = {check.result for check in checks} - {Result.NOT_SUPPORTED}
    if Result.FAILED in results:
        return Result.FAILED
    if Result.ABORTED in results:
        return Result.ABORTED
    if results == {Result.SUCCESSFUL}:
        return Result.SUCCESSFUL
    return Result.UNDETERMINED
