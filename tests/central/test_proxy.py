"""A proxy between gates and the centre: what it asks, what it gives, and what it does without a centre."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.central.cli import main
from gated.central.folder import CentralFolder
from gated.central.keys import admit_gate
from gated.central.proxy import FRESH_S, MAX_WAITING, PATIENCE_S, Questions
from gated.central.shelf import TIMESTAMP, Shelf
from gated.central.wire import Absent, Answer, Ask, Piece, read_key_file
from gated.store.replication import Unchanged, Updated
from tests.system.link_rig import BIN, Rig, free_port, until

DELTA = f"targets/watchlist/{'0' * 64}.delta-1-2.jsonl"
STOLEN = "L898902C3,UTO,P,,,,,stop,stolen,R-1"


def ask(number: int, path: str = DELTA) -> Ask:
    return Ask(number=number, path=path, offset=0, length=1000)


def piece(number: int, body: bytes = b"signed", stamp: str = "a") -> Piece:
    return Piece(number=number, total=len(body), stamp=stamp, body=body)


@pytest.fixture
def questions() -> Questions:
    return Questions(Shelf())


def put(
    questions: Questions, number: int, path: str = DELTA, now: float = 0.0
) -> tuple[Answer | None, Ask | None]:
    return questions.put(f"gate-{number}".encode(), ask(number, path), now)


def test_many_gates_that_ask_the_same_are_one_question_and_each_is_told(questions: Questions) -> None:
    (nothing, upwards), *others = [put(questions, number) for number in range(5)]
    assert nothing is None
    assert upwards is not None
    assert others == [(None, None)] * 4
    told = questions.take(piece(upwards.number), 0.1)
    assert told == [(f"gate-{number}".encode(), piece(number)) for number in range(5)]
    assert put(questions, 9) == (piece(9), None)


def test_the_timestamp_is_asked_for_again_when_it_is_old_or_something_was_announced(
    questions: Questions,
) -> None:
    def known(number: int, now: float) -> bool:
        answer, upwards = put(questions, number, TIMESTAMP, now)
        if upwards is not None:
            questions.take(piece(upwards.number), now)
        return answer is not None

    assert [known(1, 0.0), known(2, 0.5), known(3, FRESH_S + 0.1), known(4, FRESH_S + 0.2)] == [
        False, True, False, True
    ]  # fmt: skip
    questions.announced()
    assert not known(5, FRESH_S + 0.3)


def test_a_no_holds_for_a_moment(questions: Questions) -> None:
    _, upwards = put(questions, 1, "metadata/2.root.json")
    assert upwards is not None
    questions.take(Absent(number=upwards.number, reason="missing"), 0.0)
    assert put(questions, 2, "metadata/2.root.json", 0.5) == (Absent(number=2, reason="missing"), None)
    assert put(questions, 3, "metadata/2.root.json", FRESH_S + 0.1)[1] is not None


def test_while_the_centre_is_silent_what_is_here_is_given(questions: Questions) -> None:
    _, upwards = put(questions, 1, TIMESTAMP)
    assert upwards is not None
    questions.take(piece(upwards.number), 0.0)
    assert put(questions, 2, TIMESTAMP, 10.0)[0] is None
    assert questions.late(10.0 + PATIENCE_S / 2) == []
    assert questions.late(10.0 + PATIENCE_S) == [(b"gate-2", piece(2))]
    assert put(questions, 3, DELTA, 20.0)[0] is None
    assert questions.late(30.0) == []  # nothing to give: the gate's own time-out says so


def test_of_a_silent_centre_nobody_waits_for_what_is_here_and_it_is_asked_all_the_same(
    questions: Questions,
) -> None:
    """A no is here, too: a gate begins with the question for a newer root, which there is not."""
    root = "metadata/2.root.json"
    for number, path in enumerate((TIMESTAMP, root)):
        _, upwards = put(questions, number, path)
        assert upwards is not None
        answer = (
            piece(upwards.number) if path == TIMESTAMP else Absent(number=upwards.number, reason="missing")
        )
        questions.take(answer, 0.0)
    assert put(questions, 2, root, 10.0)[0] is None, "whether it is silent is found out first"
    assert questions.late(10.0 + PATIENCE_S) == [(b"gate-2", Absent(number=2, reason="missing"))]
    assert put(questions, 3, root, 60.0)[0] == Absent(number=3, reason="missing")
    known, upwards = put(questions, 4, TIMESTAMP, 60.0)
    assert known == piece(4)
    assert upwards is not None
    assert put(questions, 5, TIMESTAMP, 60.1) == (piece(5), None)
    questions.take(piece(upwards.number, b"newer", "b"), 61.0)
    assert put(questions, 6, TIMESTAMP, 61.1)[0] == piece(6, b"newer", "b")
    assert put(questions, 7, TIMESTAMP, 90.0)[0] is None, "it speaks again, and is asked first"


def test_questions_that_wait_are_bounded() -> None:
    questions = Questions(Shelf())
    for number in range(MAX_WAITING):
        assert put(questions, number, f"metadata/{number}.rules.json")[1] is not None
    assert put(questions, 1, "metadata/last.json") == (Absent(number=1, reason="missing"), None)


@given(st.text(max_size=60))
def test_only_what_is_ever_published_is_asked_for(path: str) -> None:
    answer, upwards = put(Questions(Shelf()), 1, path)
    assert answer is not None or (upwards is not None and upwards.path.startswith(("metadata/", "targets/")))


def test_an_answer_to_no_question_is_dropped(questions: Questions) -> None:
    assert questions.take(piece(77), 0.0) == []


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path) as rig:
        yield rig


def behind_a_proxy(rig: Rig) -> None:
    """Start a proxy, and the gate's link so that it knows no other server."""
    handout = msgspec.to_builtins(admit_gate(CentralFolder(rig.central), "proxy-1"))
    ports = (free_port(), free_port())
    command = [
        BIN / "gate-central", "proxy", rig.central / "gates", "--json", "--key-file", handout["key_file"],
        "--server-key", rig.handout["server_key"],
    ]  # fmt: skip
    for name, port, upstream in zip(("requests", "announcements"), ports, rig.ports, strict=True):
        command += [
            f"--{name}",
            f"tcp://127.0.0.1:{port}",
            f"--upstream-{name}",
            f"tcp://127.0.0.1:{upstream}",
        ]
    with (rig.folder / "proxy.log").open("a") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    rig.processes["proxy"] = process
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert told["server_key"] == read_key_file(Path(handout["key_file"])).public_key
    rig.link(3.0, requests=str(ports[0]), announcements=str(ports[1]), server_key=told["server_key"])


def test_a_gate_behind_a_proxy_gets_lists_announcements_and_fresh_words(rig: Rig) -> None:
    rig.publish(STOLEN)
    rig.serve(interval_s=0.5)
    behind_a_proxy(rig)
    with rig.gate() as gate:
        gate.refresh_until(Updated)
        gate.link.wait(0)
        rig.publish(STOLEN, "B00001,UTO,P,,,,,stop,stolen,R-2")
        assert gate.link.wait(5), "the announcement did not come through"
        assert gate.refresh() == Updated(version=2, by="delta")
        first = gate.watchlist.signed_at
        until(lambda: isinstance(gate.refresh(), Unchanged) and gate.watchlist.signed_at >= first + 2)
        rig.stop("serve", signal.SIGKILL)
        time.sleep(2 * FRESH_S)  # nothing is held to be fresh any more
        for _ in range(3):
            gate.refresh_until(Unchanged, 15)  # what is here goes on being given
    assert rig.stop("proxy") == 0


@pytest.mark.parametrize("key", ["", "x" * 40])
def test_a_key_that_is_none_is_told(tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    handed = tmp_path / "gate.key"
    handed.write_text('public_key = "x"\n')
    handed.chmod(0o600)
    addresses = [
        part
        for name in ("--requests", "--announcements", "--upstream-requests", "--upstream-announcements")
        for part in (name, f"tcp://127.0.0.1:{free_port()}")
    ]
    assert main(["proxy", str(tmp_path), "--key-file", str(handed), "--server-key", key, *addresses]) == 1
    assert "not a key file of gate-central" in capsys.readouterr().err
