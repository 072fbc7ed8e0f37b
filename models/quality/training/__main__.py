"""`python -m models.quality.training COMMAND ...`: prepare, train, export, evaluate."""

import importlib
import sys

COMMANDS = ("prepare", "train", "export", "evaluate")


def main() -> int:
    """Run one command; each has --help."""
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(__doc__, file=sys.stderr)
        return 2
    command = importlib.import_module(f"models.quality.training.{sys.argv[1]}")
    status: int = command.main(sys.argv[2:])
    return status


if __name__ == "__main__":
    raise SystemExit(main())
