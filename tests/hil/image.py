"""The guest's image: Debian's kernel with the simulators it lacks, a small Debian, what the project imports.

`python -m tests.hil.image` makes it under build/hil, in a folder named by a hash of this file, the recipe and
the pinned wheels, and says nothing where it is there already. What has to be fetched for it and cannot be
ends it with status 3; a step that fails on what was fetched is an error.

Debian's kernel has no gpio-sim, so that is compiled from Debian's own source of the same kernel, and so is
v4l2loopback. The project itself is not in the image: each run carries it in (`cargo`).
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RECIPE = Path(__file__).parent / "recipe"
ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "hil"
SITE = Path("opt/egate/venv/lib/python3.11/site-packages")
CANNOT = 3  # exit status: something cannot be fetched here

KERNEL_SOURCES = ("drivers/gpio/gpio-sim.c", "drivers/gpio/gpiolib.h", "kernel/irq/irq_sim.c")
MODULE_MAKEFILE = "obj-m += irq_sim_module.o gpio-sim.o\nirq_sim_module-y := irq_sim.o irq_sim_licence.o\n"
COMMANDS = {"gated": "gated.app", "gate-safe": "gated.safe", "gatectl": "gated.cli"}
# The processor is emulated: Python starts ten times slower than at a gate. What is tested stays as it is.
SLOW_START = "[Service]\nTimeoutStartSec=180\n"


class CannotFetchError(Exception):
    """Something that the image is made of cannot be fetched on this machine."""


def lines_of(name: str) -> list[str]:
    """The lines of a file of the recipe."""
    return (RECIPE / name).read_text().split()


def say(words: str) -> None:
    """Tell whoever waits for the image."""
    sys.stdout.write(f"hil: {words}\n")


def requirements() -> list[str]:
    """The wheels of the guest in the versions of constraints.txt."""
    pinned = re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    versions = dict(pinned)
    windowless = {"opencv-python": "opencv-python-headless"}
    return [f"{windowless.get(name, name)}=={versions[name]}" for name in lines_of("wheels.txt")]


def folder() -> Path:
    """Where the image of this recipe lies, made or not."""
    recipe = [Path(__file__).read_text(), *requirements()]
    recipe += [path.read_text() for path in sorted(RECIPE.iterdir())]
    return BUILD / hashlib.sha256("\0".join(recipe).encode()).hexdigest()[:16]


def fetch(*command: str, cwd: Path | None = None) -> str:
    """Run a command that fetches something. Raises CannotFetchError."""
    done = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CannotFetchError(f"{' '.join(command[:2])} failed: {last}")
    return done.stdout


def run(*command: str, cwd: Path | None = None, stdin: str | None = None) -> str:
    """Run a command that works on what is there. Raises CalledProcessError."""
    done = subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.PIPE, text=True, input=stdin)
    return done.stdout


def headers_version() -> str:
    """The version of the kernel whose headers are installed."""
    found = re.search(r"Depends: linux-headers-(\S+)", fetch("apt-cache", "depends", "linux-headers-amd64"))
    if found is None or not Path(f"/lib/modules/{found[1]}/build").exists():
        raise CannotFetchError("the headers of Debian's kernel are not installed")
    return found[1]


def unpack(work: Path, version: str) -> Path:
    """Fetch and unpack kernel, its source and v4l2loopback; return the folder."""
    debs, tree = work / "debs", work / "tree"
    debs.mkdir()
    packages = (f"linux-image-{version}", "linux-source-6.1", "v4l2loopback-dkms")
    fetch("apt-get", "download", "--quiet", "-o", "APT::Sandbox::User=root", *packages, cwd=debs)
    for deb in debs.iterdir():
        run("dpkg-deb", "-x", str(deb), str(tree))
    return tree


def build_modules(work: Path, tree: Path, version: str) -> None:
    """Compile gpio-sim and v4l2loopback into the unpacked kernel's modules."""
    source, extra = work / "modules", tree / "lib" / "modules" / version / "extra"
    source.mkdir()
    extra.mkdir()
    archive = str(tree / "usr/src/linux-source-6.1.tar.xz")
    wanted = [f"linux-source-6.1/{name}" for name in KERNEL_SOURCES]
    run("tar", "-xJf", archive, "-C", str(source), "--xform=s|.*/||", "--occurrence=1", *wanted)
    simulator = source / "irq_sim.c"
    # irq_to_desc is not exported to modules; this does the same under the lock that it needs
    text, changed = re.subn(
        r"handle_simple_irq\(irq_to_desc\((\w+)\)\);", r"generic_handle_irq_safe(\1);", simulator.read_text()
    )
    if changed != 1:
        raise RuntimeError("irq_sim.c is not what it was: look at its call of handle_simple_irq")
    simulator.write_text(text)
    (source / "irq_sim_licence.c").write_text('#include <linux/module.h>\nMODULE_LICENSE("GPL");\n')
    (source / "Makefile").write_text(MODULE_MAKEFILE)
    loopback = next(tree.glob("usr/src/v4l2loopback-*"))
    for place in (source, loopback):
        run("make", "-s", "-j2", "-C", f"/lib/modules/{version}/build", f"M={place}", "modules")
        for module in place.glob("*.ko"):
            run("strip", "--strip-debug", "-o", str(extra / module.name), str(module))
    run("depmod", "-b", str(tree), version)


def with_dependencies(tree: Path, version: str, *modules: str) -> list[Path]:
    """The files of modules and of what they need, each after what it needs."""
    found: dict[Path, None] = {}
    for module in modules:
        listed = run("modprobe", "-d", str(tree), "-S", version, "--show-depends", module)
        found |= dict.fromkeys(Path(path) for path in re.findall(r"^insmod (\S+)", listed, re.MULTILINE))
    return list(found)


def make_initrd(work: Path, tree: Path, version: str, target: Path) -> None:
    """An init that mounts the root and nothing else."""
    place = work / "initrd"
    for name in ("bin", "modules", "root"):
        (place / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", place / "bin")
    # the hardware watchdog too: it is there before systemd looks for it
    needed = with_dependencies(tree, version, "virtio_pci", "virtio_blk", "ext4", "i6300esb")
    for path in needed:
        shutil.copy(path, place / "modules")
    (place / "modules" / "order").write_text("".join(f"{path.name}\n" for path in needed))
    shutil.copy(RECIPE / "init", place)
    names = "\n".join(str(path.relative_to(place)) for path in place.rglob("*"))
    with target.open("wb") as file:
        subprocess.run(
            ["cpio", "--quiet", "-o", "-H", "newc"], cwd=place, input=names.encode(), stdout=file, check=True
        )


def make_root(work: Path, tree: Path, version: str, target: Path) -> None:
    """Debian, the modules, the project's dependencies and the agent's unit, as a file system."""
    place = work / "root"
    packages = ",".join(lines_of("packages.txt"))
    excluded = [
        f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "locale", "man", "zoneinfo")
    ]
    options = ["--quiet", "--variant=minbase", f"--include={packages}", *excluded]
    fetch("mmdebstrap", *options, '--aptopt=Apt::Install-Recommends "false"', "bookworm", str(place))
    modules = place / "usr/lib/modules" / version
    for path in with_dependencies(tree, version, *lines_of("modules.txt")):
        copy = modules / path.relative_to(tree / "lib/modules" / version)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    for path in (tree / "lib/modules" / version).glob("modules.*"):
        shutil.copy(path, modules)
    run("depmod", "-b", str(place / "usr"), version)
    _install_python(place)
    _configure(place)
    size = int(run("du", "-sm", str(place)).split()[0]) * 12 // 10 + 150
    run("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", str(place), str(target), f"{size}M")


def _install_python(place: Path) -> None:
    """A virtual environment where the units look for it, with everything compiled beforehand."""
    site, binaries = place / SITE, place / "opt/egate/venv/bin"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    fetch(*pip, "--no-deps", "--target", str(site), *requirements())
    for tests in [path for path in site.rglob("tests") if path.is_dir()]:
        shutil.rmtree(tests)
    compile_all(site)
    shutil.rmtree(site / "bin", ignore_errors=True)
    binaries.mkdir()
    (binaries / "python3").symlink_to("/usr/bin/python3.11")
    (binaries.parent / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    for name, module in COMMANDS.items():
        script = binaries / name
        script.write_text(
            f"#!/opt/egate/venv/bin/python3\nimport sys\nfrom {module} import main\nsys.exit(main())\n"
        )
        script.chmod(0o755)


def compile_all(place: Path) -> None:
    """Compile for the guest, whose Python is another 3.11 of the same byte code and slow at compiling."""
    run(sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(place))


def _configure(place: Path) -> None:
    units = place / "etc/systemd/system"
    (place / "etc/hostname").write_text("gate\n")
    (place / "etc/fstab").write_text("")
    (place / "etc/machine-id").write_text("")
    (units / "default.target").symlink_to("/lib/systemd/system/multi-user.target")
    for name in lines_of("masked.txt"):
        (units / name).unlink(missing_ok=True)
        (units / name).symlink_to("/dev/null")
    shutil.copy(RECIPE / "agent.service", units)
    (units / "multi-user.target.wants").mkdir(exist_ok=True)
    (units / "multi-user.target.wants" / "agent.service").symlink_to("../agent.service")
    for name in ("gated", "gate-safe"):
        (units / f"{name}.service.d").mkdir()
        (units / f"{name}.service.d" / "slow.conf").write_text(SLOW_START)
    (place / "etc/modules-load.d/agent.conf").write_text("virtio_console\n")


def make() -> Path:
    """Make the image unless it is there; return its folder. Raises CannotFetchError."""
    target = folder()
    if target.exists():
        return target
    BUILD.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="making-") as name:
        work = Path(name)
        result = work / "image"
        result.mkdir()
        version = headers_version()
        tree = unpack(work, version)
        build_modules(work, tree, version)
        make_initrd(work, tree, version, result / "initrd")
        make_root(work, tree, version, result / "root.img")
        shutil.copy(tree / "boot" / f"vmlinuz-{version}", result / "vmlinuz")
        for old in BUILD.glob("[0-9a-f]" * 16):
            shutil.rmtree(old)
        result.rename(target)
    size = sum(path.stat().st_blocks * 512 for path in target.iterdir()) / 1e6
    say(f"made the image of the guest in {time.monotonic() - began:.0f} s, {size:.0f} MB")
    return target


def main() -> int:
    """Make the image; 3 where something cannot be fetched."""
    if os.geteuid():
        say("not root, so no image can be made")
        return CANNOT
    try:
        make()
    except CannotFetchError as error:
        say(str(error))
        return CANNOT
    return 0


if __name__ == "__main__":
    sys.exit(main())
