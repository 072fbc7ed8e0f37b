"""Keys of tokens: made once, readable by their owner alone, and only good for the lane that they are for."""

from pathlib import Path

import pytest

from gated.central.cli import main
from gated.tokens.keys import TokenKeyError, make_key, opening_key, signing_key


def test_a_kiosk_signs_and_a_gate_opens(tmp_path: Path) -> None:
    kiosk = make_key(tmp_path / "kiosk.key", "kiosk")
    gate = make_key(tmp_path / "gate.key", "gate")
    assert signing_key(tmp_path / "kiosk.key").public_key().public_bytes_raw().hex() == kiosk
    assert opening_key(tmp_path / "gate.key").public_key().public_bytes_raw().hex() == gate
    assert (tmp_path / "gate.key").stat().st_mode & 0o777 == 0o600


def test_a_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "gate.key"
    make_key(path, "gate")
    body = path.read_bytes()
    with pytest.raises(TokenKeyError, match="is there already"):
        make_key(path, "gate")
    assert path.read_bytes() == body


def test_no_lane_takes_the_key_of_the_other(tmp_path: Path) -> None:
    make_key(tmp_path / "gate.key", "gate")
    with pytest.raises(TokenKeyError, match="is the key of a gate, not of a kiosk"):
        signing_key(tmp_path / "gate.key")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    make_key(tmp_path / "gate.key", "gate")
    (tmp_path / "gate.key").chmod(0o640)
    with pytest.raises(TokenKeyError, match="chmod 600"):
        opening_key(tmp_path / "gate.key")


@pytest.mark.parametrize("body", [b"", b"\xff", b"a = [", b'token_key = "gate"\nsecret_key = "5ec4e7"\n'])
def test_an_error_about_a_key_file_never_quotes_it(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "gate.key"
    path.write_bytes(body)
    path.chmod(0o600)
    with pytest.raises(TokenKeyError, match="not a key file for tokens") as caught:
        opening_key(path)
    assert "5ec4e7" not in str(caught.value)


def test_a_key_file_that_is_not_there_tells_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(TokenKeyError, match=r"gate-central token-key .* --for gate"):
        opening_key(tmp_path / "no.key")


def test_the_command_makes_a_key_and_shows_its_public_part_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "kiosk.key"
    assert main(["token-key", str(path), "--for", "kiosk"]) == 0
    shown = capsys.readouterr().out
    assert signing_key(path).public_key().public_bytes_raw().hex() in shown
    assert signing_key(path).private_bytes_raw().hex() not in shown
    assert main(["token-key", str(path), "--for", "kiosk"]) == 1
    assert "is there already" in capsys.readouterr().err
