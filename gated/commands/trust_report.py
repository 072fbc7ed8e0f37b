"""What `document verify` and `trust show` tell: a value for programs, and its lines for people."""

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gated.core.checks import Check, Result
from gated.core.trust_policy import TrustPolicy
from gated.document.trust.certificates import Certificate
from gated.document.trust.contents import Contents, Piece
from gated.document.trust.crls import RevocationList
from gated.document.trust.deviations import Affected, Deviation
from gated.document.trust.lists import SignedList
from gated.document.trust.passive import Authentication, Excuse
from gated.document.trust.reasons import explain
from gated.document.trust.revocation import is_fresh
from gated.document.trust.signatures import EllipticKey, Scheme
from gated.document.trust.store import TrustStore

WIDTH = 100
LABEL = 22  # the longest name of a check, and a gap
SHOWN = 40  # refused pieces and deviations in text; JSON has all

Value = dict[str, Any]

_GOOD = {
    "sod_signature": "the document signer signed the security object",
    "document_signer": "the signer's certificate is for signing documents",
    "csca": "a trusted root signed the signer's certificate",
    "dg_hashes": "the data groups are as they were signed",
    "issuing_state": "DG1 names the state of the root",
    "validity": "signer and root are valid at the time",
    "signer_document_type": "the signer may sign documents of this type",
    "revocation": "neither signer nor root is on a fresh revocation list",
}


# --- document verify ---------------------------------------------------------------------------------


def verified_value(found: Authentication, store: TrustStore, at: datetime, compared: list[int]) -> Value:
    """Everything that passive authentication found."""
    excused = {excuse.check: excuse for excuse in found.excused}
    return {
        "result": str(found.result),
        "at": at.isoformat(),
        "checks": [_check(check, excused.get(check.name)) for check in found.checks],
        "signer": None if found.signer is None else _certificate(found.signer),
        "csca": None if found.csca is None else _certificate(found.csca),
        "revoked": None
        if found.revoked is None
        else {"since": found.revoked.since.isoformat(), "reason": found.revoked.reason},
        "signed_groups": sorted(found.signed_groups),
        "compared_groups": compared,
        "notes": [_reason(code) for code in found.notes],
        "deviations": [_deviation(item) for item in found.deviations],
        "store": {
            "roots": len(store),
            "signers": len(store.signers),
            "crls": len(store.crls),
            "sha256": store.sha256,
            "refused": [{"source": item.source} | _reason(item.reason) for item in store.refused],
        },
    }


def verified_text(value: Value) -> tuple[str, ...]:
    """The same in lines."""
    lines = [*_line("result", _result_words(value))]
    for check in value["checks"]:
        lead = check["result"] + (" (not counted)" if check["excused_by"] else "")
        because = f": {check['reason']}: {check['sentence']}" if check["reason"] else f": {check['sentence']}"
        clause = f" ({check['clause']})" if check["clause"] else ""
        excused = check["excused_by"] and check["excused_by"]["reason"] != check["reason"]
        excuse = f"; not counted: {check['excused_by']['sentence']}" if excused else ""
        lines += _line(check["name"], f"{lead}{because}{clause}{excuse}")
    lines += [line for name in ("signer", "csca") for line in _line(name, _certificate_words(value[name]))]
    if value["revoked"]:
        lines += _line("revoked", f"since {value['revoked']['since']}, {value['revoked']['reason']}")
    lines += _line("groups", _group_words(value["signed_groups"], value["compared_groups"]))
    lines += [line for note in value["notes"] for line in _line("note", _reason_words(note))]
    lines += [line for item in value["deviations"] for line in _line("deviation", _deviation_words(item))]
    store = value["store"]
    crls = f", {store['crls']} revocation lists" if store["crls"] else ""
    lines += _line("trust", f"{store['roots']} roots{crls}, at {value['at']}")
    lines += _listed(store["refused"], "not used", lambda it: f"{it['source']}: {_reason_words(it)}")
    return tuple(lines)


# --- trust show --------------------------------------------------------------------------------------


def shown_value(contents: Contents, anchors: Sequence[Certificate], at: datetime) -> Value:
    """What a file holds and what of it is usable."""
    usable = [piece for piece in contents.pieces if not piece.reason]
    return {
        "kind": contents.kind,
        "at": at.isoformat(),
        "lists": [_signed_list(source, looked, at) for source, looked in contents.lists],
        "certificates": {
            "total": len(contents.pieces),
            "usable": len(usable),
            "expired": sum(1 for piece in usable if piece.certificate and at > piece.certificate.not_after),
            "roles": dict(Counter(piece.role for piece in usable)),
            "keys": dict(Counter(_key(piece.certificate) for piece in usable if piece.certificate)),
            "countries": dict(sorted(Counter(_country(piece) for piece in usable).items())),
            "usable_pieces": [_usable(piece) for piece in usable],
            "refused": [
                {"source": piece.source, "subject": piece.subject} | _reason(piece.reason)
                for piece in contents.pieces
                if piece.reason
            ],
        },
        "crls": [_crl(source, listed, anchors, at) for source, listed in contents.crls],
        "deviations": [
            {"source": source} | _entry(entry.affected, entry.deviations)
            for source, entries in contents.deviations
            for entry in entries
        ],
        "refused": [{"source": source} | _reason(code) for source, code in contents.refused],
    }


def shown_text(value: Value) -> tuple[str, ...]:
    """The same in lines."""
    lines = [*_line("kind", value["kind"].replace("_", " "))]
    lines += [line for item in value["lists"] for line in _list_lines(item)]
    held = value["certificates"]
    if held["total"]:
        refused = held["total"] - held["usable"]
        counts = f"{held['total']}: {held['usable']} usable, {refused} not; {held['expired']} of them expired"
        lines += _line("certificates", counts)
        for name in ("roles", "keys", "countries"):
            words = (f"{key.replace('_', ' ')} {count}" for key, count in held[name].items())
            lines += _line(name, ", ".join(words))
    if held["total"] <= SHOWN:
        lines += [line for it in held["usable_pieces"] for line in _line(it["role"], _certificate_words(it))]
    lines += [line for item in value["crls"] for line in _line("CRL", _crl_words(item))]
    lines += _listed(value["deviations"], "deviation", _entry_words)
    lines += _listed(
        held["refused"], "not usable", lambda it: f"{it['source']} {it['subject']}: {_reason_words(it)}"
    )
    lines += _listed(value["refused"], "not usable", lambda it: f"{it['source']}: {_reason_words(it)}")
    return tuple(lines)


# --- parts of the values -----------------------------------------------------------------------------


def _reason(code: str) -> Value:
    sentence, clause = explain(code)
    return {"reason": code, "sentence": sentence, "clause": clause}


def _check(check: Check, excuse: Excuse | None) -> Value:
    said = (
        _reason(check.reason) if check.reason else {"reason": "", "sentence": _GOOD[check.name], "clause": ""}
    )
    by = None if excuse is None else _reason(excuse.reason)
    return {"name": check.name, "result": str(check.result), "excused_by": by, **said}


def _certificate(certificate: Certificate) -> Value:
    return {
        "subject": certificate.subject_text,
        "issuer": certificate.issuer_text,
        "country": certificate.country,
        "serial": f"{certificate.serial:x}",
        "sha256": certificate.sha256,
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "key": _key(certificate),
        "signed_with": _scheme(certificate.scheme),
    }


def _usable(piece: Piece) -> Value:
    held = {} if piece.certificate is None else _certificate(piece.certificate)
    return {"source": piece.source, "role": piece.role, **held}


def _country(piece: Piece) -> str:
    return (piece.certificate.country if piece.certificate else "") or "none"


def _key(certificate: Certificate | None) -> str:
    if certificate is None:
        return "none"
    key = certificate.key
    return key.curve.name if isinstance(key, EllipticKey) else f"RSA-{key.n.bit_length()}"


def _scheme(scheme: Scheme) -> str:
    names = {"rsa": "RSA PKCS #1 v1.5", "pss": "RSA-PSS", "ecdsa": "ECDSA"}
    return f"{names.get(scheme.name, scheme.name)}, {scheme.digest}"


def _signed_list(source: str, looked: SignedList, at: datetime) -> Value:
    holds = looked.proof is not None
    status = "verified" if not looked.trouble else "unverified"
    signer = looked.signer
    return {
        "source": source,
        "kind": looked.kind,
        "status": status,
        "signature_holds": holds,
        **(_reason(looked.trouble) if looked.trouble else {"reason": "", "sentence": "", "clause": ""}),
        "signer": None if signer is None else _certificate(signer),
        "signer_valid": None if signer is None else signer.valid_at(at),
        "root": None if looked.root is None else _certificate(looked.root),
        "signed_at": looked.proof.signing_time.isoformat()
        if looked.proof is not None and looked.proof.signing_time is not None
        else None,
        "notes": [] if looked.proof is None else [_reason(code) for code in looked.proof.notes],
    }


def _crl(source: str, listed: RevocationList, anchors: Sequence[Certificate], at: datetime) -> Value:
    signed = any(anchor.may_sign_lists and listed.is_signed_by(anchor) for anchor in anchors)
    return {
        "source": source,
        "issuer": listed.issuer_text,
        "country": listed.country,
        "number": listed.number,
        "this_update": listed.this_update.isoformat(),
        "next_update": None if listed.next_update is None else listed.next_update.isoformat(),
        "fresh": is_fresh(listed, at, TrustPolicy()),
        "status": "verified" if signed else "unverified",
        "revoked": [
            {"serial": f"{serial:x}", "since": entry.since.isoformat(), "reason": entry.reason}
            for serial, entry in listed.revoked.items()
        ],
    }


def _deviation(item: Deviation) -> Value:
    return {
        "kind": item.kind,
        "oid": item.oid,
        "where": item.where,
        "description": item.description,
        "may_excuse": item.excuses,
    }


def _entry(affected: Affected, deviations: Sequence[Deviation]) -> Value:
    return {
        "document_type": affected.document_type,
        "signer_serial": None if affected.signer is None else f"{affected.signer[1]:x}",
        "signer_key_id": None if affected.signer_key_id is None else affected.signer_key_id.hex(),
        "signer_digest": None if affected.signer_digest is None else affected.signer_digest.hex(),
        "issued": affected.issued,
        "documents": None if affected.numbers is None else len(affected.numbers),
        "deviations": [_deviation(item) for item in deviations],
    }


# --- words -------------------------------------------------------------------------------------------


def _line(name: str, text: str) -> list[str]:
    return textwrap.wrap(
        _plain(text),
        WIDTH,
        initial_indent=f"{name:<{LABEL}}",
        subsequent_indent=" " * LABEL,
        break_on_hyphens=False,
    ) or [name]


def _plain(text: str) -> str:
    """Without characters that could steer a terminal: names and descriptions are other people's."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _listed(items: Sequence[Value], name: str, words: Any) -> list[str]:
    lines = [line for item in items[:SHOWN] for line in _line(name, words(item))]
    if len(items) > SHOWN:
        lines += _line(name, f"and {len(items) - SHOWN} more: --json has all")
    return lines


def _result_words(value: Value) -> str:
    not_asked = [check["name"] for check in value["checks"] if check["reason"] == "not_asked"]
    if value["result"] == Result.SUCCESSFUL and not_asked:
        return f"{value['result']}, of what was given: not asked were {', '.join(not_asked)}"
    return str(value["result"])


def _reason_words(reason: Mapping[str, str]) -> str:
    clause = f" ({reason['clause']})" if reason["clause"] else ""
    return f"{reason['reason']}: {reason['sentence']}{clause}"


def _certificate_words(held: Value | None) -> str:
    if held is None:
        return "none"
    if "subject" not in held:
        return str(held.get("source", ""))
    period = f"{held['not_before'][:10]} to {held['not_after'][:10]}"
    return (
        f"{held['subject']}; serial {held['serial']}, {held['key']}, valid {period}; SHA-256 {held['sha256']}"
    )


def _group_words(signed: Sequence[int], compared: Sequence[int]) -> str:
    missing = [number for number in signed if number not in compared]
    parts = [f"signed {', '.join(map(str, signed)) or 'none'}"]
    if missing:
        parts.append(f"not given {', '.join(map(str, missing))}")
    return "; ".join(parts)


def _list_lines(item: Value) -> list[str]:
    source = f"{item['source']}: " if item["source"] else ""
    if item["status"] == "verified":
        status = "verified"
    else:
        holds = "its signature holds, but " if item["signature_holds"] else ""
        status = f"UNVERIFIED: {holds}{_reason_words(item)}"
    lines = _line("signature", f"{source}{status}")
    lines += _line("signed by", _certificate_words(item["signer"]))
    if item["signer_valid"] is False:
        lines += _line("note", "the signer is not valid at this time")
    lines += _line("root", _certificate_words(item["root"]))
    lines += [line for note in item["notes"] for line in _line("note", _reason_words(note))]
    return lines


def _crl_words(item: Value) -> str:
    age = "fresh" if item["fresh"] else "STALE"
    until = item["next_update"][:10] if item["next_update"] else "not told"
    signed = "verified" if item["status"] == "verified" else "UNVERIFIED (give the issuer with --anchor)"
    issued = f"issued {item['this_update'][:10]}, next {until}"
    return f"{item['issuer']}: {signed}, {age}, {issued}, {len(item['revoked'])} revoked"


def _deviation_words(item: Value) -> str:
    where = f" of {item['where']}" if item["where"] else ""
    excuse = f"; policy may excuse {item['may_excuse']}" if item["may_excuse"] else ""
    text = f": {item['description']}" if item["description"] else ""
    return f"{item['kind'].replace('_', ' ')}{where} ({item['oid']}){text}{excuse}"


def _entry_words(item: Value) -> str:
    which = [
        f"{name} {item[key]}"
        for key, name in (
            ("document_type", "type"),
            ("signer_serial", "signer"),
            ("signer_key_id", "signer key"),
            ("signer_digest", "signer digest"),
        )
        if item[key] is not None
    ]
    if item["documents"] is not None:
        which.append(f"{item['documents']} numbers")
    if item["issued"] is not None:
        which.append(f"issued {item['issued'][0]} to {item['issued'][1]}")
    return f"{', '.join(which)}: {'; '.join(_deviation_words(it) for it in item['deviations'])}"
