"""What somebody lays down on a document reader."""

from hw_sim.camera.glass import DataPage, Lying
from hw_sim.lane.ledger import Span
from hw_sim.passport.chip import Chip


class Laid:
    """What lies on the reader when somebody lays their document down: the page, how it lies, and the chip."""

    def __init__(self) -> None:
        self.lines: tuple[str, ...] = ()
        self.page: DataPage | None = None  # for the page camera
        self.lying = Lying()
        self.chip: Chip | None = None
        self.line_spans: list[Span] = []  # when the serial line was busy with the page
        self.wrong_spans: list[Span] = []  # when it lay so that nobody could have read it
