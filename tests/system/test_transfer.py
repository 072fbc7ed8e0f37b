"""A pack of more than 200 MB from the centre to a gate, with two breaks, in bounded memory."""

from pathlib import Path

import pytest

from tests.bench.transfer import AGAIN_MB, LIMIT_MIB, measure, show

DOCUMENTS = 14_000_000
WATCHDOG_S = 60.0


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_large_pack_comes_whole_through_two_breaks_in_bounded_memory(tmp_path: Path) -> None:
    figures = measure(tmp_path, DOCUMENTS)
    show(figures)
    assert figures.megabytes >= 200
    assert 0 <= figures.again <= AGAIN_MB, "what had come was fetched again"
    assert {what: peak for what, peak in figures.peaks.items() if peak > LIMIT_MIB[what]} == {}
    assert figures.silent_s < WATCHDOG_S / 2
