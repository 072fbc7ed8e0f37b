"""Every parser that sees bytes from outside, the one error that it may raise, and samples to start from.

Parsers and samples are named, not imported: a fuzzer guided by coverage instruments a module as it is
imported, so nothing may have imported it before.
"""

import importlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SLOW_S = 2.0  # processor time for one input; whoever sends it may not keep a gate from its work
MAX_INPUT = 16_384  # bytes; the caps of the parsers have tests of their own

DOCUMENT = "gated.document.errors"
LIST_ERROR = "gated.watchlist.snapshot:ListError"


@dataclass(frozen=True, slots=True)
class Target:
    """One parser. `parser` and `error` are `module:name`; `error` is empty for one that never raises.

    `seeds` names a function of `tests.fuzz.seeds`, with the identifier of a file behind `file:`.
    """

    name: str
    parser: str
    error: str
    seeds: str
    arguments: tuple[tuple[str, Any], ...] = ()

    def samples(self) -> list[bytes]:
        """Good inputs."""
        name, _, identifier = self.seeds.partition(":")
        made: list[bytes] = _named(f"tests.fuzz.seeds:{name}")(*([int(identifier, 16)] if identifier else []))
        return made

    def accepts(self, raw: bytes) -> bool:
        """Whether the parser takes this input for good."""
        error = _named(self.error) if self.error else ()
        try:
            _named(self.parser)(raw, **dict(self.arguments))
        except error:
            return False
        return True

    def load(self) -> Callable[[bytes], None]:
        """The contract as a function of one input: it returns, or raises what is a finding."""
        parse = _named(self.parser)
        error = _named(self.error) if self.error else ()
        arguments = dict(self.arguments)

        def contract(raw: bytes) -> None:
            started = time.process_time()
            try:
                parse(raw, **arguments)
            except error as refusal:
                _check_refusal(refusal)
            if time.process_time() - started > SLOW_S:
                raise SlowError(self.name)

        return contract


class SlowError(Exception):
    """A parser took longer than SLOW_S for one input."""


def lds(name: str, seeds: str) -> Target:
    return Target(
        f"lds.{name.removeprefix('parse_')}", f"gated.document.lds:{name}", f"{DOCUMENT}:LdsError", seeds
    )


def trust(name: str, parser: str, seeds: str, **arguments: object) -> Target:
    row = tuple(arguments.items())
    return Target(f"trust.{name}", f"gated.document.trust.{parser}", f"{DOCUMENT}:TrustError", seeds, row)


TARGETS = (
    Target("tlv", "gated.document.tlv:parse", f"{DOCUMENT}:TlvError", "objects"),
    Target("tlv.head", "gated.document.tlv:read_head", f"{DOCUMENT}:TlvError", "objects"),
    Target("apdu.command", "gated.document.apdu:parse_command", f"{DOCUMENT}:ApduError", "commands"),
    Target("apdu.response", "gated.document.apdu:parse_response", f"{DOCUMENT}:ApduError", "responses"),
    Target("mrz", "gated.document.mrz:parse", "gated.document.mrz:MrzError", "zones"),
    lds("parse_com", "file:0x011E"),
    lds("parse_dg1", "file:0x0101"),
    lds("face_images", "portraits"),
    lds("face_image", "portraits"),
    lds("parse_dg3", "fingers"),
    lds("parse_dg4", "irises"),
    lds("parse_dg5", "file:0x0105"),
    lds("parse_dg7", "file:0x0107"),
    lds("parse_dg11", "file:0x010B"),
    lds("parse_dg12", "file:0x010C"),
    lds("parse_dg13", "file:0x010D"),
    lds("parse_dg14", "file:0x010E"),
    lds("parse_dg15", "active_keys"),
    lds("parse_dg16", "file:0x0110"),
    lds("parse_sod", "file:0x011D"),
    lds("parse_security_object", "security_objects"),
    lds("parse_atr_info", "capabilities"),
    lds("parse_dir", "file:0x2F00"),
    trust("certificate", "certificates:parse_certificate", "certificates"),
    trust("signed_data", "signed_data:parse_signed_data", "signed", max_length=0x1_0000),
    trust("sod", "security_object:open_sod", "file:0x011D"),
    trust("crl", "crls:parse_crl", "revocations"),
    trust("deviations", "deviations:parse_deviations", "deviations"),
    trust("ldif", "ldif:parse_ldif", "directories"),
    trust("contents", "contents:take_apart", "trust_files", anchors=()),
    Target(
        "access.card_access",
        "gated.document.access.card_access:parse_card_access",
        f"{DOCUMENT}:AccessError",
        "security_infos",
    ),
    Target(
        "access.security_infos",
        "gated.document.access.security_infos:parse_security_infos",
        f"{DOCUMENT}:AccessError",
        "security_infos",
    ),
    Target(
        "groups.domain",
        "gated.document.groups.key_info:parse_domain",
        f"{DOCUMENT}:GroupError",
        "domains",
    ),
    Target(
        "groups.public_key",
        "gated.document.groups.key_info:parse_public_key",
        f"{DOCUMENT}:GroupError",
        "public_keys",
    ),
    Target(
        "genuine.active_key",
        "gated.document.genuine.active_authentication:parse_active_key",
        f"{DOCUMENT}:GenuineError",
        "active_keys",
    ),
    Target(
        "genuine.cv_certificate",
        "gated.document.genuine.cv_certificates:parse_certificate",
        f"{DOCUMENT}:CvError",
        "cv_certificates",
    ),
    Target(
        "genuine.cvca",
        "gated.document.genuine.terminal_authentication:parse_cvca",
        f"{DOCUMENT}:LdsError",
        "references",
    ),
    Target("reading", "tests.fuzz.conversation:read_from", f"{DOCUMENT}:DocumentError", "conversations"),
    Target("reading.capabilities", "gated.document.reading.capabilities:card_capabilities", "", "historical"),
    Target(
        "reading.transcript",
        "gated.document.reading.transcript:parse_transcript",
        "gated.document.reading.transcript:TranscriptError",
        "transcripts",
    ),
    Target(
        "image",
        "models.image:decode",
        "models.image:ImageError",
        "photographs",
        (("max_bytes", 512_000), ("max_pixels", 6_000_000)),
    ),
    Target("reader.atr", "drivers.atr:parse_atr", "drivers.atr:AtrError", "answers_to_reset"),
    Target("reader.t1", "drivers.t1:decode", "drivers.t1:BadBlock", "blocks"),
    Target("reader.ccid", "drivers.ccid:parse_reply", "drivers.ccid:CcidError", "ccid_messages"),
    Target(
        "reader.notification",
        "drivers.ccid:parse_notification",
        "drivers.ccid:CcidError",
        "notifications",
    ),
    Target(
        "reader.descriptor",
        "drivers.ccid:parse_descriptor",
        "drivers.ccid:CcidError",
        "class_descriptors",
    ),
    Target(
        "safety.telegram",
        "drivers.safety_protocol:decode",
        "drivers.safety_protocol:TelegramError",
        "safety_telegrams",
    ),
    Target("rules.pack", "gated.rules.reading:read", "gated.rules.errors:RulesError", "rule_packs"),
    Target("lists.changes", "tests.fuzz.sealed:changes", LIST_ERROR, "list_changes"),
    Target("lists.pack_head", "tests.fuzz.sealed:pack_head", LIST_ERROR, "pack_heads"),
    Target("lists.bucket", "tests.fuzz.sealed:bucket", LIST_ERROR, "pack_buckets"),
    Target(
        "lists.key_file",
        "gated.watchlist.keyed:parse_key_file",
        "gated.watchlist.keyed:ListKeyError",
        "list_key_files",
    ),
    Target(
        "journal.at_centre",
        "gated.store.delivery:read_at_centre",
        "gated.store.delivery:DeliveryError",
        "journal_letters",
    ),
    Target(
        "journal.at_gate",
        "gated.store.delivery:read_at_gate",
        "gated.store.delivery:DeliveryError",
        "journal_answers",
    ),
    Target(
        "registration.at_centre",
        "gated.store.registration_post:read_at_centre",
        "gated.store.registration_post:PostError",
        "registration_letters",
    ),
    Target(
        "registration.at_gate",
        "gated.store.registration_post:read_at_gate",
        "gated.store.registration_post:PostError",
        "registration_answers",
    ),
    Target(
        "journal.entries",
        "gated.store.delivery:unpack",
        "gated.store.delivery:DeliveryError",
        "journal_entries",
    ),
)
BY_NAME = {target.name: target for target in TARGETS}


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def _check_refusal(refusal: Exception) -> None:
    """Its text is a code, which is not made of input; `except` has seen to its type."""
    code = getattr(refusal, "code", None)
    if code is not None and (str(refusal) != code or not re.fullmatch("[a-z0-9_]+", code)):
        raise AssertionError("an error's text is more than its code") from refusal
