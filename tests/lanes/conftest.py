"""Fixtures of the lanes' tests."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gated.lanes.dossier import Dossiers
from tests.lanes.rounds import BEGAN, PASSAGE, Posted


@pytest.fixture
def posted() -> Posted:
    return Posted()


@pytest.fixture
def dossiers() -> Dossiers:
    """With one passage under way."""
    dossiers = Dossiers()
    dossiers.begin(PASSAGE, BEGAN)
    return dossiers


@pytest.fixture
def run() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:  # short: the path of a Unix socket has 108 bytes
        yield Path(name)
