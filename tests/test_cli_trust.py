"""`gatectl document verify` and `gatectl trust show`, as text and as JSON, with every exit status."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import pem

from gated import cli
from hw_sim.passport import lds
from hw_sim.passport.issuer import Person, issue
from hw_sim.passport.pki import Deviating
from hw_sim.passport.pki_lists import ldif
from tests.document.founded_states import AT, TODAY, list_of, state
from tests.document.material import test_data

FRANCE = {"state": "FRA", "country": "FR"}
DATE = AT.date().isoformat()


@dataclass(frozen=True)
class Told:
    """What a command printed, as JSON and as text in one line, and whether it was good news."""

    value: dict[str, Any]
    text: str
    good: bool


def run(*arguments: object) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = cli.main([str(argument) for argument in arguments])
    return status, out.getvalue(), err.getvalue()


def ask(*arguments: object) -> Told:
    status, out, err = run(*arguments, "--json")
    assert (status in {0, 1}, err) == (True, "")
    again, text, _ = run(*arguments)
    assert again == status
    assert all(len(line) <= 100 for line in text.splitlines())
    return Told(json.loads(out), " ".join(text.split()), status == 0)


def refused(*arguments: object) -> str:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    return err


ALL = ("1=dg1", "2=dg2", "14=dg14")


class Files:
    """A document and the trust material of its state in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        expiry = TODAY + timedelta(days=900)
        person = Person(surname="DOE", given_names="JANE", number="L898902C3", birth=TODAY, expiry=expiry)
        passport = issue(state(), person, b"\xff\xd8\xff\xe0 a portrait")
        written = {"sod": lds.SOD, "dg1": lds.DG1, "dg2": lds.DG2, "dg14": lds.DG14, "com": lds.COM}
        for name, fid in written.items():
            self.write(name, passport.files[fid])
        self.csca = self.write("csca.der", state().csca.der)

    def write(self, name: str, raw: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(raw)
        return path

    def verify(
        self, *more: object, groups: tuple[str, ...] = ("1=dg1", "2=dg2", "14=dg14")
    ) -> tuple[object, ...]:
        """The question, with the root as trust unless other trust is given."""
        given = [text for group in groups for text in ("--dg", group.replace("=", f"={self.folder}/"))]
        trusted = () if "--trust" in more else ("--trust", self.csca)
        return ("document", "verify", "--sod", self.folder / "sod", *trusted, *given, "--at", DATE, *more)

    def crl(self, revoked: dict[int, str], days_ago: int = 10) -> Path:
        return self.write("crl", state().revocation_list(revoked, issued=AT - timedelta(days=days_ago)))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def checks(value: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["reason"] for check in value["checks"] if check["result"] != "successful"}


SERIAL = int(state().document_signer.certificate.serial_number)
NO_CRL = {"revocation": "crl_missing"}


# --- document verify -----------------------------------------------------------------------------------


def test_a_genuine_document(files: Files) -> None:
    answer = ask(*files.verify())
    assert answer.good
    assert answer.value["result"] == "successful"
    assert checks(answer.value) == NO_CRL
    assert answer.value["signed_groups"] == answer.value["compared_groups"] == [1, 2, 14]
    assert answer.value["csca"]["sha256"] == answer.value["csca"]["sha256"].lower()
    assert answer.value["signer"]["serial"] == f"{SERIAL:x}"
    assert answer.value["csca"]["country"] == "UT"
    assert answer.value["notes"] == []
    assert answer.text.startswith("result successful sod_signature successful: ")
    assert "policy does not require a revocation list" in answer.text


def test_a_document_with_another_portrait(files: Files) -> None:
    files.write("dg2", b"another portrait")
    answer = ask(*files.verify())
    assert not answer.good
    assert answer.value["result"] == "failed"
    assert checks(answer.value) == NO_CRL | {"dg_hashes": "dg2_hash_wrong"}
    failed = next(check for check in answer.value["checks"] if check["name"] == "dg_hashes")
    assert failed["clause"] == "Doc 9303-11, 5.1"
    assert "the hash of DG2 is not the signed one" in failed["sentence"]


def test_a_root_that_is_not_trusted(files: Files) -> None:
    other = files.write("other", state("other land", **FRANCE).csca.der)
    answer = ask(*files.verify("--trust", other))
    assert not answer.good
    assert answer.value["result"] == "undetermined"
    assert checks(answer.value)["csca"] == "csca_unknown"
    assert answer.value["csca"] is None


def test_the_security_object_alone(files: Files) -> None:
    answer = ask(*files.verify(groups=()))
    assert answer.value["result"] == "successful"
    not_asked = ("dg_hashes", "issuing_state", "signer_document_type")
    assert checks(answer.value) == NO_CRL | dict.fromkeys(not_asked, "not_asked")
    assert f"successful, of what was given: not asked were {', '.join(not_asked)}" in answer.text
    assert "not given 1, 2, 14" in answer.text
    portrait = ask(*files.verify(groups=("2=dg2",)))
    assert checks(portrait.value) == NO_CRL | dict.fromkeys(not_asked[1:], "not_asked")


def test_trust_files_of_every_kind(files: Files) -> None:
    anchor = files.write("anchor", state().anchor)
    bundle = pem.armor("CERTIFICATE", state("other land", **FRANCE).csca.der) + pem.armor(
        "CERTIFICATE", state().csca.der
    )
    for raw in (state().master_list(), bundle, ldif([("pkdMasterListContent", state().master_list())])):
        path = files.write("trust", raw)
        assert ask(*files.verify("--trust", path, "--anchor", anchor)).value["result"] == "successful"
    for more in (("--trust", path, "--trust", files.csca), ("--trust", path, files.csca)):
        assert ask(*files.verify(*more, "--anchor", anchor)).value["store"]["roots"] == 1


def test_a_list_without_its_anchor_is_no_trust(files: Files) -> None:
    listed = files.write("list", state().master_list())
    assert "master_list_not_anchored" in refused(*files.verify("--trust", listed))
    younger = files.write("younger", state().renewed("utopia renewed").anchor)
    assert "give the root with --anchor" in refused(*files.verify("--trust", listed, "--anchor", younger))


def test_pieces_that_are_refused_are_told(files: Files) -> None:
    listed = files.write("list", list_of(b"\x30\x00", state().csca.der))
    answer = ask(*files.verify("--trust", listed, "--anchor", files.csca))
    assert answer.good
    (told,) = answer.value["store"]["refused"]
    assert told["source"].endswith("list, certificate 1")
    assert told["reason"] == "certificate_malformed"
    assert "not used" in answer.text


def test_revocation_lists(files: Files) -> None:
    good = ask(*files.verify("--crl", files.crl({4711: ""})))
    assert (good.value["result"], checks(good.value)) == ("successful", {})
    revoked = ask(*files.verify("--crl", files.crl({SERIAL: "key_compromise"})))
    assert (revoked.value["result"], checks(revoked.value)) == (
        "failed", {"revocation": "document_signer_revoked"},
    )  # fmt: skip
    assert revoked.value["revoked"] == {
        "since": (AT - timedelta(days=10)).isoformat(), "reason": "key_compromise",
    }  # fmt: skip
    assert "revoked since 2026-11-13T12:00:00+00:00, key_compromise" in revoked.text
    stale = ask(*files.verify("--crl", files.crl({}, days_ago=200)))
    assert (stale.value["result"], checks(stale.value)) == ("undetermined", {"revocation": "crl_stale"})
    required = ask(*files.verify("--require-crl"))
    assert (required.value["result"], checks(required.value)) == ("undetermined", NO_CRL)


def test_a_list_that_no_root_signed_leaves_the_check_open(files: Files) -> None:
    other = state("other land", **FRANCE).revocation_list({}, issued=AT)
    answer = ask(*files.verify("--crl", files.write("crl", other)))
    assert (answer.value["result"], checks(answer.value)) == ("undetermined", NO_CRL)
    assert [item["reason"] for item in answer.value["store"]["refused"]] == ["crl_issuer_unknown"]


def test_deviation_lists(files: Files) -> None:
    entry = Deviating(deviations=(("2.2", 12), ("1.4", None)), numbers=("L898902C3",), description="a fault")
    listed = files.write("deviations", state().deviation_list(entry))
    answer = ask(*files.verify("--deviations", listed))
    assert [(item["kind"], item["where"]) for item in answer.value["deviations"]] == [
        ("data_group_hash_wrong", "dg12"),
        ("active_authentication_key_compromised", ""),
    ]
    assert "a fault" in answer.text
    other = state("other land", **FRANCE).deviation_list(entry)
    assert "deviation_list_not_anchored" in refused(
        *files.verify("--deviations", files.write("other", other))
    )


def test_policy_by_option(files: Files) -> None:
    late = ("--at", (AT + timedelta(days=3799)).isoformat())
    assert checks(ask(*files.verify(*late)).value) == NO_CRL
    later = ("--at", "2040-01-01T00:00:00Z")
    assert checks(ask(*files.verify(*later)).value)["validity"] == "document_signer_expired"
    assert checks(ask(*files.verify("--no-sha1", "--min-rsa-bits", "3072", "--expired-csca")).value) == NO_CRL


def test_a_difference_to_ef_com_is_noted(files: Files) -> None:
    assert ask(*files.verify("--com", files.folder / "com")).value["notes"] == []
    shorter = files.write("shorter", lds.com({lds.DG1: b"", lds.DG2: b""}))
    (note,) = ask(*files.verify("--com", shorter)).value["notes"]
    assert note["reason"] == "com_differs_from_sod"


def test_a_zone_with_faults_still_names_its_state(files: Files) -> None:
    spoilt = (files.folder / "dg1").read_bytes().replace(b"L898902C3", b"L898902C4")
    answer = ask(*files.verify(groups=(f"1={files.write('spoilt', spoilt).name}",)))
    assert checks(answer.value) == NO_CRL | {"dg_hashes": "dg1_hash_wrong"}


def test_dg1_that_cannot_be_read_leaves_the_state_open(files: Files) -> None:
    for raw in (b"garbage", b"\x61\x03\x5f\x1f\x00", b"\x61\x07\x5f\x1f\x04\xff\xff\xff\xff"):
        answer = ask(*files.verify(groups=(f"1={files.write('spoilt', raw).name}",)))
        reasons = checks(answer.value)
        assert reasons.pop("dg_hashes") == "dg1_hash_wrong"
        assert reasons.pop("issuing_state") in {"not_reached", "issuing_state_differs"}
        assert not answer.good


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--dg", "17=x"), "N from 1 to 16"),
        (("--dg", "x"), "N from 1 to 16"),
        (("--dg", "1=/nowhere/at/all"), "cannot be read"),
        (("--at", "yesterday"), "give a date"),
        (("--trust", "/nowhere/at/all"), "cannot be read"),
        (("--crl", "/nowhere/at/all"), "cannot be read"),
        (("--anchor", "/nowhere/at/all"), "cannot be read"),
    ],
)
def test_questions_that_cannot_be_asked(files: Files, arguments: tuple[str, ...], complaint: str) -> None:
    assert complaint in refused(*files.verify(*arguments, groups=()))


def test_files_of_the_wrong_kind(files: Files) -> None:
    garbage, listed = files.write("garbage", b"garbage"), files.write("list", state().master_list())
    deviations = files.write("deviations", state().deviation_list())
    assert "certificate_malformed" in refused(*files.verify("--trust", garbage))
    assert "give the root's certificate" in refused(*files.verify("--anchor", listed))
    assert "give it with --deviations" in refused(*files.verify("--trust", deviations))
    assert "give one deviation list" in refused(*files.verify("--deviations", files.csca))
    sod = files.write("wrong", state().sign_document(b"\x30\x00"))
    for option in ("--trust", "--anchor", "--deviations"):
        assert "file_unknown" in refused(*files.verify(option, sod))
    assert "com_malformed" in refused(*files.verify("--com", garbage))
    twice = ("1=dg1", "1=dg1")
    assert "twice" in refused(*files.verify(groups=twice))
    empty = ask("document", "verify", "--sod", garbage, "--trust", files.csca, "--at", DATE)
    assert checks(empty.value)["sod_signature"] == "sod_malformed"
    with pytest.raises(SystemExit):
        ask(*files.verify("--min-rsa-bits", "512"))


# --- trust show --------------------------------------------------------------------------------------------


def test_a_list_is_shown_with_its_standing(files: Files) -> None:
    other = state("other land", **FRANCE)
    path = files.write("list", state().master_list(other))
    good = ask("trust", "show", path, "--anchor", files.csca, "--at", DATE)
    assert good.good
    (listed,) = good.value["lists"]
    assert (listed["status"], listed["signature_holds"], listed["signer_valid"]) == ("verified", True, True)
    assert good.value["certificates"]["countries"] == {"FR": 1, "UT": 1}
    stranger = files.write("stranger", other.csca.der)
    assert not ask("trust", "show", path, "--anchor", stranger).good
    unanchored = ask("trust", "show", path, "--at", DATE)
    assert unanchored.good  # nobody asked for more than what it holds
    assert unanchored.value["lists"][0]["reason"] == "master_list_not_anchored"
    assert "UNVERIFIED" in unanchored.text


def test_refused_pieces_are_shown_one_by_one(files: Files) -> None:
    path = files.write("list", list_of(b"\x30\x00", state().document_signer.der, state().csca.der))
    answer = ask("trust", "show", path, "--anchor", files.csca)
    held = answer.value["certificates"]
    assert (held["total"], held["usable"]) == (3, 1)
    assert {item["reason"] for item in held["refused"]} == {"certificate_malformed", "certificate_not_a_ca"}
    assert all(item["clause"] for item in held["refused"])


def test_other_kinds_are_shown(files: Files) -> None:
    crl = ask("trust", "show", files.crl({SERIAL: "key_compromise"}), "--anchor", files.csca, "--at", DATE)
    (listed,) = crl.value["crls"]
    assert (listed["status"], listed["fresh"], listed["number"]) == ("verified", True, 1)
    assert listed["revoked"][0]["reason"] == "key_compromise"
    assert ask("trust", "show", files.crl({}), "--at", "2030-01-01").value["crls"][0]["fresh"] is False
    assert "UNVERIFIED" in ask("trust", "show", files.crl({})).text
    entry = Deviating(
        deviations=(("2.2", 12),), document_type="P", numbers=("L898902C3",),
        signer=state().document_signer.certificate, issued=("20250101000000Z", "20260101000000Z"),
    )  # fmt: skip
    path = files.write("deviations", state().deviation_list(entry))
    deviations = ask("trust", "show", path, "--anchor", files.csca)
    assert deviations.good
    assert deviations.value["deviations"][0]["documents"] == 1
    assert "1 numbers" in deviations.text
    single = ask("trust", "show", files.csca)
    assert single.value["kind"] == "certificate"
    assert state().csca.certificate.subject.native["common_name"] in single.text
    directory = files.write(
        "ldif", ldif([("pkdMasterListContent", state().master_list()), ("userCertificate", b"")])
    )
    shown = ask("trust", "show", directory, "--anchor", files.csca)
    assert shown.value["kind"] == "ldif"
    assert "file_unknown" in refused("trust", "show", files.write("sod", state().sign_document(b"\x30\x00")))


def test_the_real_list(files: Files) -> None:
    real = files.write("real", test_data("emrtd/masterlist/DE_ML_2024-08-07-07-38-24.ml"))
    answer = ask("trust", "show", real, "--at", "2024-09-01")
    held = answer.value["certificates"]
    assert (held["total"], held["usable"]) == (541, 540)
    (told,) = held["refused"]
    assert told["subject"].startswith("CN=ECN004 005")
    assert told["reason"] == "ca_may_not_certify"
    assert sum(held["countries"].values()) == 540
    assert len(held["countries"]) > 90
    (listed,) = answer.value["lists"]
    assert (listed["signature_holds"], listed["status"]) == (True, "unverified")
    younger = files.write("younger", test_data("emrtd/masterlist/DE_ROOT_CA_CSCA07.cer"))
    still = ask("trust", "show", real, "--anchor", younger)
    assert still.value["lists"][0]["reason"] == "master_list_not_anchored"


def test_names_cannot_steer_a_terminal(files: Files) -> None:
    odd = state("odd", common_name="CSCA \x1b[2J\x07 ODD")
    text = ask("trust", "show", files.write("odd", odd.csca.der)).text
    assert "\x1b" not in text
    assert "CSCA ?[2J? ODD" in text
