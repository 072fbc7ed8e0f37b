"""`python -m models.liveness.training prepare|train|export|evaluate ...`: the re-capture head, made again.

prepare SOURCES.npz PHOTOGRAPHS ...   find the faces in photographs: a ZIP file or a folder, a folder a
person train SOURCES.npz WEIGHTS.npz         simulate re-captures of the people for training, and train;
needs torch export WEIGHTS.npz MODEL.tflite       write the TFLite file evaluate SOURCES.npz
simulate re-captures of other people, by held-out parameters; print rates

Each word tells its options with --help. Only `train` needs torch, which no part of a gate does.
"""

import importlib
import sys

WORDS = {"prepare": "preparing", "train": "train", "export": "export", "evaluate": "evaluate"}


def main() -> int:
    """Hand the rest of the words to the module of the first."""
    if len(sys.argv) < 2 or sys.argv[1] not in WORDS:
        print(__doc__, file=sys.stderr)
        return 2
    word = sys.argv.pop(1)
    sys.argv[0] = f"python -m models.liveness.training {word}"
    answer = importlib.import_module(f"models.liveness.training.{WORDS[word]}").main()
    return int(answer)


if __name__ == "__main__":
    raise SystemExit(main())
