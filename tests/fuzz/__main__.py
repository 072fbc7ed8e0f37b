"""`python -m tests.fuzz [--seconds N] [TARGET ...]`: fuzzes the parsers that see bytes from outside.

With atheris installed (it is no part of the project's installation) each target runs in a process of its own,
guided by coverage; without it, samples are changed at random, and the first line says so. Inputs that break
a contract are kept in a folder. Exit status 1 when there are any.
"""

import argparse
import importlib.util
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.mutation import fuzz
from tests.fuzz.targets import BY_NAME, MAX_INPUT, TARGETS, Target

SECONDS = 10  # for each target


def main(argv: Sequence[str] | None = None) -> int:
    """Fuzz the named targets, all of them by default."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the parsers.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="such as lds.face_image; default all")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"for each target; default {SECONDS}")
    parser.add_argument("--findings", type=Path, default=Path("build/fuzz"), help="folder for what is found")
    parser.add_argument("--builtin", action="store_true", help="do not use atheris, even if it is installed")
    parser.add_argument("--guided", metavar="TARGET", help=argparse.SUPPRESS)  # the process of one target
    parser.add_argument("--list", action="store_true", help="print the targets")
    options = parser.parse_args(argv)
    if options.list:
        print("\n".join(BY_NAME))
        return 0
    if unknown := set(options.targets) - set(BY_NAME):
        parser.error(f"no target called {', '.join(sorted(unknown))}: see --list")
    options.findings.mkdir(parents=True, exist_ok=True)
    if options.guided:
        _guide(BY_NAME[options.guided], options.seconds, options.findings)
    guided = not options.builtin and importlib.util.find_spec("atheris") is not None
    print("guided by coverage (atheris)" if guided else "not guided: the built-in mutations, without atheris")
    chosen = [BY_NAME[name] for name in options.targets] or TARGETS
    run = _run_guided if guided else _run_builtin
    good = [run(target, options.seconds, options.findings) for target in chosen]
    return 0 if all(good) else 1


def _run_builtin(target: Target, seconds: float, findings: Path) -> bool:
    run = fuzz(target.load(), target.samples(), seconds=seconds)
    if run.finding is None:
        print(f"{target.name}: {run.inputs} inputs, nothing found", flush=True)
        return True
    kept = findings / f"{target.name}.bin"
    kept.write_bytes(run.finding.raw)
    print(f"{target.name}: broken by input {run.inputs}, kept as {kept}", flush=True)
    traceback.print_exception(run.finding.error)
    return False


def _run_guided(target: Target, seconds: float, findings: Path) -> bool:
    command = [sys.executable, "-m", "tests.fuzz", "--guided", target.name]
    command += ["--seconds", str(seconds), "--findings", str(findings)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    told = [line for line in done.stderr.splitlines() if line.startswith("Done ")]
    if done.returncode == 0:
        print(f"{target.name}: {told[-1] if told else 'done'}, nothing found", flush=True)
        return True
    broken = "INITED" in done.stderr  # libFuzzer has begun
    print(f"{target.name}: {f'broken, see {findings}' if broken else 'does not start'}", flush=True)
    print(done.stdout[-4000:], done.stderr[-4000:], sep="\n", flush=True)
    return False


def _guide(target: Target, seconds: float, findings: Path) -> None:
    """Hand this process to libFuzzer, which ends it."""
    import atheris  # type: ignore[import-not-found]  # noqa: PLC0415 - only here where it is installed

    with atheris.instrument_imports(include=["gated.document", "drivers", "models.image", "asn1crypto"]):
        contract = target.load()
    corpus = findings / "corpus" / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, sample in enumerate(target.samples()):
        (corpus / f"sample-{number}").write_bytes(sample)
    limits = [
        f"-max_total_time={max(1, round(seconds))}",
        f"-max_len={MAX_INPUT}",
        "-timeout=10",
        "-rss_limit_mb=1024",
    ]
    prefix = f"-artifact_prefix={findings}/{target.name}-"
    atheris.Setup([sys.argv[0], str(corpus), *limits, prefix, "-print_final_stats=0"], contract)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
