"""`python -m models.mrz.training.train_reader OUT --minutes M --seed S`: trains the line reader on this CPU.

Needs torch (2.13 was used), which no part of the gate does: install it in an environment of its own. What
is written, OUT, is an .npz of the layers' weights with batch normalisation folded in, of which
`models.mrz.training.export` makes the TFLite file. Samples are made by other processes and used once.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from models.mrz.cutting import normalised
from models.mrz.training.lines import BLANK, samples
from models.mrz.training.network import READER
from models.mrz.training.torch_network import build, folded

BATCH = 48
RATE = 4e-3


class Stream(IterableDataset[Any]):  # type: ignore[misc]  # torch is not installed where types are checked
    """Endless samples; each worker has its own seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        cv2.setNumThreads(1)
        worker = get_worker_info()
        rng = np.random.default_rng([self._seed, worker.id if worker else 0])
        pool: list[Any] = []
        while True:
            while len(pool) < 96:  # lines of one zone look alike: keep them apart
                pool.extend(samples(rng))
            sample = pool.pop(int(rng.integers(len(pool))))
            yield normalised(sample.grey)[None], sample.classes


def main() -> int:
    """Train for the time given, the rate falling along a cosine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--start", type=Path, help="a state to go on from")
    parser.add_argument("--rate", type=float, default=RATE)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    network = build(READER, channels=1)
    if arguments.start:
        network.load_state_dict(torch.load(arguments.start))
    weights = torch.ones(BLANK + 1)
    weights[BLANK] = 0.5
    loss_of = nn.CrossEntropyLoss(weight=weights, ignore_index=-1, label_smoothing=0.0)
    optimiser = torch.optim.AdamW(network.parameters(), arguments.rate, weight_decay=1e-4)
    batches = DataLoader(Stream(arguments.seed), BATCH, num_workers=arguments.workers, prefetch_factor=6)
    began, step, average = time.monotonic(), 0, 3.0
    for x, y in batches:
        share = (time.monotonic() - began) / (60 * arguments.minutes)
        if share >= 1:
            break
        warm = min(1.0, (step + 1) / 100)
        for group in optimiser.param_groups:
            group["lr"] = arguments.rate * warm * 0.5 * (1 + np.cos(np.pi * share)) + 1e-6
        loss = loss_of(network(x)[:, :, 0], y)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        step += 1
        average += 0.02 * (loss.item() - average)
        if step % 50 == 0:
            print(f"step {step} loss {average:.4f} minutes {share * arguments.minutes:.1f}", flush=True)
        if step % 250 == 0:
            torch.save(network.state_dict(), arguments.out.with_suffix(".pt"))
    torch.save(network.state_dict(), arguments.out.with_suffix(".pt"))
    np.savez(arguments.out, **folded(network))
    print(f"done: {step} steps of {BATCH}, loss {average:.4f}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
