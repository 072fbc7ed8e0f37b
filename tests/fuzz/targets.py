"""Every parser that sees bytes from outside, the one error that it may raise, and samples to start from.

Parsers are named, not imported: a fuzzer guided by coverage instruments a module as it is imported.
"""

import importlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fuzz import seeds

SLOW_S = 2.0  # processor time for one input; whoever sends it may not keep a gate from its work
MAX_INPUT = 16_384  # bytes; the caps of the parsers have tests of their own

DOCUMENT = "gated.document.errors"


@dataclass(frozen=True, slots=True)
class Target:
    """One parser. `parser` and `error` are `module:name`; `error` is empty for one that never raises."""

    name: str
    parser: str
    error: str
    samples: Callable[[], list[bytes]]
    arguments: tuple[tuple[str, Any], ...] = ()

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


def lds(name: str, samples: Callable[[], list[bytes]]) -> Target:
    return Target(
        f"lds.{name.removeprefix('parse_')}", f"gated.document.lds:{name}", f"{DOCUMENT}:LdsError", samples
    )


def trust(name: str, parser: str, samples: Callable[[], list[bytes]], **arguments: object) -> Target:
    row = tuple(arguments.items())
    return Target(f"trust.{name}", f"gated.document.trust.{parser}", f"{DOCUMENT}:TrustError", samples, row)


TARGETS = (
    Target("tlv", "gated.document.tlv:parse", f"{DOCUMENT}:TlvError", seeds.objects),
    Target("tlv.head", "gated.document.tlv:read_head", f"{DOCUMENT}:TlvError", seeds.objects),
    Target("apdu.command", "gated.document.apdu:parse_command", f"{DOCUMENT}:ApduError", seeds.commands),
    Target("apdu.response", "gated.document.apdu:parse_response", f"{DOCUMENT}:ApduError", seeds.responses),
    Target("mrz", "gated.document.mrz:parse", "gated.document.mrz:MrzError", seeds.zones),
    lds("parse_com", seeds.file(0x011E)),
    lds("parse_dg1", seeds.file(0x0101)),
    lds("face_images", seeds.portraits),
    lds("face_image", seeds.portraits),
    lds("parse_dg3", seeds.fingers),
    lds("parse_dg4", seeds.irises),
    lds("parse_dg5", seeds.file(0x0105)),
    lds("parse_dg7", seeds.file(0x0107)),
    lds("parse_dg11", seeds.file(0x010B)),
    lds("parse_dg12", seeds.file(0x010C)),
    lds("parse_dg13", seeds.file(0x010D)),
    lds("parse_dg14", seeds.file(0x010E)),
    lds("parse_dg15", seeds.active_keys),
    lds("parse_dg16", seeds.file(0x0110)),
    lds("parse_sod", seeds.file(0x011D)),
    lds("parse_security_object", seeds.security_objects),
    lds("parse_atr_info", seeds.capabilities),
    lds("parse_dir", seeds.file(0x2F00)),
    trust("certificate", "certificates:parse_certificate", seeds.certificates),
    trust("signed_data", "signed_data:parse_signed_data", seeds.signed, max_length=0x1_0000),
    trust("sod", "security_object:open_sod", seeds.file(0x011D)),
    trust("crl", "crls:parse_crl", seeds.revocations),
    trust("deviations", "deviations:parse_deviations", seeds.deviations),
    trust("ldif", "ldif:parse_ldif", seeds.directories),
    trust("contents", "contents:take_apart", seeds.trust_files, anchors=()),
    Target(
        "access.card_access",
        "gated.document.access.card_access:parse_card_access",
        f"{DOCUMENT}:AccessError",
        seeds.security_infos,
    ),
    Target(
        "access.security_infos",
        "gated.document.access.security_infos:parse_security_infos",
        f"{DOCUMENT}:AccessError",
        seeds.security_infos,
    ),
    Target(
        "groups.domain",
        "gated.document.groups.key_info:parse_domain",
        f"{DOCUMENT}:GroupError",
        seeds.domains,
    ),
    Target(
        "groups.public_key",
        "gated.document.groups.key_info:parse_public_key",
        f"{DOCUMENT}:GroupError",
        seeds.public_keys,
    ),
    Target(
        "genuine.active_key",
        "gated.document.genuine.active_authentication:parse_active_key",
        f"{DOCUMENT}:GenuineError",
        seeds.active_keys,
    ),
    Target(
        "genuine.cv_certificate",
        "gated.document.genuine.cv_certificates:parse_certificate",
        f"{DOCUMENT}:CvError",
        seeds.cv_certificates,
    ),
    Target(
        "genuine.cvca",
        "gated.document.genuine.terminal_authentication:parse_cvca",
        f"{DOCUMENT}:LdsError",
        seeds.references,
    ),
    Target("reading", "tests.fuzz.conversation:read_from", f"{DOCUMENT}:DocumentError", seeds.conversations),
    Target(
        "reading.capabilities", "gated.document.reading.capabilities:card_capabilities", "", seeds.historical
    ),
    Target(
        "reading.transcript",
        "gated.document.reading.transcript:parse_transcript",
        "gated.document.reading.transcript:TranscriptError",
        seeds.transcripts,
    ),
    Target(
        "image",
        "models.image:decode",
        "models.image:ImageError",
        seeds.photographs,
        (("max_bytes", 512_000), ("max_pixels", 6_000_000)),
    ),
    Target("reader.atr", "drivers.atr:parse_atr", "drivers.atr:AtrError", seeds.answers_to_reset),
    Target("reader.t1", "drivers.t1:decode", "drivers.t1:BadBlock", seeds.blocks),
    Target("reader.ccid", "drivers.ccid:parse_reply", "drivers.ccid:CcidError", seeds.ccid_messages),
    Target(
        "reader.notification",
        "drivers.ccid:parse_notification",
        "drivers.ccid:CcidError",
        seeds.notifications,
    ),
    Target(
        "reader.descriptor",
        "drivers.ccid:parse_descriptor",
        "drivers.ccid:CcidError",
        seeds.class_descriptors,
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
