"""The key that a gate signs its journal with: made once, for its owner alone; without it the gate says so."""

import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gated.app import _delivery
from gated.config import ConfigError, load
from gated.store.journal_key import JournalKeyError, make_journal_key, public_part, read_journal_key
from tests.gatectl import gatectl
from tests.test_config import filled

SECTION = '[journal]\ncollector = "tcp://127.0.0.1:1"\nreceipt_key = "{}"\n'


def test_a_key_is_made_once_for_its_owner_alone_and_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, path = gatectl(capsys), tmp_path / "journal.key"
    status, out, _ = run("journal", "key", path)
    assert status == 0
    public = public_part(read_journal_key(path))
    assert f"public key {public}" in out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    status, out, err = run("journal", "key", path)
    assert (status, "is there already" in err) == (2, True)
    assert path.read_bytes() == before


def test_a_key_that_others_may_read_or_that_is_none_is_refused_and_never_quoted(tmp_path: Path) -> None:
    path = tmp_path / "journal.key"
    with pytest.raises(JournalKeyError, match="gatectl journal key"):
        read_journal_key(path)
    make_journal_key(path)
    text = path.read_text()
    path.chmod(0o640)
    with pytest.raises(JournalKeyError, match="chmod 600"):
        read_journal_key(path)
    path.chmod(0o600)
    secret = text.split('secret_key = "')[1][:64]
    swapped = text.replace(secret, "0" * 64)
    for wrong, told in ((text[:-9], "not a key file"), (swapped, "two halves"), ("\xff", "not a key file")):
        path.write_bytes(wrong.encode("latin-1"))
        with pytest.raises(JournalKeyError, match=told) as refused:
            read_journal_key(path)
        assert secret not in str(refused.value)


def test_a_gate_that_is_to_deliver_without_a_key_is_no_good_configuration(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(filled() + SECTION.format("a" * 64))
    with pytest.raises(ConfigError, match="key_file"):
        load(path)
    key = tmp_path / "journal.key"
    path.write_text(f'{filled()}{SECTION.format("a" * 64)}key_file = "{key}"\n')
    config, journal = load(path).config, cast("Any", SimpleNamespace())
    with pytest.raises(ConfigError, match=r"\[journal\] key_file: .*gatectl journal key"):
        _delivery(config, journal, None)
    make_journal_key(key)
    assert _delivery(config, journal, None) is not None
