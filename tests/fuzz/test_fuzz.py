"""The fuzzer finds what is broken, and a short run over every target finds nothing."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gated.document.errors import TlvError
from tests.fuzz import targets
from tests.fuzz.__main__ import main
from tests.fuzz.mutation import fuzz, mutated
from tests.fuzz.targets import BY_NAME, MAX_INPUT, TARGETS, Target

SMOKE_S = 0.05
WITHOUT_GOOD_SAMPLE = {"reading"}  # its sample is a beginning: a whole reading needs keys


def broken(raw: bytes) -> None:
    if len(raw) > 2 and raw[1] == 0x80:
        raise IndexError
    raise TlvError("tlv_tag")


def talkative(raw: bytes) -> None:
    raise TlvError(f"wrong: {raw.hex()}")


def slow(_raw: bytes) -> None:
    ends = time.process_time() + 0.02
    while time.process_time() < ends:
        pass


def target(name: str) -> Target:
    return Target(name, f"tests.fuzz.test_fuzz:{name}", "gated.document.errors:TlvError", "objects")


@pytest.mark.parametrize("name", BY_NAME)
def test_a_short_run_finds_nothing(name: str) -> None:
    chosen = BY_NAME[name]
    run = fuzz(chosen.load(), chosen.samples(), seconds=SMOKE_S)
    assert run.finding is None
    assert run.inputs > len(chosen.samples())


@pytest.mark.parametrize("name", [name for name in BY_NAME if name not in WITHOUT_GOOD_SAMPLE])
def test_a_target_starts_from_a_sample_that_its_parser_accepts(name: str) -> None:
    """What never gets past the first check is not fuzzed."""
    assert any(BY_NAME[name].accepts(sample) for sample in BY_NAME[name].samples())


def test_the_table_imports_no_parser() -> None:
    """One that is imported before the guided fuzzer looks would give it no guidance."""
    check = (
        "import sys, tests.fuzz.__main__; print([name for name in sys.modules if name.startswith('gated')])"
    )
    done = subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(TARGETS)


def test_an_error_of_another_type_is_found() -> None:
    run = fuzz(target("broken").load(), [b"abc"], seconds=20)
    assert run.finding is not None
    assert isinstance(run.finding.error, IndexError)
    assert run.finding.raw[1] == 0x80


def test_an_error_that_tells_its_input_is_found() -> None:
    run = fuzz(target("talkative").load(), [b"abc"], seconds=1)
    assert run.finding is not None
    assert isinstance(run.finding.error, AssertionError)


def test_a_parser_that_takes_too_long_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "SLOW_S", 0.01)
    run = fuzz(target("slow").load(), [b"abc"], seconds=1)
    assert run.finding is not None
    assert isinstance(run.finding.error, targets.SlowError)


def test_mutations_are_many_bounded_and_the_same_each_time() -> None:
    samples = [b"a good sample of some length", b"", bytes(MAX_INPUT)]
    chance = random.Random(1)
    found = [mutated(samples, chance) for _ in range(300)]
    assert max(map(len, found)) <= MAX_INPUT
    assert len(set(found)) > 150
    again = random.Random(1)
    assert found == [mutated(samples, again) for _ in range(300)]


def test_the_command_says_what_it_is_and_keeps_what_it_finds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--builtin", "--findings", str(tmp_path)]
    assert main(["--seconds", "0.05", *options, "tlv", "lds.com"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "not guided: the built-in mutations, without atheris"
    assert [line.partition(":")[0] for line in told[1:]] == ["tlv", "lds.com"]
    monkeypatch.setitem(BY_NAME, "broken", target("broken"))
    assert main(["--seconds", "20", *options, "broken"]) == 1
    assert (tmp_path / "broken.bin").read_bytes()[1] == 0x80
    assert main(["--list"]) == 0
    assert "lds.face_image" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["no.such.target"])
