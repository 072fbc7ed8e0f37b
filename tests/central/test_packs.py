"""Packed documents at the centre: keys that are made once, packs that are published when it is time."""

import json
from pathlib import Path
from typing import Any

import pytest

from gated.central import packs
from gated.central.cli import main
from gated.central.folder import CentralError
from gated.central.packs import list_key, new_list_key, resolve
from gated.central.publish import BadRows, current_index, withdraw_list
from gated.store.list_keys import read_list_key
from gated.watchlist.keyed import DocumentHashes
from gated.watchlist.replica import PublishedDocuments
from gated.watchlist.snapshot import DocumentEntry
from tests.store.central_stand_in import COLUMNS, Central, document, person

MANY = [document(f"A{number:05}") for number in range(400)]


@pytest.fixture
def central(tmp_path: Path) -> Central:
    central = Central(tmp_path / "central")
    new_list_key(central.folder)
    return central


def documents(central: Central) -> PublishedDocuments:
    index = current_index(central.folder)
    assert index is not None
    assert index.documents is not None
    return index.documents


def test_without_a_list_key_documents_are_published_as_they_are(tmp_path: Path) -> None:
    central = Central(tmp_path / "central")
    assert list_key(central.folder) is None
    central.publish(*MANY)
    index = current_index(central.folder)
    assert index is not None
    assert index.documents is None


def test_a_new_list_key_leaves_the_old_one_beside(central: Central) -> None:
    old = list_key(central.folder)
    assert old is not None
    new = new_list_key(central.folder)
    assert new != old
    assert list_key(central.folder) == new
    assert read_list_key(central.folder.keys / f"list-{old.id}.key") == old


def test_a_list_key_that_others_may_read_publishes_nothing(central: Central) -> None:
    (central.folder.keys / "list.key").chmod(0o644)
    with pytest.raises(CentralError, match="others may read"):
        central.publish(*MANY)
    assert current_index(central.folder) is None


def test_a_pack_is_published_again_after_as_many_steps_as_are_kept(central: Central) -> None:
    for number in range(6):
        central.publish(*MANY[number:], keep=3)
    assert documents(central).pack.version == 4
    assert [step.version for step in documents(central).steps] == [4, 5, 6]
    lying = {path.name.partition(".")[2] for path in (central.folder.targets / "watchlist").iterdir()}
    kept = {"documents-4.pack", "changes-3-4.pack", "changes-4-5.pack", "changes-5-6.pack"}
    before = {"changes-2-3.pack"}  # of the state before, for refreshes that are under way
    assert {name for name in lying if name.endswith(".pack")} == kept | before
    held = sorted(path.name for path in (central.folder.path / "packs").iterdir())
    assert held == ["4.pack", "5.pack", "6.pack"]


def test_a_pack_is_published_again_before_the_steps_are_more_than_a_gate_takes_beside_it(
    central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "LARGE", 0)  # as with a pack that is huge beside any step
    for number in range(3):
        central.publish(*MANY[number:])
    steps = documents(central).steps
    assert documents(central).pack.version == 1
    monkeypatch.setattr(packs, "MOST", sum(step.length for step in steps) + 1)
    central.publish(*MANY[3:])
    assert documents(central).pack.version == 4
    assert [step.version for step in documents(central).steps] == [2, 3, 4], "who has a pack takes steps"
    assert packs.MAX_CHANGES == 1_000_000, "a gate keeps so many: docs/lists.md"


def test_the_same_list_again_leaves_no_pack_behind(central: Central) -> None:
    central.publish(*MANY)
    assert central.publish(*reversed(MANY)).unchanged
    assert [path.name for path in (central.folder.path / "packs").iterdir()] == ["1.pack"]


def test_bad_rows_publish_nothing_unless_they_may_be_left_out(central: Central) -> None:
    with pytest.raises(BadRows) as refusal:
        central.publish(*MANY, ",,,,,,,,,", person("Eriksson", "Anna", "1974-13-12"))
    assert refusal.value.count == 2
    assert current_index(central.folder) is None


def test_a_pack_that_was_lost_means_that_the_next_one_is_published_whole(central: Central) -> None:
    central.publish(*MANY)
    (central.folder.path / "packs" / "1.pack").unlink()
    central.publish(*MANY[1:])
    assert (documents(central).pack.version, documents(central).steps) == (2, ())
    (central.folder.path / "packs" / "1.pack").unlink(missing_ok=True)
    with pytest.raises(CentralError, match="no list before"):
        withdraw_list(central.folder, central.now)


def test_a_reference_is_resolved_with_the_list_and_its_key_alone(central: Central) -> None:
    entries = [
        DocumentEntry(
            number=f"A{number}",
            issuer="UTO",
            type="P",
            grade="stop",
            reason="lost",
            reference=f"R-{number // 2}",
        )
        for number in range(10)
    ]
    key, other = list_key(central.folder), new_list_key(central.folder)
    assert key is not None
    reference = f"{key.id}:{DocumentHashes(key).reference('R-3').hex()}"
    assert [entry.number for entry in resolve(entries, reference, [key])] == ["A6", "A7"]
    with pytest.raises(CentralError, match="list key that is not here"):
        list(resolve(entries, reference, [other]))


def test_the_commands_make_a_key_hand_it_out_and_resolve_a_hit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, rows = str(tmp_path / "central"), tmp_path / "list.csv"
    rows.write_text(COLUMNS + "\n".join((document("L898902C3"), document("A1"))))
    told: list[dict[str, Any]] = []

    def run(*arguments: str) -> int:
        status = main([*arguments, "--json"])
        told.append(json.loads(capsys.readouterr().out))
        return status

    assert run("init", folder) == 0
    assert (tmp_path / "central" / "keys" / "list.key").exists(), "nothing readable lies on a gate's disk"
    assert run("list-key", folder) == 0
    assert run("publish", folder, "--list", str(rows)) == 0
    assert run("list-key", folder) == 0
    assert run("keys", folder, "--gate", "gate-1") == 0
    assert run("status", folder) == 0
    assert told[-1]["documents"] == 2, "though they are packed under the key before"
    handed = read_list_key(Path(told[-2]["folder"]) / "list.key")
    assert (handed.id, handed.id != told[1]["id"]) == (told[3]["id"], True)
    old = read_list_key(tmp_path / "central" / "keys" / f"list-{told[1]['id']}.key")
    reference = f"{old.id}:{DocumentHashes(old).reference('R-A1').hex()}"
    assert run("resolve", folder, reference, "--list", str(rows)) == 0
    assert [each["number"] for each in told[-1]["documents"]] == ["A1"]
