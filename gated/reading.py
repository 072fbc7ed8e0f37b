"""What reads documents and looks at people, put together from the configuration: at one end or at both.

Part of the start of `gated`. A lane for two directions has a scanner, a chip reader and cameras of its own at
each end; which of them count is told by the direction in force.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from drivers.mrz_scanner import SerialMrzScanner
from drivers.reader_choice import chip_reader
from gated.config import ConfigError, GateConfig
from gated.core.settings.readers import ChipReaderSettings
from gated.core.vocabulary import Device, Direction
from gated.document.trust.store import TrustStore
from gated.lanes.chip import ChipLane
from gated.lanes.condition import Condition, Post
from gated.lanes.desks import Desk, Desks, EndsWatch
from gated.lanes.dossier import Dossiers
from gated.lanes.page import PageLane
from gated.lanes.registration import numbered_by_chip
from gated.lanes.scanner import ScannerLane
from gated.lanes.sight import SightLane, View
from gated.runtime.lanes import Lane
from gated.store.evidence import Evidence

PORT = "port."  # above the sections of the other end
OTHER_READER = "exit_document"  # the wire of the document sensor at the other end


class Reading:
    """The lanes of readers and cameras. `zone` and `chip` are where people come in who walk forward."""

    def __init__(
        self,
        config: GateConfig,
        trust: TrustStore,
        dossiers: Dossiers,
        evidence: Evidence,
        post: Post,
        usb_backend: Any,
    ) -> None:
        """Make the lanes; none is started. Raises ConfigError."""
        self._config, self._trust, self._dossiers = config, trust, dossiers
        self._usb_backend = usb_backend
        direction = config.policy.lane.direction
        self.watch = None if config.port is None else EndsWatch(post, direction)
        post_of = (lambda _: post) if self.watch is None else self.watch.post_of
        views = _views(config, post_of)
        self.sight = SightLane(
            f"ipc://{config.paths.run}/vision",
            dossiers,
            evidence,
            post,
            [camera.name for camera in config.cameras],
            views=views,
            direction=direction,
        )
        forward = post_of(Direction.FORWARD)
        self.zone = self._zone(forward)
        self.chip = self._chip(config.chip_reader, forward)
        desks = {Direction.FORWARD: Desk(self.zone, self.chip)}
        self._conditions = {Direction.FORWARD: [self.zone.condition, self.chip.condition]}
        lanes = [self.zone.lane] if isinstance(self.zone, ScannerLane) else []
        lanes += [self.chip.lane, self.sight.lane]
        self._chips = [self.chip]
        if config.port is not None:
            reverse = post_of(Direction.REVERSE)
            scanner = SerialMrzScanner(config.port.mrz_scanner)
            zone = ScannerLane(
                scanner, dossiers, reverse, reader=OTHER_READER, name="mrz-scanner-exit", above=PORT
            )
            chip = self._chip(config.port.chip_reader, reverse, "chip-reader-exit", PORT)
            desks[Direction.REVERSE] = Desk(zone, chip)
            self._chips.append(chip)
            self._conditions[Direction.REVERSE] = [zone.condition, chip.condition]
            lanes += [zone.lane, chip.lane]
        for end, view in (views or {Direction.FORWARD: View(self.sight.condition)}).items():
            self._conditions[end].append(view.condition)
        self.desks = Desks(desks, direction)
        self.lanes: tuple[Lane, ...] = tuple(lanes)

    def take_trust(self, trust: TrustStore) -> None:
        """Check documents that are read from now on against this; one under way keeps its own."""
        self._trust = trust
        for chip in self._chips:
            chip.trust = trust

    def conditions(self, direction: Direction) -> tuple[Condition, ...]:
        """How well the devices are that serve this direction; none where the lane is not walked so."""
        return tuple(self._conditions.get(direction, ()))

    def other_fix(self, direction: Direction, device: Device, code: str) -> str:
        """What to do about a fault at the end that is not in use while the lane is walked this way."""
        others = [each for end, all_ in self._conditions.items() if end is not direction for each in all_]
        return next((fix for each in others if each.device is device and (fix := each.fix(code))), "")

    def _zone(self, post: Post) -> ScannerLane | PageLane:
        """What reads the page: the scanner, else the page camera."""
        config, dossiers = self._config, self._dossiers
        page: PageLane | None = None
        if config.page_camera is not None:
            page = PageLane(self.sight, dossiers, post, coaches_only=config.mrz_scanner is not None)
        if config.mrz_scanner is not None:
            return ScannerLane(SerialMrzScanner(config.mrz_scanner), dossiers, post, page)
        if page is None:
            raise ConfigError("nothing is there to read the zone: add [mrz_scanner] or [page_camera]")
        return page

    def _chip(
        self, settings: ChipReaderSettings, post: Post, name: str = "chip-reader", above: str = ""
    ) -> ChipLane:
        return ChipLane(
            chip_reader(settings, self._usb_backend),
            self._trust,
            self._dossiers,
            self._config.policy.limits.chip_s,
            post,
            settings=self._config.document,
            policy=self._config.trust.policy,
            numbered=partial(numbered_by_chip, self._config.registration),
            name=name,
            above=above,
        )


def _views(config: GateConfig, post_of: Callable[[Direction], Post]) -> dict[Direction, View] | None:
    """Which cameras look at whom; None for a lane that is walked one way."""
    if config.port is None:
        return None
    return {
        direction: View(
            Condition(Device.VISION, post_of(direction)),
            tuple(
                camera.name
                for camera in config.cameras
                if camera.beside is None and camera.direction in {None, direction}
            ),
        )
        for direction in Direction
    }
