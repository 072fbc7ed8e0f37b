from pathlib import Path

import pytest

from gated.store.key_files import CREDENTIALS
from gated.store.list_keys import make_list_key, read_list_key, read_list_keys
from gated.watchlist.keyed import ListKeyError


def test_a_key_that_was_made_is_read_back_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    key = make_list_key(tmp_path / "list.key")
    assert (tmp_path / "list.key").stat().st_mode & 0o777 == 0o600
    assert read_list_key(tmp_path / "list.key") == key
    assert read_list_keys([tmp_path / "list.key"]).ids == (key.id,)


def test_a_key_is_made_once(tmp_path: Path) -> None:
    key = make_list_key(tmp_path / "list.key")
    with pytest.raises(ListKeyError, match="move the old one away"):
        make_list_key(tmp_path / "list.key")
    assert read_list_key(tmp_path / "list.key") == key


def test_two_keys_are_never_alike(tmp_path: Path) -> None:
    assert make_list_key(tmp_path / "one") != make_list_key(tmp_path / "two")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    make_list_key(tmp_path / "list.key")
    (tmp_path / "list.key").chmod(mode)
    with pytest.raises(ListKeyError, match="others may read this secret: chmod 600"):
        read_list_key(tmp_path / "list.key")


def test_a_credential_of_systemd_may_show_its_access_list_in_the_groups_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_list_key(tmp_path / "list-key")
    (tmp_path / "list-key").chmod(0o440)
    monkeypatch.setenv(CREDENTIALS, str(tmp_path))
    read_list_key(tmp_path / "list-key")
    (tmp_path / "list-key").chmod(0o444)
    with pytest.raises(ListKeyError, match="others may read"):
        read_list_key(tmp_path / "list-key")


def test_a_missing_or_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ListKeyError, match="carry it over from the centre"):
        read_list_key(tmp_path / "absent")
    (tmp_path / "list.key").write_bytes(b"x" * 5000)
    (tmp_path / "list.key").chmod(0o600)
    with pytest.raises(ListKeyError, match="not the file of a list key"):
        read_list_key(tmp_path / "list.key")
    with pytest.raises(ListKeyError, match="cannot be written"):
        make_list_key(tmp_path / "nowhere" / "list.key")
