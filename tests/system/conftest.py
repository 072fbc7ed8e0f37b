"""A whole simulated site for the tests of this folder: real daemons over simulated devices."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.__main__ import demo_policy
from hw_sim.scenarios import LIST
from hw_sim.site import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose gate is idle and whose list is published; one for each module."""
    folder: Path = tmp_path_factory.mktemp("site")
    with Site(folder / "site", demo_policy()) as site:
        site.centre.publish(LIST)
        site.centre.serve()
        site.start_daemons()
        yield site
