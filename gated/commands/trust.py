"""Commands on trust: passive authentication of files, and what a file of trust material holds."""

import argparse
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gated.commands.answer import Answer, UsageError, Words, read_capped
from gated.commands.trust_report import shown_text, shown_value, verified_text, verified_value
from gated.core.checks import Result
from gated.core.trust_policy import TrustPolicy
from gated.document import lds, tlv
from gated.document.errors import LdsError, TlvError, TrustError
from gated.document.trust.certificates import Certificate
from gated.document.trust.contents import MAX_TRUST_FILE, Contents, take_apart
from gated.document.trust.passive import Authentication, PassiveAuthentication
from gated.document.trust.reasons import explain
from gated.document.trust.store import DeviationList, Refusal, TrustStore
from gated.runtime.clock import now_utc

MAX_DOCUMENT_FILE = 0x40_0000

_GROUP = re.compile("([1-9]|1[0-6])=(.+)")
_ANCHOR = "root that a list's signer leads up to"
_AT_NOON = 12  # of a date alone


def add(words: Words) -> None:
    """Put `trust show` on the command line."""
    show = words.group("trust", "Look into trust material.").command("show", trust_show)
    show.add_argument("file", type=Path, help="a master list, deviation list, CRL, certificate or LDIF file")
    _add_anchor(show)
    _add_at(show)


def add_verify(document: Words) -> None:
    """Put `verify` under the word `document`."""
    verify = document.command("verify", document_verify)
    verify.add_argument("--sod", type=Path, metavar="FILE", required=True, help="EF.SOD")
    add_store(verify, required=True)
    verify.add_argument("--dg", metavar="N=FILE", action="extend", nargs="+", default=[], help="a data group")
    verify.add_argument("--com", type=Path, metavar="FILE", help="EF.COM, to be compared with EF.SOD")
    _add_at(verify)
    verify.add_argument("--require-crl", action="store_true", help="no revocation list is not good enough")
    verify.add_argument("--expired-csca", action="store_true", help="a root past its end still counts")
    verify.add_argument("--count-deviations", action="store_true", help="a deviation list may excuse a check")
    verify.add_argument("--no-sha1", action="store_true", help="SHA-1 fails")
    verify.add_argument(
        "--min-rsa-bits", type=_rsa_bits, default=2048, metavar="BITS", help="at least (2048)"
    )


def document_verify(arguments: argparse.Namespace) -> Answer:
    """Authenticate a document's files passively: signature, chain, hashes, state, validity, revocation."""
    at = _time(arguments.at)
    policy = TrustPolicy(
        expired_csca=arguments.expired_csca,
        revocation="required" if arguments.require_crl or arguments.crl else "if_known",
        min_rsa_bits=arguments.min_rsa_bits,
        allow_sha1=not arguments.no_sha1,
        deviations="count" if arguments.count_deviations else "report",
    )
    groups = dict(_group(text) for text in arguments.dg)
    if len(groups) < len(arguments.dg):
        raise UsageError("--dg: a data group is given twice")
    material = store(arguments)
    run = PassiveAuthentication(read_capped(arguments.sod, MAX_DOCUMENT_FILE), material, at=at, policy=policy)
    for number, raw in groups.items():
        run.compare(number, raw)
    found = _concluded(run, groups, arguments.com)
    good = found.result is Result.SUCCESSFUL
    value = verified_value(found, material, at, sorted(groups))
    return Answer(value=value, text=verified_text(value), good=good)


def trust_show(arguments: argparse.Namespace) -> Answer:
    """Show what a file of trust material holds, what of it is usable, and why the rest is not."""
    at = _time(arguments.at)
    anchors = _anchors(arguments.anchor)
    try:
        contents = take_apart(read_capped(arguments.file, MAX_TRUST_FILE), anchors)
    except TrustError as error:
        raise UsageError(f"{arguments.file}: {_because(error.code)}") from error
    value = shown_value(contents, anchors, at)
    return Answer(value=value, text=shown_text(value), good=_is_good(contents, anchors))


def _is_good(contents: Contents, anchors: Sequence[Certificate]) -> bool:
    """Whether all is well with what was asked: signatures hold, and lead to an anchor if one was given.

    Single certificates may be useless among others, but not all of them.
    """
    usable = any(not piece.reason for piece in contents.pieces)
    if contents.refused or not (usable or contents.lists or contents.crls):
        return False
    if not anchors:
        return all(looked.proof is not None for _, looked in contents.lists)
    return not any(looked.trouble for _, looked in contents.lists)


def add_store(sub: argparse.ArgumentParser, *, required: bool) -> None:
    """Put the files of trust material on a command that calls `store`.

    Where they are required there is no other argument without a name, and one option may take several.
    """
    several: dict[str, Any] = {"action": "extend", "nargs": "+"} if required else {"action": "append"}
    several |= {"type": Path, "metavar": "FILE", "default": []}
    sub.add_argument("--trust", required=required, help="master list or certificates", **several)
    sub.add_argument("--anchor", help=_ANCHOR, **several)
    sub.add_argument("--crl", help="revocation list; makes them required", **several)
    sub.add_argument("--deviations", help="deviation list", **several)


def _add_anchor(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--anchor", type=Path, metavar="FILE", action="append", default=[], help=_ANCHOR)


def _add_at(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--at", metavar="DATE", help="in place of now: 2026-11-26, or with a time and its zone")


def _time(text: str | None) -> datetime:
    if text is None:
        return now_utc()
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"--at {text}: give a date (2026-11-26), or a time (2026-11-26T12:00:00Z)"
        ) from error
    if "T" not in text and " " not in text:
        at = at.replace(hour=_AT_NOON)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _rsa_bits(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1024 <= int(text) <= 8192:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number from 1024 to 8192")
    return int(text)


def _group(text: str) -> tuple[int, bytes]:
    matched = _GROUP.fullmatch(text)
    if matched is None:
        raise UsageError(f"--dg {text}: give N=FILE, N from 1 to 16")
    return int(matched[1]), read_capped(Path(matched[2]), MAX_DOCUMENT_FILE)


def _concluded(run: PassiveAuthentication, groups: dict[int, bytes], com: Path | None) -> Authentication:
    state, kind, number = _zone(groups[1]) if 1 in groups else (None, None, None)
    not_asked = set() if groups else {"dg_hashes"}
    not_asked |= set() if 1 in groups else {"issuing_state", "signer_document_type"}
    listed = None
    if com is not None:
        try:
            listed = lds.parse_com(read_capped(com, MAX_DOCUMENT_FILE)).tags
        except LdsError as error:
            raise UsageError(f"{com}: {error.code}: give EF.COM as the chip has it") from error
    return run.conclude(
        issuing_state=state,
        document_type=kind,
        document_number=number,
        com_groups=None if listed is None else _numbers(listed),
        not_asked=frozenset(not_asked),
    )


# EF.COM lists data groups by tag (Doc 9303-10 table 38).
_TAGS = (0x61, 0x75, 0x63, 0x76, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F, 0x70)


def _numbers(tags: Sequence[int]) -> list[int]:
    return [_TAGS.index(tag) + 1 for tag in tags if tag in _TAGS]


def _zone(dg1: bytes) -> tuple[str | None, str | None, str | None]:
    """Issuing state, document type and number of DG1; of a zone with faults what stands at fixed places."""
    try:
        mrz = lds.parse_dg1(dg1)
    except LdsError:
        try:
            zone = tlv.parse_one(tlv.parse_one(dg1, 0x61).value, 0x5F1F).value.decode("ascii")
        except (TlvError, UnicodeDecodeError):
            return None, None, None
        return zone[2:5].rstrip("<"), zone[:2].rstrip("<"), None
    return mrz.issuer, mrz.document_type, mrz.document_number


def _anchors(paths: Sequence[Path]) -> list[Certificate]:
    anchors: list[Certificate] = []
    for path in paths:
        try:
            contents = take_apart(read_capped(path, MAX_TRUST_FILE), ())
        except TrustError as error:
            raise UsageError(f"--anchor {path}: {_because(error.code)}") from error
        if contents.lists or not contents.roots:
            raise UsageError(f"--anchor {path}: {_first_reason(contents)}: give the root's certificate")
        anchors += contents.roots
    return anchors


def store(arguments: argparse.Namespace) -> TrustStore:
    """The store of all files that were named; what is refused in them piece by piece stands in it."""
    anchors = _anchors(arguments.anchor)
    parts = [(path, _contents(path, anchors)) for path in arguments.trust]
    parts += [(path, _contents(path, anchors)) for path in arguments.crl]
    refused = [
        Refusal(f"{path}{', ' if source else ''}{source}", reason)
        for path, part in parts
        for source, reason in part.refusals
    ]
    roots = [root for _, part in parts for root in part.roots]
    crls = [listed for _, part in parts for _, listed in part.crls]
    deviations = [_deviations(path, roots) for path in arguments.deviations]
    signers = [signer for _, part in parts for signer in part.signers]
    return TrustStore(roots, refused, signers=signers, crls=crls, deviations=deviations)


def _contents(path: Path, anchors: Sequence[Certificate]) -> Contents:
    """A file that must be of use. Raises UsageError that says what is wrong and what to do."""
    try:
        contents = take_apart(read_capped(path, MAX_TRUST_FILE), anchors)
    except TrustError as error:
        raise UsageError(f"{path}: {_because(error.code)}") from error
    if contents.kind == "deviation_list":
        raise UsageError(f"{path}: a deviation list: give it with --deviations")
    if not contents.roots and not contents.signers and not contents.crls:
        reason = _first_reason(contents)
        unproven = any(it.trouble for _, it in contents.lists)
        fix = "give the root with --anchor" if unproven else "see `gatectl trust show`"
        raise UsageError(f"{path}: nothing of use: {reason}: {fix}")
    return contents


def _deviations(path: Path, roots: Sequence[Certificate]) -> DeviationList:
    try:
        contents = take_apart(read_capped(path, MAX_TRUST_FILE), roots)
    except TrustError as error:
        raise UsageError(f"{path}: {_because(error.code)}") from error
    if len(contents.deviations) != 1:
        raise UsageError(f"{path}: {_first_reason(contents)}: give one deviation list")
    looked = contents.lists[0][1]
    if looked.trouble or looked.root is None:
        raise UsageError(f"{path}: {_because(looked.trouble)}: give the signer's root with --trust")
    return DeviationList(looked.root.country, contents.deviations[0][1])


def _first_reason(contents: Contents) -> str:
    reasons = [reason for _, reason in contents.refusals]
    return _because(reasons[0]) if reasons else "it holds nothing of this kind"


def _because(code: str) -> str:
    sentence, clause = explain(code)
    return f"{code}: {sentence} ({clause})" if clause else f"{code}: {sentence}"
