"""A published model at a whole gate: taken into use, and kept when the next one is bad."""

from pathlib import Path

import pytest

from gated.core.events import GateStarted
from gated.core.vocabulary import Outcome
from hw_sim.rehearsal import Rehearsal
from hw_sim.scenarios import BY_NAME
from hw_sim.site import Site
from tests.published_models import Source, model
from tests.system.test_published import central, told, until, version

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
OTHER = {
    "y = 87.7798": "y = 87.7799"
}  # another version of the embedder: the same one would be in use already
GOLDEN = f'mirror = false\ngolden = [{{ seed = "a", embedding = [{", ".join(["0.5"] * 8)}] }}]'


def publish(site: Site, folder: Path, number: int, name: str, models: tuple[Source, ...]) -> None:
    """Publish models, and a configuration that names one; the configuration first."""
    overlay = folder / "overlay.toml"
    overlay.write_text(f'[vision]\nembedder = "{name}"\n')
    central(site, "publish", "--kind", "config", "--file", str(overlay))
    files = [word for _, path in models for word in ("--file", str(path))]
    central(site, "publish", "--kind", "models", *files)
    until(lambda: version(site, "models") == number, "the gate did not take the models")
    until(lambda: version(site, "config") == number, "the gate did not take the configuration")


def started(site: Site) -> GateStarted:
    return [event for event in told(site) if isinstance(event, GateStarted)][-1]


def test_a_model_is_rolled_out_from_the_centre_and_a_bad_one_leaves_the_gate_with_it(
    site: Site, tmp_path: Path
) -> None:
    mine = model(tmp_path / "m", "mine")
    publish(site, tmp_path, 1, "mine", mine)
    assert site.daemons["gated"].stop() == 0
    site.start_daemons()
    assert started(site).hashes["embedder"].startswith("mine ")
    assert started(site).policy.match_threshold == 0.625
    rehearsed = Rehearsal(site, BY_NAME["citizen"], lambda _: None).play()
    assert rehearsed.outcome is Outcome.ADMITTED, rehearsed.reasons

    worse = model(tmp_path / "w", "worse", **OTHER, **{"mirror = false": GOLDEN})
    publish(site, tmp_path, 2, "worse", (*mine, *worse))
    assert site.daemons["gated"].stop() == 0
    site.daemons["gated"].start()
    assert started(site).hashes["embedder"].startswith("worse ")
    assert site.daemons["gated"].wait(60) == 1, "gated did not start again"
    site.start_daemons()
    hashes = started(site).hashes
    assert hashes["embedder"].startswith("mine ")
    assert hashes["embedder_not_used_worse"] == "model_unusable"
    status = site.status()
    assert status is not None
    assert status.embedder == "mine"
    assert "model_unusable" in status.embedder_trouble["worse"]
    rehearsed = Rehearsal(site, BY_NAME["citizen"], lambda _: None).play()
    assert rehearsed.outcome is Outcome.ADMITTED, rehearsed.reasons

    central(site, "withdraw", "--kind", "config", "--version", "2")
    until(lambda: version(site, "config") == 3, "the gate did not take the configuration from before")
    site.daemons["gated"].stop()
    site.start_daemons()
    assert started(site).hashes["embedder"].startswith("mine ")
    assert "embedder_not_used_worse" not in started(site).hashes
