"""Starts the unmodified `gated` on simulated USB: the one thing that a preloaded library does not bring.

python -m hw_sim.daemon USB_SOCKET --config gate.toml
"""

import sys
from pathlib import Path

from gated.app import run
from hw_sim.reader.usb_backend import SocketBackend


def main() -> int:
    """Run the daemon with its USB devices behind a socket."""
    usb, *arguments = sys.argv[1:]
    return run(arguments, usb_backend=SocketBackend(Path(usb)))


if __name__ == "__main__":
    sys.exit(main())
