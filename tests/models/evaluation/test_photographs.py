import contextlib
import itertools
import random
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


def test_those_that_a_list_names_are_left_out(source: Path) -> None:
    found = Collection(source, photographs.named(b"Ada_Lovelace/Ada_Lovelace_0001.jpg\r\nBob/Bob_0001.jpg"))
    assert [each.number for each in found.people["Ada_Lovelace"]] == [2, 10]
    assert found.find(Sample(person="Ada Lovelace", number=1)) is None
    assert found.left_out == 1
    utf_16 = "Ada_Lovelace/Ada_Lovelace_0001.jpg\r\n".encode("utf-16")
    assert photographs.named(utf_16) == {"Ada_Lovelace/Ada_Lovelace_0001.jpg"}


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


def test_two_photographs_with_one_number_are_told_apart_by_no_list_but_compared_with_all(
    tmp_path: Path,
) -> None:
    for name in ("Ada/Ada_0001.jpg", "Ada/Ada_0001.png", "Ada/Ada_0002.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = Collection(tmp_path)
    assert len(found.people["Ada"]) == 3
    assert found.find(Sample(person="Ada", number=2)) is not None
    with pytest.raises(PhotographsError, match=r"number: Ada/Ada_0001\.jpg and Ada/Ada_0001\.png: keep one"):
        found.find(Sample(person="Ada", number=1))


def test_a_person_may_be_a_link_to_a_folder_and_a_link_back_is_no_second_one(tmp_path: Path) -> None:
    large, chosen = tmp_path / "large", tmp_path / "chosen"
    (large / "Ada").mkdir(parents=True)
    for number in (1, 2, 10):
        (large / "Ada" / f"Ada_{number:04}.jpg").write_bytes(b"photograph")
    chosen.mkdir()
    (chosen / "Ada").symlink_to(large / "Ada", target_is_directory=True)
    (large / "Ada" / "back").symlink_to(chosen, target_is_directory=True)
    found = Collection(chosen)
    assert [each.number for each in found.people["Ada"]] == [1, 2, 10]
    assert Opened(chosen).read(found.people["Ada"][0]) == b"photograph"


def test_what_a_desktop_leaves_beside_photographs_is_no_photograph(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("set/Ada/Ada_0001.jpg", b"photograph")
        archive.writestr("set/Ada/._Ada_0001.jpg", b"resource fork")
        archive.writestr("__MACOSX/set/Ada/Ada_0001.jpg", b"resource fork")
    found = Collection(tmp_path / "set.zip")
    assert [each.file for each in found.people["Ada"]] == ["set/Ada/Ada_0001.jpg"]


def test_an_archive_may_name_its_files_with_backslashes(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("set\\Ada\\Ada_0001.jpg", b"photograph")
        archive.writestr("__MACOSX\\set\\Ada\\Ada_0001.jpg", b"resource fork")
    found, opened = Collection(tmp_path / "set.zip"), Opened(tmp_path / "set.zip")
    (photograph,) = found.people["Ada"]
    assert opened.read(photograph) == b"photograph"
    opened.close()


def test_a_folder_or_archive_without_photographs_is_refused_for_that(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "loose.jpg").write_bytes(b"nobody's")
    zipfile.ZipFile(tmp_path / "empty.zip", "w").close()
    for source in (tmp_path / "empty", tmp_path / "empty.zip"):
        with pytest.raises(PhotographsError, match="no photographs: give a folder or zip file"):
            Collection(source)


def test_too_many_photographs_are_refused(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photographs, "MAX_FILES", 2)
    with pytest.raises(PhotographsError, match="more than 2"):
        Collection(source)


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_damaged_photograph_of_an_archive_raises_the_one_error(tmp_path: Path, method: int) -> None:
    body = random.Random(1).randbytes(5000)
    with zipfile.ZipFile(tmp_path / "set.zip", "w", method) as archive:
        archive.writestr("Ada/Ada_0001.jpg", body)
        archive.writestr("Ada/Ada_0002.jpg", b"whole")
    damaged = bytearray((tmp_path / "set.zip").read_bytes())
    start = 30 + len("Ada/Ada_0001.jpg")
    damaged[start + 5 : start + 200] = bytes(byte ^ 0xA5 for byte in damaged[start + 5 : start + 200])
    (tmp_path / "set.zip").write_bytes(damaged)
    found, opened = Collection(tmp_path / "set.zip"), Opened(tmp_path / "set.zip")
    one, other = found.people["Ada"]
    with pytest.raises(PhotographsError, match="Ada_0001"):
        opened.read(one)
    assert opened.read(other) == b"whole"
    opened.close()


def test_an_archive_with_any_byte_of_its_listing_changed_is_read_or_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Ada/Ad\u00e9_0001.jpg", b"whole")
    whole = (tmp_path / "set.zip").read_bytes()
    for place in range(whole.index(b"PK\x01\x02"), len(whole)):
        for changed in (0x00, 0xFF, whole[place] ^ 1):
            (tmp_path / "set.zip").write_bytes(whole[:place] + bytes([changed]) + whole[place + 1 :])
            with contextlib.suppress(PhotographsError):
                people = Collection(tmp_path / "set.zip").people
                opened = Opened(tmp_path / "set.zip")
                for each in itertools.chain.from_iterable(people.values()):
                    opened.read(each)
