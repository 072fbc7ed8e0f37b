"""`python -m tests.bench [NAME ...]`: prints the project's figures and the conditions they hold under."""

import argparse
import importlib
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

BENCHES = (
    "mrz",
    "pages",
    "access",
    "reading",
    "rules",
    "vision",
    "quality",
    "liveness",
    "height",
    "camera",
    "curtain",
    "safety",
    "lane",
    "throughput",
    "collect",
    "distribution",
    "lists",
    "names",
    "gate",
)  # modules here, each with `run() -> None`
LONG = ("proof", "transfer")  # minutes to half an hour: only when named
PACKAGES = ("numpy", "opencv-python", "tflite-runtime", "cryptography", "msgspec", "pyzmq")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the named benches, all of them by default."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Print the project's figures.")
    of = f"of {', '.join(BENCHES)}; default all; or {', '.join(LONG)}, which take long"
    parser.add_argument("names", nargs="*", metavar="NAME", help=of)
    names = parser.parse_args(argv).names or BENCHES
    if unknown := set(names) - {*BENCHES, *LONG}:
        parser.error(f"no bench called {', '.join(sorted(unknown))}: choose {of}")
    print_conditions()
    for name in names:
        print(f"\n{name}", flush=True)
        importlib.import_module(f"tests.bench.{name}").run()
    return 0


def print_conditions() -> None:
    """Machine, versions and load: figures mean nothing without them."""
    load = " ".join(f"{each:.2f}" for each in os.getloadavg())
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load {load}")
    print(f"{_processor()}, {os.cpu_count()} processors, {len(os.sched_getaffinity(0))} of them for us")
    print(
        f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}"
    )
    print(", ".join(f"{package} {version(package)}" for package in PACKAGES))


def _processor() -> str:
    """The processor's own name, where the kernel tells it."""
    for line in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()


if __name__ == "__main__":
    sys.exit(main())
