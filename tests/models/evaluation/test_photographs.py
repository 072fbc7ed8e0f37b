import zipfile
from pathlib import Path

import pytest

from models.evaluation import photographs
from models.evaluation.pairs import Sample
from models.evaluation.photographs import Collection, Opened, PhotographsError

FILES = (
    "set/Ada_Lovelace/Ada_Lovelace_0001.jpg",
    "set/Ada_Lovelace/Ada_Lovelace_0002.JPG",
    "set/Ada_Lovelace/Ada_Lovelace_0010.png",
    "set/José O'Neill/José O'Neill_0001.jpg",
    "set/Bob/portrait.jpg",
    "set/Bob/notes.txt",
)


@pytest.fixture(params=["folder", "archive"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "folder":
        for file in FILES:
            path = tmp_path / "photographs" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.encode())
        return tmp_path / "photographs"
    with zipfile.ZipFile(tmp_path / "photographs.zip", "w") as archive:
        for file in FILES:
            archive.writestr(file, file.encode())
    return tmp_path / "photographs.zip"


def test_photographs_are_listed_by_person_and_in_order(source: Path) -> None:
    found = Collection(source)
    assert set(found.people) == {"Ada_Lovelace", "José O'Neill", "Bob"}
    assert [each.number for each in found.people["Ada_Lovelace"]] == [1, 2, 10]
    assert [each.number for each in found.people["Bob"]] == [None]


def test_a_sample_of_a_list_is_found_by_name_and_number(source: Path) -> None:
    found = Collection(source)
    for person in ("Ada_Lovelace", "Ada Lovelace"):
        photograph = found.find(Sample(person=person, number=2))
        assert photograph is not None
        assert photograph.file.endswith("Ada_Lovelace_0002.JPG")
    assert found.find(Sample(person="José O'Neill", number=1)) is not None
    assert found.find(Sample(person="Ada_Lovelace", number=3)) is None
    assert found.find(Sample(person="Carl", number=1)) is None


def test_no_name_leads_out_of_the_folder(source: Path) -> None:
    (source.parent / "secret").mkdir()
    (source.parent / "secret" / "secret_0001.jpg").write_bytes(b"secret")
    assert Collection(source).find(Sample(person="../secret", number=1)) is None


def test_the_next_photographs_of_a_person_go_round(source: Path) -> None:
    found = Collection(source)
    second = found.people["Ada_Lovelace"][1]
    assert [each.number for each in found.from_number(second)] == [2, 10, 1]


def test_photographs_are_read_as_they_are(source: Path) -> None:
    found, opened = Collection(source), Opened(source)
    for group in found.people.values():
        for each in group:
            assert opened.read(each).decode().endswith(each.file.removeprefix("set/"))
    opened.close()


def test_a_file_is_read_no_further_than_the_limit(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photographs, "MAX_FILE", 5)
    found, opened = Collection(source), Opened(source)
    assert len(opened.read(found.people["Bob"][0])) == 6
    opened.close()


def test_what_is_neither_folder_nor_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no archive")
    for path in (tmp_path / "file", tmp_path / "missing"):
        with pytest.raises(PhotographsError, match="neither a folder nor a zip file"):
            Collection(path)


def test_two_photographs_with_one_number_are_refused(tmp_path: Path) -> None:
    for name in ("Ada/Ada_0001.jpg", "Ada/Ada_0001.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(PhotographsError, match="the same number"):
        Collection(tmp_path)


def test_too_many_photographs_are_refused(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photographs, "MAX_FILES", 2)
    with pytest.raises(PhotographsError, match="more than 2"):
        Collection(source)
