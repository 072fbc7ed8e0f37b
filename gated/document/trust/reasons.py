"""Every reason code of passive authentication in a sentence, with the clause that it rests on."""

import re
from typing import NamedTuple


class Reason(NamedTuple):
    """What is wrong, as people say it, and by which clause of which standard."""

    sentence: str
    clause: str


_PROFILE = "Doc 9303-12, 7.1"
_SOD = "Doc 9303-10, 4.6.2"
_LDS = "Doc 9303-10, appendix D"
_LISTS = "Doc 9303-12, 9"
_DEVIATIONS = "Doc 9303-12, 10"
_INSPECTION = "Doc 9303-11, 5.1"

_REASONS = {
    # the CMS structure
    "algorithm_malformed": Reason("an algorithm identifier is not well formed", "RFC 5280, 4.1.1.2"),
    "cms_attributes_malformed": Reason("the signed attributes are not well formed", "RFC 5652, 5.3"),
    "cms_attributes_missing": Reason("there are no signed attributes", f"RFC 5652, 5.3; {_SOD}"),
    "cms_content_missing": Reason("the signed content is not enclosed", f"RFC 5652, 5.2; {_SOD}"),
    "cms_malformed": Reason("the signed structure is not well formed", "RFC 5652, 5.1; X.690"),
    "cms_no_signer": Reason("nobody signed the structure", f"RFC 5652, 5.1; {_SOD}"),
    "cms_not_signed_data": Reason("the structure is not a SignedData", f"RFC 5652, 5.1; {_SOD}"),
    "cms_too_long": Reason("the structure is longer than any in use", "cap of this gate"),
    "cms_too_many_certificates": Reason(
        "more certificates are enclosed than in any in use", "cap of this gate"
    ),
    "cms_too_many_signers": Reason("more signers than in any in use", f"cap of this gate; {_SOD}"),
    "digest_unsupported": Reason(
        "a hash that must not be relied on, or an unknown one", "Doc 9303-12, 4.1.6"
    ),
    "signed_digest_wrong": Reason("the content is not the one that was signed", "RFC 5652, 5.4 and 11.2"),
    "signed_type_wrong": Reason("the content is not of the type that was signed", "RFC 5652, 11.1"),
    "signature_algorithm_malformed": Reason("the signature algorithm is not well formed", "RFC 4055, 3.1"),
    "signature_algorithm_mismatch": Reason("key and signature algorithm do not go together", "RFC 5652, 5.6"),
    "signature_algorithm_unsupported": Reason(
        "the signature algorithm is none that is allowed", "Doc 9303-12, 4.1.6"
    ),
    "signature_wrong": Reason("the signature does not hold under the signer's key", "RFC 5652, 5.6"),
    "signer_certificate_missing": Reason("the signer's certificate is not at hand", f"RFC 5652, 5.3; {_SOD}"),
    # EF.SOD and EF.CardSecurity
    "card_security_content_type": Reason("what is signed are no SecurityInfos", "Doc 9303-11, 9.2.11"),
    "document_signer_missing": Reason(
        "the document signer's certificate is neither enclosed nor known", _SOD
    ),
    "not_asked": Reason("what this check needs was not given", ""),
    "not_reached": Reason("an earlier check failed, or what this one needs could not be read", ""),
    "nothing_read": Reason("no data group was there to compare", _INSPECTION),
    "security_object_digest": Reason("the hashes are made with an unknown algorithm", _LDS),
    "security_object_malformed": Reason("the LDS security object is not well formed", _LDS),
    "security_object_version": Reason("version and content of the LDS security object differ", _LDS),
    "sha1_not_allowed": Reason("SHA-1 was used, which policy does not allow", "policy of this gate"),
    "sod_content_type": Reason("what is signed is no LDS security object", _SOD),
    "sod_malformed": Reason("EF.SOD is not one object under tag 77", _SOD),
    # certificates
    "certificate_algorithms_differ": Reason(
        "the signature algorithm inside and beside the signed part differ", "RFC 5280, 4.1.1.2"
    ),
    "certificate_critical_extension": Reason("a critical extension is not understood", "RFC 5280, 4.2"),
    "certificate_extension_malformed": Reason(
        "an extension that decides is not well formed", "RFC 5280, 4.2.1"
    ),
    "certificate_extension_repeated": Reason("an extension is there twice", "RFC 5280, 4.2"),
    "certificate_malformed": Reason("the certificate is not well formed", "RFC 5280, 4.1"),
    "certificate_not_a_ca": Reason(
        "the certificate is not for signing certificates",
        f"RFC 5280, 4.2.1.3; {_PROFILE}, table 6",
    ),
    "ca_may_not_certify": Reason(
        "the certificate is of a CA, but its keyUsage lacks keyCertSign",
        f"RFC 5280, 4.2.1.3; {_PROFILE}, table 6",
    ),
    "certificate_too_long": Reason("the certificate is longer than any in use", "cap of this gate"),
    "curve_parameters_unknown": Reason(
        "the curve is written out and is no known one in all its parameters",
        "Doc 9303-12, 4.1.6.3",
    ),
    "curve_unknown": Reason("the curve is no known one", "Doc 9303-12, 4.1.6.3"),
    "key_malformed": Reason("the public key is not well formed", "RFC 5280, 4.1.2.7"),
    "key_unsupported": Reason("the public key is of a kind that is not allowed", "Doc 9303-12, 4.1.6"),
    "name_malformed": Reason("a distinguished name is not well formed", "RFC 5280, 4.1.2.4"),
    "oid_malformed": Reason("an object identifier is not well formed", "X.690, 8.19"),
    "point_coding": Reason("a public point is not written in uncompressed form", "TR-03111, 3.2"),
    "point_off_curve": Reason("a public point does not lie on its curve", "TR-03111, 3.2"),
    "rsa_key_length": Reason(
        "an RSA key is shorter than 1024 or longer than 8192 bits", "Doc 9303-12, 4.1.6.1"
    ),
    # the document signer and its root
    "csca_expired": Reason("the root has expired", "RFC 5280, 6.1.3; Doc 9303-12, 4.1, table 1"),
    "csca_not_yet_valid": Reason("the root is not valid yet", "RFC 5280, 6.1.3"),
    "csca_revoked": Reason("the state revoked the root", f"{_INSPECTION}; RFC 5280, 6.3"),
    "csca_rsa_too_short": Reason("the root's RSA key is shorter than policy allows", "Doc 9303-12, 4.1.6.1"),
    "csca_signature_wrong": Reason(
        "no root of this name and key signed the document signer", "RFC 5280, 6.1.3"
    ),
    "csca_unknown": Reason("the document signer's root is not among those trusted", _INSPECTION),
    "document_signer_expired": Reason(
        "the document signer has expired", "RFC 5280, 6.1.3; Doc 9303-12, 4.1, table 1"
    ),
    "document_signer_is_a_ca": Reason(
        "the signer is a CA, which may not sign documents", f"{_PROFILE}, table 6"
    ),
    "document_signer_key_usage": Reason(
        "the signer's key is not for digital signatures", f"{_PROFILE}, table 6"
    ),
    "document_signer_not_yet_valid": Reason("the document signer is not valid yet", "RFC 5280, 6.1.3"),
    "document_signer_other_purpose": Reason(
        "the signer was certified for another purpose", f"{_PROFILE}, table 6"
    ),
    "document_signer_revoked": Reason(
        "the state revoked the document signer", f"{_INSPECTION}; RFC 5280, 6.3"
    ),
    "document_signer_rsa_too_short": Reason(
        "the document signer's RSA key is shorter than policy allows", "Doc 9303-12, 4.1.6.1"
    ),
    "document_type_not_allowed": Reason(
        "the document signer may not sign documents of this type", f"{_PROFILE}.1.6"
    ),
    "issuing_state_differs": Reason("DG1 names another state than the root", f"{_INSPECTION}; {_PROFILE}.1"),
    "signer_of_another_state": Reason("document signer and root are of different states", f"{_PROFILE}.1"),
    "state_unknown": Reason("nothing tells which state the root is of", f"Doc 9303-3, 5; {_PROFILE}.1.2"),
    # revocation lists
    "crl_algorithms_differ": Reason(
        "the signature algorithm inside and beside the signed part differ", "RFC 5280, 5.1.1.2"
    ),
    "crl_critical_extension": Reason("a critical extension is not understood", "RFC 5280, 5.2 and 5.3"),
    "crl_is_a_delta": Reason("the list is a delta, not complete", f"RFC 5280, 5.2.4; {_PROFILE}.4"),
    "crl_is_indirect": Reason("the list speaks for other issuers", f"RFC 5280, 5.3.3; {_PROFILE}.4"),
    "crl_is_partial": Reason("the list is of one distribution point only", f"RFC 5280, 5.2.5; {_PROFILE}.4"),
    "crl_issuer_unknown": Reason(
        "no trusted root has the name or key of the list's issuer", "RFC 5280, 6.3.3"
    ),
    "crl_malformed": Reason("the revocation list is not well formed", "RFC 5280, 5.1"),
    "crl_missing": Reason("there is no revocation list of this root", f"{_INSPECTION}; RFC 5280, 6.3"),
    "crl_signature_wrong": Reason("no trusted root signed the revocation list", "RFC 5280, 6.3.3"),
    "crl_stale": Reason(
        "the root's revocation list is past its next update or policy's age", "RFC 5280, 5.1.2.5"
    ),
    "crl_too_long": Reason("the revocation list is longer than any in use", "cap of this gate"),
    # master lists, deviation lists, files
    "deviation_list_malformed": Reason("the deviation list is not well formed", f"{_DEVIATIONS}.2"),
    "deviation_list_not_anchored": Reason("no trusted root signed the list's signer", _DEVIATIONS),
    "deviation_list_signer_missing": Reason("the list's signer is not enclosed", f"{_DEVIATIONS}.1"),
    "deviation_list_signer_not_allowed": Reason(
        "the signer may not sign deviation lists", f"{_PROFILE}, table 6"
    ),
    "deviation_list_type": Reason("what is signed is no deviation list", f"{_DEVIATIONS}.1"),
    "deviation_list_version": Reason("a deviation list of an unknown version", f"{_DEVIATIONS}.2"),
    "certificate_not_vouched_for": Reason(
        "the root stands unsigned in a directory, and no anchor signed it", "Doc 9303-12, 6.1.1"
    ),
    "file_too_long": Reason("the file is longer than any in use", "cap of this gate"),
    "file_unknown": Reason("neither certificates nor a list of a known kind", ""),
    "ldif_not_base64": Reason("a binary attribute is not base64", "RFC 2849"),
    "ldif_too_long": Reason("the file or one of its objects is longer than any in use", "cap of this gate"),
    "master_list_malformed": Reason("the master list is not well formed", f"{_LISTS}.2"),
    "master_list_not_anchored": Reason(
        "no anchor, nor a root linked from one, signed the list's signer", _LISTS
    ),
    "master_list_signer_missing": Reason("the list's signer is not enclosed", f"{_LISTS}.1"),
    "master_list_signer_not_allowed": Reason("the signer may not sign master lists", f"{_PROFILE}, table 6"),
    "master_list_type": Reason("what is signed is no master list", f"{_LISTS}.1"),
    "pem_malformed": Reason("an armoured block is not well formed", "RFC 7468"),
    # notes: odd, and not wrong
    "cms_content_bare": Reason("the content is enclosed as PKCS #7 had it", "RFC 5652, 5.2.1"),
    "cms_not_der": Reason("the structure is coded in BER, not DER", f"RFC 5652, 5.1; {_SOD}"),
    "cms_several_signers": Reason("the structure has several signers", f"{_SOD}, signerInfos"),
    "com_differs_from_sod": Reason("EF.COM lists other data groups than are signed", "Doc 9303-10, 4.6.1"),
    "csca_named_otherwise": Reason(
        "the signer names its root otherwise than the root itself", "RFC 5280, 4.1.2.4 and 6.1.3"
    ),
    "digest_algorithm_misnamed": Reason(
        "the content was hashed by another algorithm than named", "RFC 5652, 5.3"
    ),
    "document_types_malformed": Reason("the list of document types is not well formed", f"{_PROFILE}.1.6"),
    "issuer_alt_name_malformed": Reason(
        "the issuer's alternative name is not well formed", f"{_PROFILE}.1.2"
    ),
    "list_signed_by_a_root": Reason("a root signed the list itself", "Doc 9303-12, 3.1; Doc 9303-3, 7.3.2"),
    "private_key_usage_period_malformed": Reason(
        "the private key's period is not well formed", f"{_PROFILE}"
    ),
    "signature_algorithm_misnamed": Reason(
        "the signature is made by another algorithm than named", "RFC 5652, 5.3"
    ),
    "signed_after_the_private_keys_period": Reason(
        "signed after the private key's period", "Doc 9303-12, 4.1"
    ),
    "signed_attributes_not_der": Reason("the signed attributes are not coded in DER", "RFC 5652, 5.3"),
    "signed_outside_the_signers_validity": Reason("signed when the signer was not valid", "Doc 9303-12, 4.1"),
    "signer_certificate_not_enclosed": Reason("the signer's certificate is not enclosed, but known", _SOD),
    "signer_named_otherwise": Reason(
        "the structure names its signer otherwise than the certificate", "RFC 5652, 5.3"
    ),
    "sod_content_type_of_early_documents": Reason("an object identifier of early documents", _LDS),
    "sod_followed_by_filling": Reason("filling follows EF.SOD", _SOD),
    "sod_without_tag": Reason("the structure came without its tag 77", _SOD),
    "subject_alt_name_malformed": Reason(
        "the subject's alternative name is not well formed", f"{_PROFILE}.1.2"
    ),
    # what policy excuses
    "deviation_list": Reason(
        "the issuing state tells of this deviation, and policy counts it", "Doc 9303-3, 7.3"
    ),
    "policy_revocation_if_known": Reason("policy does not require a revocation list", "policy of this gate"),
}

_GROUP = re.compile(r"dg(\d{1,2})_(hash_wrong|not_signed)")
_GROUPS = {
    "hash_wrong": "the hash of DG{} is not the signed one: it was changed",
    "not_signed": "DG{} is not in the security object: nobody signed it",
}


def explain(code: str) -> Reason:
    """The sentence and clause of a code; a code of none is its own sentence."""
    group = _GROUP.fullmatch(code)
    if group is not None:
        return Reason(_GROUPS[group[2]].format(group[1]), _INSPECTION)
    return _REASONS.get(code, Reason(code.replace("_", " "), ""))


def codes() -> frozenset[str]:
    """All codes with a sentence."""
    return frozenset(_REASONS)
