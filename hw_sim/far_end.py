"""The other end of a simulated lane for two directions: a reader, a scanner and a camera of its own."""

import queue
import threading
from pathlib import Path
from typing import Final, Literal

from gated.core.settings.cameras import FaceCameraSettings
from gated.core.settings.port import PortSettings
from gated.core.settings.readers import ChipReaderSettings, MrzScannerSettings
from gated.core.vocabulary import Direction
from hw_sim.camera.server import SimulatedCamera
from hw_sim.laid import Laid
from hw_sim.reader.ccid_device import CcidDevice
from hw_sim.reader.scanner import PtyScanner
from hw_sim.reader.usb_bus import UsbBus

CAMERA: Final = "far"
WIRE: Final = "exit_document"


class FarEnd:
    """Its devices. People who come from there lay their documents down here."""

    def __init__(self, folder: Path) -> None:
        self.reader = CcidDevice()
        self.scanner = PtyScanner(folder, name="mrz-scanner-exit")
        self.camera = SimulatedCamera()
        self._hand: queue.SimpleQueue[Laid | Literal["lifted"] | None] = queue.SimpleQueue()

    def start(self) -> None:
        """Power up."""
        self.camera.start()
        threading.Thread(target=self._handle, name="sim-far-hands", daemon=True).start()

    def close(self) -> None:
        """Switch off. Idempotent."""
        self._hand.put(None)
        self.camera.stop()
        self.scanner.close()

    def lay(self, laid: Laid) -> None:
        """Somebody lays this down."""
        self._hand.put(laid)

    def lift(self) -> None:
        """Somebody takes away what lies there."""
        self._hand.put("lifted")

    def settings(self, bus: UsbBus) -> PortSettings:
        """The section of the gate's configuration."""
        return PortSettings(
            mrz_scanner=MrzScannerSettings(port=str(self.scanner.path)),
            chip_reader=ChipReaderSettings(usb_path=bus.place_of(self.reader)),
        )

    def _handle(self) -> None:
        while (laid := self._hand.get()) is not None:
            if laid == "lifted":
                self.reader.remove()
                self.scanner.take()
                continue
            if laid.chip is not None:
                self.reader.insert(laid.chip)
            if laid.lines:
                self.scanner.send(laid.lines)


def facing(camera: FaceCameraSettings) -> Direction:
    """Which way those walk whom a camera looks at."""
    return Direction.REVERSE if camera.name == CAMERA else Direction.FORWARD
