"""`python -m models.mrz.training.train_finder OUT --minutes M --seed S`: trains the zone finder on this CPU.

As `train_reader`: torch in an environment of its own, an .npz of folded weights comes out.
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

from models.mrz.looking import SIDE, looked_at
from models.mrz.training import pages
from models.mrz.training.network import FINDER
from models.mrz.training.torch_network import Finder, folded
from models.mrz.training.zones import random_zone

BATCH = 8
RATE = 4e-3
REUSE = 4  # times that a page is used, turned and mirrored: drawing it costs more than learning from it
BAND = 0.9  # of the capitals' height: what counts as the line
EMPTY = 0.08  # share of pages without a zone


def mask(strips: tuple[Any, ...], factor: float) -> Any:
    """SIDE/2 x SIDE/2: 1 on the lines."""
    cells = np.zeros((SIDE // 2, SIDE // 2), np.uint8)
    for strip in strips:
        half = strip.cap * BAND / 2
        corners = [
            strip.at(a, d) for a, d in ((0, -half), (strip.length, -half), (strip.length, half), (0, half))
        ]
        points = (np.array(corners) * factor / 2 - 0.5) * 16
        cv2.fillPoly(cells, [np.round(points).astype(np.int32)], 1, shift=4)
    return cells


class Stream(IterableDataset[Any]):  # type: ignore[misc]  # torch is not installed where types are checked
    """Endless pages; each worker has its own seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        cv2.setNumThreads(1)
        worker = get_worker_info()
        rng = np.random.default_rng([self._seed, 77, worker.id if worker else 0])
        pool: list[Any] = []
        while True:
            while len(pool) < 64:
                long = int(rng.integers(360, 760))
                view = pages.random_view(rng, long)
                page = pages.photograph(random_zone(rng), view, rng, printed=rng.random() > EMPTY)
                grey = cv2.cvtColor(page.image, cv2.COLOR_BGR2GRAY)
                square, factor = looked_at(grey)
                pool += [(square, mask(page.strips, factor))] * REUSE
            square, cells = pool.pop(int(rng.integers(len(pool))))
            turns, flip = int(rng.integers(4)), rng.random() < 0.5
            square, cells = np.rot90(square, turns), np.rot90(cells, turns)
            if flip:  # mirrored print is still print, and a line's place does not depend on its letters
                square, cells = square[:, ::-1], cells[:, ::-1]
            yield np.ascontiguousarray(square)[None], np.ascontiguousarray(cells).astype(np.float32)


def main() -> int:
    """Train for the time given, the rate falling along a cosine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--start", type=Path, help="a state to go on from")
    parser.add_argument("--rate", type=float, default=RATE)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    network = Finder(FINDER)
    if arguments.start:
        network.load_state_dict(torch.load(arguments.start))
    optimiser = torch.optim.AdamW(network.parameters(), arguments.rate, weight_decay=1e-4)
    batches = DataLoader(Stream(arguments.seed), BATCH, num_workers=arguments.workers, prefetch_factor=6)
    began, step, average, dice_average = time.monotonic(), 0, 1.0, 0.0
    for x, y in batches:
        share = (time.monotonic() - began) / (60 * arguments.minutes)
        if share >= 1:
            break
        warm = min(1.0, (step + 1) / 100)
        for group in optimiser.param_groups:
            group["lr"] = arguments.rate * warm * 0.5 * (1 + np.cos(np.pi * share)) + 1e-6
        logits = nn.functional.pixel_shuffle(network(x), 2)[:, 0]
        entropy = nn.functional.binary_cross_entropy_with_logits(logits, y, pos_weight=torch.tensor(3.0))
        found = torch.sigmoid(logits)
        dice = (2 * (found * y).sum((1, 2)) + 1) / (found.sum((1, 2)) + y.sum((1, 2)) + 1)
        loss = entropy + 0.5 * (1 - dice.mean())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        step += 1
        average += 0.02 * (loss.item() - average)
        dice_average += 0.02 * (dice.mean().item() - dice_average)
        if step % 50 == 0:
            minutes = share * arguments.minutes
            print(f"step {step} loss {average:.4f} dice {dice_average:.4f} minutes {minutes:.1f}", flush=True)
        if step % 250 == 0:
            torch.save(network.state_dict(), arguments.out.with_suffix(".pt"))
    torch.save(network.state_dict(), arguments.out.with_suffix(".pt"))
    np.savez(arguments.out, **folded(network))
    print(f"done: {step} steps of {BATCH}, loss {average:.4f}, dice {dice_average:.4f}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
