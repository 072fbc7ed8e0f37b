"""gate-vision between travellers: nobody's reference outlives its time while nobody comes."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from gated import vision
from gated.config import load
from gated.runtime import messages as say
from gated.runtime.bus import Peer
from hw_sim.toml import to_toml
from models.matching.estimation import Bounds, FalseMatches
from tests.test_config import filled


class Watch:
    """A clock that is set by hand, and the caches that go by it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.caches: list[FalseMatches] = []

    def cache(self, bounds: Bounds) -> FalseMatches:
        self.caches.append(FalseMatches(bounds, lambda: self.now))
        return self.caches[-1]


def test_an_idle_gate_forgets_references_that_are_past_their_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch()
    monkeypatch.setattr(vision, "FalseMatches", watch.cache)
    settings = tomllib.loads(filled())
    settings["paths"] = {"state": str(tmp_path), "run": str(tmp_path)}
    settings["cameras"] = [{"name": "middle", "source": "/dev/none"}]
    settings["vision"]["estimation"] = {"references": 3, "minutes": 10}
    (tmp_path / "gate.toml").write_text(to_toml(settings))
    peer: Peer[say.ToVision] = Peer(f"ipc://{tmp_path}/vision", say.ToVision, bind=False)
    try:
        daemon = vision.Vision(load(tmp_path / "gate.toml").config, peer)
        (cache,) = watch.caches
        cache.keep(np.ones(4, np.float32), subject=b"one", stratum="adult")
        kept = cache._kept  # its length() would itself drop what is old
        watch.now = 599.0
        daemon._turn()
        assert len(kept) == 1
        watch.now = 601.0
        daemon._turn()
        assert len(kept) == 0
    finally:
        peer.close()
