"""`gate-central false-hits`: let all gates know of the hits that officers found to be false at one."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from gated.central.distribution import lifetimes
from gated.central.false_hits import Believed, FalseHitsPublished, publish_false_hits
from gated.central.folder import CentralFolder
from gated.central.kinds import Signing

DAYS = 1096


def add(command: Callable[..., argparse.ArgumentParser], times: argparse.ArgumentParser) -> None:
    """Put the command on the command line."""
    text = "publish what officers said of false hits, as the journals have it"
    parser = command("false-hits", _run, text, times)
    parser.add_argument(
        "--officers", type=Path, required=True, metavar="FILE", help="whose words count: [[officers]] in TOML"
    )
    parser.add_argument(
        "--days", type=_days, default=DAYS, metavar="N", help=f"leave out what is older ({DAYS})"
    )
    parser.add_argument("--database", default="", metavar="URL", help="where journals are collected")
    parser.add_argument("--keys", action="append", type=Path, default=[], metavar="FOLDER", help="of keys")
    parser.add_argument(
        "--build", action="store_true", help="have it signed by others before it is published"
    )


def _run(options: argparse.Namespace, folder: CentralFolder) -> FalseHitsPublished:
    signing = Signing(
        now=datetime.now(UTC), lifetimes=lifetimes(options), keys=tuple(options.keys), stage=options.build
    )
    return publish_false_hits(folder, Believed(options.officers, options.days), signing, options.database)


def _days(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 3653:
        raise argparse.ArgumentTypeError("a number of days, 1 to 3653")
    return value
