"""The programs of others that a chip or a reader is held against, and what is missing to run them."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SYSTEM_PYTHON = Path("/usr/bin/python3")
START_S = 20.0


def missing(*, programs: tuple[str, ...] = (), files: tuple[str, ...] = (), packages: str) -> str:
    """Why a test cannot run; empty where all is there. `packages` are Debian's names."""
    absent = [name for name in programs if shutil.which(name) is None]
    absent += [name for name in files if not Path(name).exists()]
    return f"needs {', '.join(absent)} (apt-get install {packages})" if absent else ""


def compiled(source: str, folder: Path) -> Path:
    """Compile one of the C files here into a shared library."""
    library = folder / f"{Path(source).stem}.so"
    compiler = [shutil.which("cc")] if shutil.which("cc") else [sys.executable, "-m", "ziglang", "cc"]
    subprocess.run(
        [*compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(HERE / source)],
        check=True,
        env=os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(folder / "zig")},
    )
    return library


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def gate_sim_chip(port: int, profile: str) -> "subprocess.Popen[str]":
    """The command that serves a simulated chip."""
    command = [sys.executable, "-m", "hw_sim", "chip", "--vpcd", f"127.0.0.1:{port}", "--profile", profile]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def python(script: str, *arguments: str) -> "subprocess.Popen[str]":
    """One of the scripts here, run by Debian's Python."""
    return subprocess.Popen(
        [str(SYSTEM_PYTHON), str(HERE / script), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: "subprocess.Popen[str]") -> None:
    """End a program that was started here."""
    process.terminate()
    process.communicate(timeout=START_S)
