"""What each run carries into the guest: the project as it stands, its units and its configuration.

It is a tar archive that the guest sees as a disk and unpacks over its root before the agent starts.
"""

import shutil
import tarfile
import tempfile
from pathlib import Path

from tests.hil import image

ROOT = image.ROOT
PACKAGES = ("gated", "drivers", "models")
MAX_FILE = 1_000_000  # trained models are larger, and nothing in the guest computes with them
FILLED = {
    "<central-server>": "192.0.2.1",
    "<the central server's CURVE public key: 40 characters of Z85>": "0" * 40,
    "<64 hexadecimal digits: the officer's Ed25519 public key>": "0" * 64,
}
# A gate names a board that can be pulled out by its place: it may come back as another gpiochip.
BOARD_RULE = (
    'SUBSYSTEM=="gpio", KERNEL=="gpiochip*", KERNELS=="gpio-sim.*", GROUP="egate-io", MODE="0660", '
    'SYMLINK+="egate/io"\n'
)
UNITS = {
    "systemd/system.conf.d/egate.conf": "etc/systemd/system.conf.d/egate.conf",
    "systemd/sysusers.d/egate.conf": "usr/lib/sysusers.d/egate.conf",
    "systemd/tmpfiles.d/egate.conf": "usr/lib/tmpfiles.d/egate.conf",
    "systemd/udev/70-egate.rules": "etc/udev/rules.d/70-egate.rules",
    "systemd/central/sysusers.d/egate-central.conf": "usr/lib/sysusers.d/egate-central.conf",
    "systemd/central/tmpfiles.d/egate-central.conf": "usr/lib/tmpfiles.d/egate-central.conf",
    "config/central.example.env": "etc/egate/central.env",
}
CENTRAL = """#!/opt/egate/venv/bin/python3
import sys
from gated.central.cli import main
sys.exit(main())
"""


def pack(target: Path) -> None:
    """Write the archive, with the code compiled."""
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name)
        site = tree / image.SITE
        for package in PACKAGES:
            shutil.copytree(ROOT / package, site / package, ignore=_too_much)
        shutil.copytree(ROOT / "tests/hil/guest", site / "tests/hil/guest", ignore=_too_much)
        for package in ("tests", "tests/hil"):
            (site / package / "__init__.py").touch()
        image.compile_all(site)
        _metadata(site)
        for source, place in _units().items():
            (tree / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, tree / place)
        (tree / "etc/udev/rules.d/71-board.rules").write_text(BOARD_RULE)
        command = tree / "opt/egate/venv/bin/gate-central"
        command.parent.mkdir(parents=True, exist_ok=True)
        command.write_text(CENTRAL)
        command.chmod(0o755)
        (tree / "etc/egate").mkdir(parents=True, exist_ok=True)
        (tree / "etc/egate/gate.toml").write_text(configuration())
        with tarfile.open(target, "w") as archive:
            archive.add(tree, ".", filter=_of_root)


def configuration() -> str:
    """The example that the project ships, with its placeholders filled in, and no trust to load."""
    text = (ROOT / "config/gate.example.toml").read_text()
    for placeholder, value in FILLED.items():
        text = text.replace(placeholder, value)
    lines = [
        f"{line.partition('=')[0]}= []" if line.startswith(("master_lists", "anchors")) else line
        for line in text.splitlines()
    ]
    return "\n".join(lines) + "\n"


def _units() -> dict[str, str]:
    places = ("systemd", "systemd/central")
    units = [
        f"{place}/{path.name}" for place in places for path in (ROOT / place).iterdir() if path.is_file()
    ]
    return UNITS | {unit: f"usr/lib/systemd/system/{Path(unit).name}" for unit in units}


def _metadata(site: Path) -> None:
    """The distribution's name and version, which the daemons state."""
    info = site / "egate-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: egate\nVersion: 0\n")


def _too_much(folder: str, names: list[str]) -> list[str]:
    return [
        name
        for name in names
        if name == "__pycache__"
        or ((path := Path(folder) / name).is_file() and path.stat().st_size > MAX_FILE)
    ]


def _of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mode |= 0o755 if entry.isdir() else 0o644
    return entry
