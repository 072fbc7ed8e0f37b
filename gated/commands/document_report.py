"""What `document read` and `document transcript` tell: a value for programs, and its lines for people."""

from importlib.metadata import version
from typing import Any

from gated.commands.answer import Answer
from gated.core.checks import Check, overall
from gated.document.errors import DocumentError, LdsError
from gated.document.lds import parse_dg1
from gated.document.reading import ChipFiles
from gated.document.reading.transcript import Transcript, TranscriptError
from gated.document.verification import Verified


def refused(code: str, fix: str) -> Answer:
    """A document that could not be read, and what to do."""
    return Answer(value={"error": code, "fix": fix}, text=(f"not read: {code}: {fix}",), good=False)


def advice(error: DocumentError) -> str:
    """What to do about a reading that failed."""
    if error.code in {"access_denied", "pace_token_wrong", "bac_token_wrong"}:
        return "the chip does not open to this zone or number: check what was given"
    if error.code.startswith("messaging_"):
        return "the chip broke off a secured exchange: lay it still and try again; record it if it recurs"
    return "try again; if it recurs, record it with --transcript"


def explained(error: DocumentError, transcript: Transcript) -> str:
    """Why a recorded reading does not go through."""
    if isinstance(error, TranscriptError) and error.code == "transcript_differs":
        return (
            f"exchange {error.number}: version {version('egate')} asks for something else than "
            f"{transcript.version} did: replay it with that version"
        )
    if isinstance(error, TranscriptError):
        return f"the recording ends with exchange {error.number}: the chip or its reader fell silent there"
    return "as it was when it was recorded"


def read_value(
    files: ChipFiles, verified: Verified, seconds: float, commands: int, *, personal: bool
) -> dict[str, Any]:
    """Everything that a reading found; of the holder only on demand."""
    value: dict[str, Any] = {
        "result": overall(verified.checks),
        "access": files.access,
        "access_reason": files.access_reason,
        "proof": verified.proof,
        "seconds": round(seconds, 3),
        "commands": commands,
        "files": {name: len(content.reveal()) for name, content in files.files.items()},
        "checks": [_check(check) for check in verified.checks],
        "signer": verified.signer,
        "csca": verified.csca,
        "notes": list(verified.notes),
    }
    if personal:
        value["holder"] = _holder(files["dg1"].reveal())
    return value


def _check(check: Check) -> dict[str, str]:
    return {"name": check.name, "result": check.result, "reason": check.reason}


def _holder(dg1: bytes) -> dict[str, str]:
    try:
        mrz = parse_dg1(dg1)
    except LdsError as error:
        return {"error": error.code}
    names = (
        "format",
        "document_type",
        "issuer",
        "document_number",
        "nationality",
        "birth_yymmdd",
        "sex",
        "expiry_yymmdd",
        "surname",
        "given_names",
    )
    return {name: getattr(mrz, name) for name in names}


def read_text(value: dict[str, Any]) -> tuple[str, ...]:
    """The same in lines."""
    because = f" ({value['access_reason']})" if value["access_reason"] else ""
    proof = f"proven by {value['proof']}" if value["proof"] else "no proof of genuineness"
    lines = [
        (
            f"{value['result']}: read over {value['access']}{because} in {value['seconds']:.2f} s, "
            f"{value['commands']} commands; {proof}"
        ),
        "files:   " + ", ".join(f"{name} {size}" for name, size in value["files"].items()),
    ]
    width = max(len(check["name"]) for check in value["checks"])
    for check in value["checks"]:
        reason = f": {check['reason']}" if check["reason"] else ""
        lines.append(f"  {check['name']:<{width}}  {check['result']}{reason}")
    lines += [f"note:    {note}" for note in value["notes"]]
    lines += [f"signer:  {value['signer'] or '-'}", f"csca:    {value['csca'] or '-'}"]
    lines += [f"  {name:<{width}}  {text}" for name, text in value.get("holder", {}).items()]
    return tuple(lines)
