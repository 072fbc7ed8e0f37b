"""A whole simulated site: a state with its passports, a central server, and one gate with all its devices.

What runs is what runs at a real gate: the daemons as processes, with their own configuration, keys,
databases and sockets. Only the devices below the drivers are simulated, and they live in this process.
"""

import contextlib
import math
import queue
import shutil
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from gated.config import GateConfig
from gated.core.gate import State
from gated.core.personal import Personal
from gated.core.policy import LaneRules, Policy
from gated.core.settings import PathSettings
from gated.core.settings.board import IoBoardSettings
from gated.core.settings.cameras import (
    EstimationSettings,
    FaceCameraSettings,
    PageCameraSettings,
    VisionSettings,
)
from gated.core.settings.central import LinkSettings, OfficerSettings, WatchlistSettings
from gated.core.settings.documents import TrustSettings
from gated.core.settings.readers import ChipReaderSettings, MrzScannerSettings
from gated.core.settings.travellers import EligibilitySettings
from gated.core.vocabulary import OfficerWord, Topology
from gated.rules.standing import Standing
from gated.rules.standing_rows import StandingRow
from gated.runtime import requests as say
from gated.runtime.control import NoAnswerError, ask
from gated.runtime.messages import Message
from gated.store.list_keys import make_list_key, read_list_key
from gated.store.standings import build as build_standings
from hw_sim.camera.glass import GLASS_MM, Glass, Lying
from hw_sim.camera.projector import Projector
from hw_sim.camera.render import Mount
from hw_sim.camera.server import CameraFailed, SimulatedCamera
from hw_sim.centre import Centre
from hw_sim.far_end import CAMERA as FAR_CAMERA
from hw_sim.far_end import FarEnd, facing
from hw_sim.laid import Laid
from hw_sim.lane.board import CURTAINS, SimulatedBoard, wiring
from hw_sim.lane.geometry import GEOMETRIES
from hw_sim.lane.gpio_shim import GpioServer, build, environment
from hw_sim.lane.ledger import Span
from hw_sim.lane.world import World
from hw_sim.machine import ailing
from hw_sim.machine.ailing import AilingMachine
from hw_sim.passport.issuer import Authority
from hw_sim.reader.ccid_device import CcidDevice
from hw_sim.reader.scanner import PtyScanner
from hw_sim.reader.usb_bus import UsbBus
from hw_sim.reader.usb_socket import UsbServer
from hw_sim.registering import BUTTONS, Registering
from hw_sim.supervisor import Daemon, DaemonError, python
from hw_sim.toml import to_toml

Crossing = Literal["departure", "arrival"]

GATE = "gate-1"
STATE = "UTO"  # whose passports they are
AGENCY = Path(__file__).parents[1] / "config" / "rules" / "agency.toml"
STANDINGS, STANDINGS_KEY = "standings.db", "standings.key"
OFFICER = "kim"
EMBEDDER = "dlib-resnet"
SAFE = "import sys; from gated.safe import main; sys.exit(main())"  # as the unit's console script does
GLASS_FPS = 10.0
LOW = Mount(height_m=1.20)  # its horizon is the rule about height
ALSO = {Topology.PORT: ("exit_document",)}  # inputs that only one kind of lane has
PRESS_S = 0.3
OPEN_S = 20.0  # from the last daemon's READY to a lane that takes travellers


class Site:
    """Everything; use with `with`. `folder` keeps state and logs; sockets live in a short one of theirs."""

    def __init__(
        self, folder: Path, policy: Policy, *, keep_images: bool = True, lane: LaneRules | None = None
    ) -> None:
        """Take the policy; with `lane`, of a gate that is built so."""
        self.folder = folder.resolve()
        self.state = self.folder / "state"
        self.config = self.folder / "gate.toml"
        self.officer_key = Ed25519PrivateKey.generate()
        self.authority = Authority.establish("utopia", today=datetime.now(UTC).date())
        self.laid = Laid()
        self.others: dict[str, Laid] = {}  # what others than the traveller lay down, by their names
        self.daemons: dict[str, Daemon] = {}
        self.safe: Daemon | None = None  # what the service manager starts when gated has failed for good
        self.policy = policy if lane is None else replace(policy, lane=lane)
        self._keep_images = keep_images
        self._scans, self._watches, self._looks_low = True, False, False  # how the gate is equipped
        self._crossing: Crossing | None = None
        self._registers = False
        self._link: LinkSettings | None = None
        shutil.rmtree(self.folder, ignore_errors=True)
        self.state.mkdir(parents=True)
        self.run = Path(tempfile.mkdtemp(prefix="egate-"))
        self._wiring = wiring(also=(*CURTAINS, *ALSO.get(self.policy.lane.topology, ()), *BUTTONS))
        self.board = SimulatedBoard(self._wiring)
        self.world = World(self.board, lane=GEOMETRIES[self.policy.lane.topology])
        self.reader = CcidDevice()
        self.scanner = PtyScanner(self.run)
        self.camera = SimulatedCamera()
        self.low_camera = SimulatedCamera(mount=LOW)
        self.far_end = FarEnd(self.run) if self.world.lane.two_way else None
        others = [self.far_end.camera] if self.far_end else []
        self.projector = Projector(self.world, self.camera, self.low_camera, others=others)
        self.glass = SimulatedCamera(GLASS_FPS, glass=True)
        self.machine = AilingMachine(self.run / "machine", self.state)
        self.centre = Centre(self.folder / "central", self.folder)
        self.registering = Registering(self.folder, self.state, self.centre.folder)
        self.gpio = GpioServer(self.run, self.board)
        readers = UsbBus(self.reader, *([self.far_end.reader] if self.far_end else []))
        self.usb = UsbServer(self.run / "usb", readers)
        self._hand: queue.SimpleQueue[Laid | Literal["lifted"] | None] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _prepare(self) -> None:
        """Power up the devices, found the centre, write the gate's configuration."""
        libraries = self.folder.parent / "shim"
        board = environment(build(libraries), self.run)
        below = board | self.machine.environment(ailing.library(libraries), board["LD_PRELOAD"])
        self.camera.start()
        if self.far_end:
            self.far_end.start()
        self.gpio.start()
        self.board.on_change(self._wire_changed)
        threading.Thread(target=self._handle, name="sim-hands", daemon=True).start()
        self.world.start()
        self.projector.start()
        self._configure(self.centre.found(GATE, self.state / "watchlist" / "trust" / "root.json"))
        arguments = ["--config", str(self.config)]
        gated = python("-m", "hw_sim.daemon", str(self.run / "usb"), *arguments)
        self.daemons = {
            "gated": Daemon("gated", gated, self.folder, below),
            "gate-vision": Daemon("gate-vision", python("-m", "gated.vision", *arguments), self.folder),
            "gate-link": Daemon("gate-link", python("-m", "gated.link", *arguments), self.folder),
        }
        self.safe = Daemon("gate-safe", python("-c", SAFE, *arguments), self.folder, board)

    def _configure(self, link: LinkSettings) -> None:
        self._link = link
        table = msgspec.to_builtins(self._configuration(link))
        del table["policy"]["match_threshold"]  # the gate takes it from the models' manifest
        del table["policy"]["lane"]["curtains"]  # and this from the wiring
        written = to_toml({name: section for name, section in table.items() if section is not None})
        self.config.write_text(written, encoding="utf-8")

    def _configuration(self, link: LinkSettings) -> GateConfig:
        anchor, masters = self.folder / "anchor.der", self.folder / "masterlist.ml"
        anchor.write_bytes(self.authority.anchor)
        masters.write_bytes(self.authority.master_list())
        public = self.officer_key.public_key().public_bytes_raw().hex()
        return GateConfig(
            gate=GATE,
            paths=PathSettings(state=str(self.state), run=str(self.run)),
            policy=self.policy,
            mrz_scanner=MrzScannerSettings(port=str(self.scanner.path)) if self._scans else None,
            page_camera=PageCameraSettings(source=self.glass.url, glass_mm=GLASS_MM)
            if self._watches
            else None,
            io_board=self._wired(),
            cameras=self._cameras(),
            chip_reader=ChipReaderSettings(
                usb_path=self.usb.bus.place_of(self.reader) if self.far_end else ""
            ),
            port=self.far_end.settings(self.usb.bus) if self.far_end else None,
            vision=VisionSettings(
                embedder=EMBEDDER,
                keep_images=self._keep_images,
                estimation=EstimationSettings(references=16),
            ),
            trust=TrustSettings(master_lists=(str(masters),), anchors=(str(anchor),)),
            link=link,
            journal=self.centre.journals(GATE),
            registration=self.registering.settings() if self._registers else None,
            officers=(OfficerSettings(name=OFFICER, public_key=public),),
            eligibility=self._eligibility(),
            watchlist=WatchlistSettings(keys=self._list_keys()),
        )

    def _wired(self) -> IoBoardSettings:
        """The buttons are there, and told of where somebody is asked."""
        if self._registers:
            return self._wiring
        return replace(self._wiring, inputs=replace(self._wiring.inputs, consent_yes=None, consent_no=None))

    def _list_keys(self) -> tuple[str, ...]:
        """The centre's, which lists are made under; and that of what it knows of travellers."""
        standings = () if self._crossing is None else (str(self.folder / STANDINGS_KEY),)
        return (self.centre.list_key(GATE), *standings)

    def _eligibility(self) -> EligibilitySettings:
        """By the gate's own settings; or by the agency's rules, with what the centre knows of travellers."""
        if self._registers:
            return EligibilitySettings(rules=self.registering.rules())
        if self._crossing is None:
            return EligibilitySettings()
        return EligibilitySettings(
            rules=str(AGENCY),
            forward=self._crossing,
            standings=str(self.state / STANDINGS),
        )

    def _cameras(self) -> tuple[FaceCameraSettings, ...]:
        """The cameras that people walk up to, each with its calibration as a technician would make it."""
        seeing = {"middle": self.camera, **({"low": self.low_camera} if self._looks_low else {})}
        if self.far_end:
            seeing[FAR_CAMERA] = self.far_end.camera
        settings = []
        for name, camera in seeing.items():
            lens, mount = camera.lens, camera.mount
            file = self.folder / f"{name}.camera"
            known: dict[str, object] = {"width": lens.width, "height": lens.height, "focal_px": lens.focal_px}
            known |= {"height_m": mount.height_m, "tilt_deg": math.degrees(mount.tilt), "camera": name}
            file.write_text(to_toml(known), encoding="utf-8")
            settings.append(FaceCameraSettings(name=name, source=camera.url, calibration=str(file)))
        return tuple(replace(each, direction=facing(each)) if self.far_end else each for each in settings)

    # --- the gate's life --------------------------------------------------------------------------------

    def start_daemons(self, until: State = State.IDLE) -> None:
        """Start what does not run; return when the lane takes travellers, or is in another state.

        Raises DaemonError.
        """
        for daemon in self.daemons.values():
            if not daemon.is_running():
                daemon.start()
        self.await_state({until}, OPEN_S)

    def equip(
        self,
        *,
        scanner: bool,
        page_camera: bool,
        low_camera: bool = False,
        crossing: Crossing | None = None,
        registers: bool = False,
    ) -> None:
        """Give the gate a scanner, a page camera, or both; and a second camera for people who are not tall.

        With `crossing` the agency's rules decide, and forward is that way; a gate that `registers` has rules
        of its own. One that is equipped otherwise is configured anew, and its daemons start again. Raises
        DaemonError.
        """
        wanted = (scanner, page_camera, low_camera, crossing, registers)
        now = (self._scans, self._watches, self._looks_low, self._crossing, self._registers)
        if wanted == now or self._link is None:
            return
        if page_camera is not self._watches:
            (self.glass.start if page_camera else self.glass.stop)()
        if low_camera is not self._looks_low:
            (self.low_camera.start if low_camera else self.low_camera.stop)()
        self._scans, self._watches, self._looks_low, self._crossing, self._registers = wanted
        self._configure(self._link)
        for name in ("gated", "gate-vision"):
            self.daemons[name].stop()
        self.start_daemons()

    def know(self, number: str, standing: Standing | None) -> None:
        """Let the centre know this of the holder of a passport, and of nobody else."""
        key = self.folder / STANDINGS_KEY
        if not key.exists():
            make_list_key(key)
        rows = [] if standing is None else [StandingRow(STATE, Personal(number), standing)]
        now = datetime.now(UTC)
        build_standings(rows, self.state / STANDINGS, read_list_key(key), int(now.timestamp()), now)

    def press(self, *, yes: bool) -> None:
        """Press one of the two buttons inside, as the traveller does."""
        button = BUTTONS[0] if yes else BUTTONS[1]
        self.board.drive(button, active=True)
        time.sleep(PRESS_S)
        self.board.drive(button, active=False)

    def print_page(self) -> None:
        """Have the page drawn before somebody lays it down: that takes the camera a while."""
        if self._watches:
            self.glass.lay(Glass(page=self.laid.page))
            self.glass.lay(Glass())

    def shift(self, lying: Lying) -> None:
        """Let the document that lies there lie otherwise."""
        self.laid.lying = lying
        self._read_page(self.laid)

    def status(self) -> say.Status | None:
        """What `gatectl status` would say; None while nobody answers."""
        try:
            answer = ask(f"ipc://{self.run}/control", say.AskStatus(), timeout_s=1.0)
        except NoAnswerError:
            return None
        return answer if isinstance(answer, say.Status) else None

    def await_state(self, states: set[str], timeout_s: float) -> say.Status:
        """Wait until the gate is in one of these states. Raises DaemonError with what it says instead."""
        deadline = time.monotonic() + timeout_s
        status = None
        while time.monotonic() < deadline:
            status = self.status()
            if status is not None and status.state in states:
                return status
            time.sleep(0.1)
        seen = f"{status.state}, faults {status.faults}" if status else "no answer"
        raise DaemonError(
            f"the gate did not reach {' or '.join(sorted(states))} in {timeout_s:.0f} s: {seen}"
        )

    def officer_says(self, passage: str, word: OfficerWord, persons: int = 1) -> say.FromControl:
        """Give a signed command, as an officer's station would."""
        command = say.OfficerCommand(
            passage=passage,
            word=word.value,
            officer=OFFICER,
            said_at=time.time(),
            signature=b"",
            persons=persons,
        )
        signature = self.officer_key.sign(command.signed_text)
        return ask(f"ipc://{self.run}/control", msgspec.structs.replace(command, signature=signature))

    def tell(self, request: Message) -> say.FromControl:
        """Ask the gate for something, as a technician does."""
        return ask(f"ipc://{self.run}/control", request)

    def clear_fault(self, device: str) -> say.FromControl:
        """Clear latched faults, as `gatectl clear-fault` would. Raises NoAnswerError."""
        return ask(f"ipc://{self.run}/control", say.ClearFaults(device=device))

    def replug_board(self) -> None:
        """Plug the I/O board in again after `gpio.close()`."""
        self.gpio = GpioServer(self.run, self.board)
        self.gpio.start()

    def close(self) -> None:
        """Stop everything. Idempotent."""
        for daemon in (*reversed(self.daemons.values()), *([self.safe] if self.safe else [])):
            daemon.stop()
        self.centre.close()
        self.projector.stop()
        self.camera.stop()
        self.low_camera.stop()
        self.glass.stop()
        if self.far_end:
            self.far_end.close()
        self._hand.put(None)
        self.world.close()
        self.gpio.close()
        self.usb.close()
        self.scanner.close()
        shutil.rmtree(self.run, ignore_errors=True)

    # --- the hand that lays a document down ---------------------------------------------------------------

    def _wire_changed(self, name: str, active: bool) -> None:  # noqa: FBT001 - the board's hook
        match name:
            case "document":
                owner = self.world.owner_of(name) if active else ""
                self._hand.put(self.others.get(owner, self.laid) if active else "lifted")
            case "exit_document" if self.far_end and active:
                self.far_end.lay(self.others.get(self.world.owner_of(name), self.laid))
            case "exit_document" if self.far_end:
                self.far_end.lift()
            case "face_light":
                self.projector.light(on=active, at=time.monotonic())
            case _:
                pass

    def _handle(self) -> None:
        """What the document sensor feels, the scanner sees and the chip reader powers (in its own thread)."""
        while (laid := self._hand.get()) is not None:
            if laid == "lifted":
                self.reader.remove()
                self.scanner.take()
                self._show_page(Glass())
                continue
            if laid.chip is not None:
                self.reader.insert(laid.chip)
            self._read_page(laid)

    def _read_page(self, laid: Laid) -> None:
        """What the page camera sees, and what the scanner sends if it can."""
        self._show_page(Glass(page=laid.page, lying=laid.lying))
        if self._scans and laid.lines and laid.lying.well:
            began = time.monotonic()
            self.scanner.send(laid.lines)
            self.laid.line_spans.append(Span(start=began, end=time.monotonic()))

    def _show_page(self, glass: Glass) -> None:
        if self._watches:
            with contextlib.suppress(CameraFailed):  # a dead camera shows nothing; the lane goes on
                self.glass.lay(glass)
