"""Deviation lists (Doc 9303-3 section 7, 9303-12 section 10): what a state says is wrong in its documents.

An entry names documents (by type, document signer, period of issue, numbers: all that are given must hold)
and says what deviates. The period of issue is in no machine-readable part of a document, so an entry that
gives one can be told to apply only as far as the rest goes. A deviation excuses nothing by itself: which
check it would excuse stands in `excuses`, whether it does is the receiving state's policy.
"""

from dataclasses import dataclass

from gated.document import tlv
from gated.document.errors import TlvError, TrustError
from gated.document.trust.certificates import Certificate
from gated.document.trust.names import CanonicalName, canonical, dotted
from gated.document.trust.signatures import digest_of, digest_of_length
from gated.document.trust.signed_data import same_serial

DEVIATION_LIST = "2.23.136.1.1.7"
MAY_SIGN_DEVIATIONS = "2.23.136.1.1.8"

MAX_DEVIATION_LIST = 16 * 1024 * 1024
MAX_DEVIATIONS = 1_000
MAX_NUMBERS = 500_000  # one real list names 299,400 documents in a single entry
MAX_DESCRIPTION = 1_000

_KINDS = {
    "1": "certificate_or_key",
    "1.1": "document_signer_signature",
    "1.2": "document_signer_encoding",
    "1.3": "csca_encoding",
    "1.4": "active_authentication_key_compromised",
    "2": "lds",
    "2.1": "data_group_malformed",
    "2.2": "data_group_hash_wrong",
    "2.3": "sod_signature_wrong",
    "2.4": "com_inconsistent",
    "3": "mrz",
    "3.1": "mrz_wrong_data",
    "3.2": "mrz_wrong_check_digit",
    "4": "chip",
    "5": "national_use",
}
_CERTIFICATE_FIELDS = (
    "generic", "version", "serial_number", "signature", "issuer", "validity", "subject",
    "subject_public_key_info", "issuer_unique_id", "subject_unique_id",
)  # fmt: skip
_MRZ_FIELDS = (
    "generic", "document_code", "issuing_state", "name", "document_number", "nationality",
    "birth_date", "sex", "expiry_date", "optional_data",
)  # fmt: skip
_FILES = {20: "sod", 21: "com"}

# The signature and the root are what an entry finds its document by, and the zone and the portrait are what
# a forger would change, as the keys in DG14 and DG15 are: no list excuses those.
_EXCUSABLE_GROUPS = frozenset(range(1, 17)) - {1, 2, 14, 15}
# By what field of a certificate it is, the check and those of its reasons that are about that field. That DG1
# names another state than the root, or that nobody can tell, is not among them: no state speaks for another.
_EXCUSED_BY_FIELD = {
    "validity": ("validity", {"expired", "not_yet_valid"}),
    "issuer": ("issuing_state", {"signer_of_another_state"}),
    "subject": ("issuing_state", {"signer_of_another_state"}),
    "2.5.29.15": ("document_signer", {"document_signer_key_usage", "document_signer_is_a_ca"}),
    "2.5.29.37": ("document_signer", {"document_signer_other_purpose"}),
    "2.5.29.19": ("document_signer", {"document_signer_is_a_ca"}),
    "2.23.136.1.1.6.2": ("signer_document_type", {"document_type_not_allowed"}),
}
_CERTIFICATES = {"document_signer_encoding": "document_signer", "csca_encoding": "csca"}


@dataclass(frozen=True, slots=True)
class Deviation:
    """What deviates: `kind` by name, `where` is a field or data group (`dg12`, `validity`) or empty."""

    kind: str
    oid: str
    where: str
    description: str

    @property
    def excuses(self) -> str:
        """The check that it may excuse (`dg_hashes` for the group in `where` alone), empty if none."""
        if self.kind == "data_group_hash_wrong" and self.where in {f"dg{n}" for n in _EXCUSABLE_GROUPS}:
            return "dg_hashes"
        if self.kind in _CERTIFICATES:
            return _EXCUSED_BY_FIELD.get(self.where, ("", set()))[0]
        return ""

    def covers(self, check: str, reason: str) -> bool:
        """Whether it may excuse that check for that reason; of hashes it tells one group (`excuses`)."""
        if self.excuses != check:
            return False
        if check == "dg_hashes":
            return True
        reasons = _EXCUSED_BY_FIELD[self.where][1]
        return reason in reasons or reason.removeprefix(f"{_CERTIFICATES[self.kind]}_") in reasons


@dataclass(frozen=True, slots=True, repr=False)
class Affected:
    """Which documents an entry is about; None where it does not say."""

    document_type: str | None
    signer: tuple[CanonicalName, int] | None
    signer_key_id: bytes | None
    signer_digest: bytes | None
    issued: tuple[str, str] | None
    numbers: frozenset[str] | None

    def means(self, signer: Certificate, document_type: str | None, number: str | None) -> bool:
        """Whether a document of this signer, type and number is one of them, as far as can be told.

        An entry whose only criterion is the period of issue means nothing that could be told.
        """
        told = (self.document_type, self.signer, self.signer_key_id, self.signer_digest, self.numbers)
        if all(criterion is None for criterion in told):
            return False
        if self.document_type is not None and document_type != self.document_type:
            return False
        if self.numbers is not None and (number is None or number.rstrip("<") not in self.numbers):
            return False
        return self._means_signer(signer)

    def _means_signer(self, signer: Certificate) -> bool:
        if self.signer is not None:
            issuer, serial = self.signer
            return issuer == signer.issuer and same_serial(serial, signer.serial)
        if self.signer_key_id is not None:
            return self.signer_key_id == signer.key_id
        if self.signer_digest is not None:
            name = digest_of_length(len(self.signer_digest))
            return name is not None and digest_of(name, signer.der) == self.signer_digest
        return True


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """Documents and what deviates in them."""

    affected: Affected
    deviations: tuple[Deviation, ...]


def parse_deviations(content: bytes) -> tuple[Entry, ...]:
    """Read a DeviationList (Doc 9303-12 section 10.2). Raises TrustError(`deviation_list_malformed`)."""
    try:
        whole = tlv.parse_one(content, 0x30, max_length=MAX_DEVIATION_LIST).value
        fields = tlv.parse(whole, max_length=MAX_DEVIATION_LIST)
        if len(fields) not in {2, 3} or fields[0].tag != 0x02 or fields[-1].tag != 0x31:
            raise TrustError("deviation_list_malformed")
        if fields[0].value != b"\0":
            raise TrustError("deviation_list_version")
        items = tlv.parse(fields[-1].value, max_length=MAX_DEVIATION_LIST, max_objects=MAX_DEVIATIONS)
        return tuple(_entry(item.value) for item in items)
    except (TlvError, ValueError) as error:
        raise TrustError("deviation_list_malformed") from error


def _entry(value: bytes) -> Entry:
    documents, descriptions = tlv.parse(value, max_length=MAX_DEVIATION_LIST)
    if (documents.tag, descriptions.tag) != (0x30, 0x31):
        raise TrustError("deviation_list_malformed")
    described = tlv.parse(descriptions.value, max_length=MAX_DEVIATION_LIST)
    return Entry(_affected(documents.value), tuple(_deviation(item.value) for item in described))


def _affected(value: bytes) -> Affected:
    """DeviationDocuments: implicit tags [0] to [5]."""
    fields = {item.tag: item.value for item in tlv.parse(value, max_length=MAX_DEVIATION_LIST)}
    unknown = set(fields) - {0x80, 0xA1, 0x82, 0x83, 0xA4, 0xA5}
    if unknown:  # a criterion that is not understood would make the entry mean too much
        raise TrustError("deviation_list_malformed")
    numbers = None
    if 0xA5 in fields:
        items = tlv.parse(fields[0xA5], max_length=MAX_DEVIATION_LIST, max_objects=MAX_NUMBERS)
        numbers = frozenset(item.value.decode("ascii").rstrip("<") for item in items)
    return Affected(
        document_type=fields[0x80].decode("ascii").rstrip("<") if 0x80 in fields else None,
        signer=_issuer_and_serial(fields[0xA1]) if 0xA1 in fields else None,
        signer_key_id=fields.get(0x82),
        signer_digest=fields.get(0x83),
        issued=_period(fields[0xA4]) if 0xA4 in fields else None,
        numbers=numbers,
    )


def _issuer_and_serial(value: bytes) -> tuple[CanonicalName, int]:
    name, serial = tlv.parse(value)
    return canonical(name.encode()), int.from_bytes(serial.value, "big", signed=True)


def _period(value: bytes) -> tuple[str, str]:
    first, last = (item.value.decode("ascii") for item in tlv.parse(value))
    return first, last


def _deviation(value: bytes) -> Deviation:
    """DeviationDescription: text, type, parameters under [0] and national use under [1]."""
    fields = tlv.parse(value)
    texts = [item.value for item in fields if item.tag in {0x0C, 0x13}]
    oid = dotted(tlv.only(fields, 0x06))
    kind = _KINDS.get(oid.removeprefix(f"{DEVIATION_LIST}."), "unknown")
    if not oid.startswith(f"{DEVIATION_LIST}."):
        kind = "unknown"
    parameter = next((item for item in fields if item.tag in {0x80, 0xA0}), None)
    text = texts[0].decode("utf-8", "replace")[:MAX_DESCRIPTION] if texts else ""
    return Deviation(kind, oid, _where(kind, parameter), text)


def _where(kind: str, parameter: tlv.Tlv | None) -> str:
    """A certificate's field, a data group or a field of the zone; written with an explicit tag or without."""
    if parameter is None:
        return ""
    value, is_oid = parameter.value, False
    if parameter.tag == 0xA0:
        inner = tlv.parse_one(parameter.value)
        value, is_oid = inner.value, inner.tag == 0x06
    if is_oid:
        return dotted(value)
    number = int.from_bytes(value, "big")
    if kind in {"document_signer_encoding", "csca_encoding"}:
        return _CERTIFICATE_FIELDS[number] if number < len(_CERTIFICATE_FIELDS) else ""
    if kind in {"mrz_wrong_data", "mrz_wrong_check_digit"}:
        return _MRZ_FIELDS[number] if number < len(_MRZ_FIELDS) else ""
    if kind in {"data_group_malformed", "data_group_hash_wrong"}:
        return _FILES.get(number, f"dg{number}" if 1 <= number <= 16 else "")
    return ""
