"""Face crops that the operator's law allows to be kept: off unless `[vision] keep_images` is set.

One small file each, named by the passage, readable by the service alone; only the newest are kept.
"""

import os
from pathlib import Path

from gated import logs
from gated.runtime.messages import Assessment

MAX_CROP = 20_000
MAX_FILES = 600  # two hundred passages, at three files each

_log = logs.get("evidence")


class Evidence:
    """Keeps crops under a folder, or nothing at all."""

    def __init__(self, folder: Path, *, keep: bool) -> None:
        self._folder = folder
        self._keep = keep

    def keep(self, assessment: Assessment) -> None:
        """Keep the crops of an assessment, if allowed. A disk that refuses them does not stop the gate."""
        if not self._keep:
            return
        crops = {"reference": assessment.reference_crop, f"best-{assessment.attempt}": assessment.best_crop}
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for kind, crop in crops.items():
                if crop is not None and len(crop) <= MAX_CROP:
                    _write(self._folder / f"{assessment.passage}-{kind}.jpg", crop)
            for old in sorted(self._folder.iterdir(), key=lambda path: path.stat().st_mtime)[:-MAX_FILES]:
                old.unlink(missing_ok=True)
        except OSError as error:
            fix = "check the disk and the rights of the folder `evidence` beside the journal"
            _log.warning("face crops are not kept", passage=assessment.passage, fix=fix, exc_info=error)


def _write(path: Path, crop: bytes) -> None:
    """Write a whole file or none. Raises OSError."""
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        with open(os.open(path, flags, 0o600), "wb") as out:  # noqa: PTH123  # the descriptor carries the mode
            out.write(crop)
    except OSError:
        path.unlink(missing_ok=True)
        raise
