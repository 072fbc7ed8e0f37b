"""The keys that the centre makes."""

import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zmq

from gated.central.folder import CentralFolder
from gated.central.keys import admit_gate, initialise
from gated.central.repository import Lifetimes

SECRET = b"s" * 40


def test_no_public_key_begins_as_an_option_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publics = itertools.cycle([b"-" * 40, b"-" + b"a" * 39, b"a-" * 20])
    monkeypatch.setattr(zmq, "curve_keypair", lambda: (next(publics), SECRET))
    folder = CentralFolder(tmp_path / "central")
    assert initialise(folder, datetime.now(UTC), Lifetimes()) == "a-" * 20
    handout = admit_gate(folder, "gate-1")
    assert (folder.gates / "gate-1.pub").read_text().strip() == "a-" * 20
    assert handout.server_key == "a-" * 20
