"""Nothing counts that a gate has not signed; what it has signed is shown years later, without the centre."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gated.central.cli import main
from gated.central.collect import Collector, CollectSettings, _Letter
from gated.central.folder import CentralError, CentralFolder
from gated.central.journal_keys import KeyRing, all_keys, enrol
from gated.central.keys import admit_gate, initialise, revoke_gate
from gated.central.registrations import RegistrationBook
from gated.central.repository import Lifetimes
from gated.store import delivery as say
from gated.store import registration_post as post
from gated.store.attested import ExportError, proven, read_lines
from gated.store.journal_key import public_part
from gated.store.outbox import Outbox
from gated.store.registration_letters import Kind
from tests.central.collecting import GATE, KEY, OWN, change, copied, entries, lived, paired
from tests.gatectl import gatectl
from tests.store.test_pruning import pruned

NOW = datetime(2030, 1, 1, tzinfo=UTC)
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
Run = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lives") / "journal.db"
    lived(path, range(3))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> CentralFolder:
    """A centre that has admitted the gate, and knows no journal key of it."""
    found = CentralFolder(tmp_path / "central")
    initialise(found, NOW, Lifetimes())
    admit_gate(found, GATE)
    return found


@pytest.fixture
def collector(folder: CentralFolder) -> Iterator[Collector]:
    one = Collector(folder, CollectSettings(address="tcp://127.0.0.1:*"))
    yield one
    one.close()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: object) -> tuple[int, str]:
        status = main([str(word) for word in words])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return run


def answer(collector: Collector, said: say.ToCentre) -> say.FromCentre:
    [told] = collector._taken([_Letter((b"",), GATE, say.read_at_centre(say.encode(said)))])
    return told


def outbox_of(journal: Path, own: Ed25519PrivateKey, collector: Collector) -> Outbox:
    return Outbox(journal, GATE, collector._key.public_key(), own)


def exchange(outbox: Outbox, collector: Collector, journal: Path, now: float) -> None:
    for step in range(5):
        for message in outbox.due(now + step * 2.0, entries(journal)[-1][0]):
            outbox.take(answer(collector, message), now + step * 2.0)


def test_a_gate_whose_key_nobody_knows_delivers_nothing_loses_nothing_and_is_told_what_to_do(
    lives: Path, collector: Collector, folder: CentralFolder
) -> None:
    outbox = outbox_of(lives, OWN, collector)
    exchange(outbox, collector, lives, 1.0)
    standing = outbox.standing
    assert (standing.acknowledged, standing.code) == (0, "journal_key_unknown")
    assert "gate-central journal-key" in standing.fix
    assert public_part(OWN) in standing.fix
    [state] = collector._records.states()
    assert [(each.code, each.seq, each.branch) for each in state.alarms] == [("unsigned", 0, None)]
    assert state.entries == 0
    enrol(folder, GATE, public_part(OWN), NOW)
    exchange(outbox, collector, lives, 100.0)
    assert (outbox.standing.acknowledged, outbox.standing.code) == (entries(lives)[-1][0], "")
    assert [(each.seq, each.hash) for each in collector._records.entries()] == entries(lives)
    outbox.close()


def test_who_has_the_line_and_not_the_journal_key_delivers_nothing(
    lives: Path, collector: Collector, folder: CentralFolder
) -> None:
    enrol(folder, GATE, public_part(OWN), NOW)
    for _ in range(2):
        thief = outbox_of(lives, OTHER, collector)
        exchange(thief, collector, lives, 1.0)
        assert (thief.standing.acknowledged, thief.standing.code) == (0, "journal_key_refused")
        assert public_part(OTHER) in thief.standing.fix
        thief.close()
    [state] = collector._records.states()
    [alarm] = state.alarms
    assert (alarm.code, state.entries) == ("unsigned", 0)
    assert alarm.times > 1  # one alarm, however often


def test_a_delivery_that_was_changed_on_its_way_is_refused_whatever_was_changed(
    lives: Path, collector: Collector, folder: CentralFolder
) -> None:
    enrol(folder, GATE, public_part(OWN), NOW)
    outbox = outbox_of(lives, OWN, collector)
    [question] = outbox.due(1.0, 40)
    outbox.take(answer(collector, question), 1.0)
    assert outbox.due(3.0, 40) == ()  # it lingers for more
    [delivery] = outbox.due(5.0, 40)
    assert isinstance(delivery, say.Delivery)
    assert isinstance(question, say.Whereabouts)
    sent = say.unpack(delivery.entries)
    altered = say.pack((sent[0], replace(sent[1], event="{}"), *sent[2:]))
    beyond = replace(delivery.at, seq=delivery.at.seq + 1)
    for forged in (
        replace(delivery, signature=b""),
        replace(delivery, signature=bytes(64)),
        replace(delivery, entries=altered),
        replace(delivery, number=delivery.number + 1),
        replace(delivery, head=beyond),
        replace(delivery, oldest=True),
        replace(delivery, at=beyond),
        replace(delivery, after=delivery.at),
        say.attest(OWN, "gate-2", delivery),
        replace(question, signature=b""),
        replace(question, head=beyond),
        replace(question, known=()),
        replace(question, number=9),
    ):
        told = answer(collector, forged)
        assert isinstance(told, say.NotTaken)
        assert told.reason == "not_signed"
    assert list(collector._records.entries()) == []
    elsewhere = say.attest(OWN, GATE, replace(delivery, at=beyond))
    assert answer(collector, elsewhere) == say.NotTaken(number=delivery.number, reason="malformed")
    assert isinstance(answer(collector, delivery), say.Receipt)
    outbox.close()


def test_what_a_gate_signed_long_ago_brought_again_raises_no_alarm_and_shows_no_life(
    lives: Path, tmp_path: Path, collector: Collector, folder: CentralFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gated.store.outbox.MAX_ENTRIES", 11)
    enrol(folder, GATE, public_part(OWN), NOW)
    journal = copied(lives, tmp_path / "gate")
    outbox = outbox_of(journal, OWN, collector)
    said: list[say.Whereabouts | say.Delivery] = []
    for now, head in ((1.0, 22), (3.0, 22), (5.0, 49), (7.0, 49), (9.0, 49), (5000.0, 49)):
        for message in outbox.due(now, head):
            said.append(message)
            outbox.take(answer(collector, message), now)
        time.sleep(0.003)  # receipts tell milliseconds
    held, last = entries(journal), said[-1]
    [state] = collector._records.states()
    assert (state.entries, state.alarms) == (held[-1][0], ())
    assert state.heard == last.heard > said[1].heard > said[0].heard == ""
    old = replace(said[0], heard=said[1].heard)  # of when the centre had nothing yet
    cut = say.attest(OWN, GATE, replace(old, head=say.Position(seq=5, hash=bytes.fromhex(held[4][1]))))
    for again in (*said, cut):
        assert isinstance(answer(collector, again), say.Receipt)
        assert collector._records.states() == (state,)
    answer(
        collector,
        say.attest(OWN, GATE, replace(cut, heard=datetime.now(UTC).isoformat(timespec="milliseconds"))),
    )
    [state] = collector._records.states()
    assert [(each.code, each.seq) for each in state.alarms] == [("cut", 6)]  # the gate's own newest word
    answer(collector, say.attest(OWN, GATE, replace(last, heard="9999-99-99T99:99:99.999+00:00")))
    assert datetime.fromisoformat(collector._records.states()[0].heard) <= datetime.now(UTC)
    outbox.close()


def test_a_letter_about_a_registration_that_its_gate_has_not_signed_changes_nothing(
    collector: Collector, folder: CentralFolder
) -> None:
    enrol(folder, GATE, public_part(OWN), NOW)
    book = RegistrationBook(folder)

    def bring(kind: Kind, key: Ed25519PrivateKey | None) -> list[tuple[str, bool]]:
        letter = post.LetterUp(registration="0" * 32, kind=kind, sealed=bytes(200))
        enclosed = say.Enclosed(body=post.encode(letter))
        collector._registration((b"",), GATE, enclosed if key is None else say.attest(key, GATE, enclosed))
        return [(each.registration, each.erased) for each in book.held()]

    assert bring(Kind.REGISTERED, None) == []
    assert bring(Kind.REGISTERED, OTHER) == []
    assert bring(Kind.REGISTERED, OWN) == [("0" * 32, False)]
    assert bring(Kind.ERASED, OTHER) == [("0" * 32, False)]
    assert bring(Kind.ERASED, OWN) == [("0" * 32, True)]
    book.close()


def test_a_new_key_counts_at_once_and_the_old_one_as_long_as_the_operator_says(
    folder: CentralFolder, run: Run
) -> None:
    said = say.Whereabouts(number=1, head=say.GENESIS, known=())
    ring = KeyRing(folder)

    def counts(key: Ed25519PrivateKey, at: datetime) -> bool:
        return ring.signer(GATE, say.attest(key, GATE, said), at) == key.public_key().public_bytes_raw()

    words = ("journal-key", folder.path, "--gate", GATE, "--public")
    assert run(*words, public_part(OWN))[0] == 0
    now = datetime.now(UTC)
    assert counts(OWN, now)
    assert not counts(OTHER, now)
    status, told = run(*words, public_part(OTHER))
    assert (status, "--keep-old" in told) == (1, True)
    assert run(*words, public_part(OTHER), "--keep-old", "2")[0] == 0
    for days, old in ((0, True), (1.9, True), (2.1, False)):
        at = datetime.now(UTC) + timedelta(days=days)
        assert (counts(OWN, at), counts(OTHER, at)) == (old, True)
    status, told = run(*words, public_part(OWN), "--keep-old", "0")
    assert (status, f"on record, of {GATE}" in told) == (1, True)
    third = Ed25519PrivateKey.generate()
    assert run(*words, public_part(third), "--keep-old", "0")[0] == 0
    assert [counts(key, datetime.now(UTC)) for key in (OWN, OTHER, third)] == [False, False, True]
    assert f'"{GATE}":"{public_part(third)}"' in run("status", folder.path, "--json")[1]


def test_revoking_a_gate_ends_its_keys_and_keeps_their_record(folder: CentralFolder, run: Run) -> None:
    assert run("journal-key", folder.path, "--gate", "gate-9", "--public", "0" * 64)[0] == 1
    enrol(folder, GATE, public_part(OWN), NOW)
    ring, said = KeyRing(folder), say.Whereabouts(number=1, head=say.GENESIS, known=())
    asked = say.attest(OWN, GATE, said)
    assert ring.signer(GATE, asked, datetime.now(UTC)) is not None
    revoke_gate(folder, GATE)
    assert ring.signer(GATE, asked, datetime.now(UTC)) is None
    [key] = all_keys(folder.gates)[GATE]
    assert key.public_key == public_part(OWN)
    admit_gate(folder, GATE)
    enrol(folder, GATE, public_part(OTHER), datetime.now(UTC))
    assert not ring.signer(GATE, asked, datetime.now(UTC))


def test_a_record_of_keys_that_cannot_be_read_stops_its_own_gate_only(
    folder: CentralFolder, run: Run
) -> None:
    admit_gate(folder, "gate-2")
    enrol(folder, GATE, public_part(OWN), NOW)
    enrol(folder, "gate-2", public_part(OTHER), NOW)
    (folder.gates / f"{GATE}.journal").write_text("{")
    ring, said = KeyRing(folder), say.Whereabouts(number=1, head=say.GENESIS, known=())
    assert not ring.has(GATE, NOW)
    assert ring.signer("gate-2", say.attest(OTHER, "gate-2", said), NOW) is not None
    status, told = run("status", folder.path)
    assert (status, "put the copy back" in told) == (1, True)
    with pytest.raises(CentralError):
        enrol(folder, GATE, public_part(KEY), NOW)


class Exported:
    """A journal that was delivered by pieces, and its export."""

    def __init__(self, folder: CentralFolder, journal: Path, run: Run) -> None:
        self.folder, self.run = folder, run
        self.file = folder.path / "export.jsonl"
        enrol(folder, GATE, public_part(OWN), NOW)
        with paired(journal, folder.path / "journals.db") as pair:
            pair.deliver()
        self.export()

    def export(self, *options: object) -> None:
        self.file.unlink(missing_ok=True)
        assert self.run("collect", self.folder.path, "--export", self.file, *options)[0] == 0

    def rows(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def change(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new, 1))

    def verify(self, *options: object) -> tuple[bool, list[dict[str, object]]]:
        words = ("verify", self.folder.path, "--export", self.file, *options, "--json")
        status, told = self.run(*words)
        found = json.loads(told)
        assert status == (0 if found["good"] else 1)
        return found["good"], found["journals"]


@pytest.fixture
def exported(
    lives: Path, tmp_path: Path, folder: CentralFolder, run: Run, monkeypatch: pytest.MonkeyPatch
) -> Exported:
    monkeypatch.setattr("gated.store.outbox.MAX_ENTRIES", 11)  # several deliveries
    return Exported(folder, copied(lives, tmp_path / "gate"), run)


def test_an_export_shows_a_year_later_that_the_gate_has_signed_all_of_it(
    exported: Exported, lives: Path
) -> None:
    good, [journal] = exported.verify()
    mine = entries(lives)
    last, head = mine[-1]
    assert good
    assert (journal["first"], journal["last"], journal["signed"]) == (1, last, last)
    assert (journal["head"], journal["keys"]) == (f"{last}:{head}", [public_part(OWN)])
    assert sum("signed" in row for row in exported.rows()) > 2
    (exported.folder.gates / f"{GATE}.journal").unlink()
    good, [journal] = exported.verify()
    assert (good, journal["problems"][0]) == (False, "none of its journal keys is known: name them")
    assert exported.verify("--key", f"{GATE}={public_part(OWN)}")[0]
    good, [journal] = exported.verify("--key", f"{GATE}={public_part(OTHER)}")
    assert (good, journal["signed"]) == (False, 0)


def test_the_later_part_of_a_journal_is_shown_by_itself(exported: Exported) -> None:
    exported.export("--after", 20)
    assert exported.rows()[0]["seq"] == 21
    good, [journal] = exported.verify()
    assert (good, journal["first"], journal["problems"]) == (True, 21, [])


def test_a_key_that_counts_no_more_still_shows_what_it_signed(exported: Exported) -> None:
    enrol(exported.folder, GATE, public_part(OTHER), datetime.now(UTC), timedelta())
    good, [journal] = exported.verify()
    assert (good, journal["keys"]) == (True, [public_part(OWN)])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"type":"GateStarted"', '"type":"GateStopped"', "entry 1: is not what its hash says"),
        ('"seq":20,', '"seq":21,', "entry 20: missing"),
        ('"gate":"gate-1"', '"gate":"gate-2"', "none of its journal keys is known"),
        ('"signature":"', '"signature":"00', None),
        ('"rest":"', '"rest":"00', None),
    ],
)
def test_an_export_that_was_changed_shows(exported: Exported, old: str, new: str, told: str | None) -> None:
    exported.change(old, new)
    if told is None:  # two digits too many
        assert exported.run("verify", exported.folder.path, "--export", exported.file)[0] == 1
        return
    good, journals = exported.verify()
    problems = [text for journal in journals for text in journal["problems"]]  # type: ignore[attr-defined]
    assert not good
    assert problems[0].startswith(told)


def test_entries_that_nobody_signed_show_at_the_end_and_a_signature_of_another_covers_nothing(
    exported: Exported,
) -> None:
    lines = exported.file.read_text().splitlines()
    last = json.loads(lines[-1])["seq"]
    signed = [json.loads(line)["seq"] for line in lines if '"signed"' in line]
    exported.file.write_text("\n".join(lines[:-1]) + "\n")
    good, [journal] = exported.verify()
    assert not good
    assert journal["problems"] == [
        f"entries {signed[-2] + 1} to {last - 1}: no signature of the gate covers them"
    ]
    row = json.loads(lines[-1])
    row["signed"]["signature"] = "0" * 128
    exported.file.write_text("\n".join([*lines[:-1], json.dumps(row)]) + "\n")
    good, [journal] = exported.verify()
    assert not good
    assert journal["problems"][-2].startswith(f"entry {last}: ")  # type: ignore[index]


def test_an_entry_that_was_changed_at_the_gate_is_told_and_the_rest_is_shown(
    lives: Path, tmp_path: Path, folder: CentralFolder, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gated.store.outbox.MAX_ENTRIES", 11)
    journal = copied(lives, tmp_path / "gate")
    change(journal, "UPDATE entries SET event = 'no JSON\n' WHERE seq = 20")
    good, [told] = Exported(folder, journal, run).verify()
    assert not good
    assert told["problems"] == [
        "entry 20: is not what its hash says: changed, at the gate or since",
        "entries 12 to 19: no signature of the gate covers them",
    ]


def test_the_gate_itself_holds_an_export_against_its_journal(
    tmp_path: Path, folder: CentralFolder, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    journal, key = tmp_path / "gate" / "journal.db", public_part(OWN)
    for passages in (range(2), range(5, 6)):
        lived(journal, passages)
    exported = Exported(folder, journal, run)

    def verify(*words: object) -> tuple[int, str]:
        question = ("journal", "verify", "--file", journal, "--export", exported.file, *words)
        status, out, err = gatectl(capsys)(*question)
        return status, out + err

    last = entries(journal)[-1][0]
    status, told = verify("--key", key)
    assert (status, f"entries 1 to {last}, {last} of them signed by this gate" in told) == (0, True)
    assert verify("--key", public_part(OTHER), "--key", key)[0] == 0  # of before and after a change
    assert verify("--key", public_part(OTHER))[0] == 1
    assert verify("--key", "abc")[0] == 2
    assert verify()[0] == 2
    assert pruned(journal, last) > 10
    assert verify("--key", key)[0] == 0  # what was removed here is not missing
    change(
        journal,
        "DELETE FROM entries WHERE seq = (SELECT max(seq) FROM entries)",
        "UPDATE entries SET hash = zeroblob(32) WHERE seq = (SELECT max(seq) FROM entries)",
    )
    status, told = verify("--key", key)
    assert status == 1
    assert f"PROBLEM  export: entry {last - 1} of branch 1: is another one here" in told
    assert f"PROBLEM  export: entry {last} of branch 1: is not here" in told


@settings(derandomize=True, max_examples=200)
@given(st.lists(st.binary(max_size=200), max_size=4))
def test_any_lines_are_entries_or_an_export_error(lines: list[bytes]) -> None:
    with contextlib.suppress(ExportError):
        list(proven(read_lines(lines), {}))
