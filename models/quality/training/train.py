"""Trains the heads: processes paint samples into a pool while torch learns from it, on a GPU or a CPU.

torch lives in an environment of its own: neither the product nor its tests need it.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
from torch import nn

from models.quality import chip
from models.quality.training.faces import HEADS, stored
from models.quality.training.samples import Wardrobe
from models.quality.training.torch_network import Heads, folded

_SHAPE = (chip.HEIGHT, chip.WIDTH, 3)
_WEIGHTS = (1.0, 1.0, 1.2, 2.0)  # of the heads in the loss
_SMOOTH = 0.02  # how far from 0 and 1 the truth is told
_FIRST = 6000  # samples in the pool before learning begins
_FETCH_S = 2.0
_DECAY = 0.998  # of the mean over the weights of the last steps, which is what is kept


class Pool:
    """Samples in two files that painters and learner share; a painter fills its own places, over and over."""

    def __init__(self, folder: str, size: int, mode: Literal["w+", "r+"]) -> None:
        self.chips = np.memmap(Path(folder) / "chips", np.uint8, mode, shape=(size, *_SHAPE))
        self.truth = np.memmap(Path(folder) / "truth", np.float32, mode, shape=(size, len(HEADS)))


def paint(number: int, painters: int, arguments: argparse.Namespace, folder: str, counts: Any) -> None:
    """Fill every `painters`-th place of the pool for as long as it takes."""
    cv2.setNumThreads(1)
    pool = Pool(folder, arguments.pool, "r+")
    wardrobe = Wardrobe(stored(arguments.faces, "train"))
    rng = np.random.default_rng([arguments.seed, number])
    places = np.arange(number, arguments.pool, painters)
    while True:
        for place in places:
            sample = wardrobe.sample(rng)
            pool.chips[place], pool.truth[place] = sample.chip, sample.truth
            counts[number] += 1


def varied(chips: Any, chance: torch.Generator) -> Any:
    """Bytes (N, H, W, 3) to floats (N, 3, H, W): mirrored, lit and tinted by chance, parts blotted out."""
    count, device = len(chips), chips.device
    x = chips.permute(0, 3, 1, 2).float() / 127.5 - 1

    def drawn(*shape: int) -> Any:
        return torch.rand((count, *shape), generator=chance, device=device)

    x = torch.where(drawn(1, 1, 1) < 0.5, x.flip(3), x)
    x = x * (0.75 + 0.5 * drawn(1, 1, 1)) + (drawn(1, 1, 1) - 0.5) * 0.5 + (drawn(3, 1, 1) - 0.5) * 0.16
    x = torch.where(drawn(1, 1, 1) < 0.08, x[:, torch.randperm(3)], x)
    shift = 5
    grid = nn.functional.affine_grid(_frames(drawn), list(x.shape), align_corners=False)
    x = nn.functional.grid_sample(x, grid, padding_mode="border", align_corners=False)
    noise = torch.randn(x.shape, generator=chance, device=device) * drawn(1, 1, 1) * 0.06
    x = x + noise * (drawn(1, 1, 1) < 0.5)
    rows = torch.arange(chip.HEIGHT, device=device)[None, None, :, None]
    columns = torch.arange(chip.WIDTH, device=device)[None, None, None, :]
    top, left = drawn(1, 1, 1) * chip.HEIGHT, drawn(1, 1, 1) * chip.WIDTH
    side = shift + drawn(1, 1, 1) * 12
    blot = (rows > top) & (rows < top + side) & (columns > left) & (columns < left + side)
    x = torch.where(blot & (drawn(1, 1, 1) < 0.12), drawn(3, 1, 1) * 2 - 1, x)
    return x.clamp(-1, 1)


def _frames(drawn: Any) -> Any:
    """Small errors of framing, (N, 2, 3)."""
    turn, zoom, shift = (drawn() - 0.5) * 0.12, 1 + (drawn(2) - 0.5) * 0.12, (drawn(2) - 0.5) * 0.12
    cos, sin = torch.cos(turn), torch.sin(turn)
    first = torch.stack([cos * zoom[:, 0], -sin, shift[:, 0]], 1)
    second = torch.stack([sin, cos * zoom[:, 1], shift[:, 1]], 1)
    return torch.stack([first, second], 1)


def loss_of(logits: Any, truth: Any) -> Any:
    """Cross-entropy over what can be told, the heads weighed."""
    counts = ~torch.isnan(truth)
    target = torch.nan_to_num(truth) * (1 - 2 * _SMOOTH) + _SMOOTH
    each = nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    weights = torch.tensor(_WEIGHTS, device=logits.device) * counts
    return (each * weights).sum() / weights.sum().clamp(min=1)


def main(argv: list[str]) -> int:
    """Train for the time given, the rate falling along a cosine; write the weights as .npz."""
    parser = argparse.ArgumentParser(prog="python -m models.quality.training train", description=__doc__)
    parser.add_argument("faces", type=Path, help="what `prepare` wrote")
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--painters", type=int, default=1)
    parser.add_argument("--pool", type=int, default=20000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--start", type=Path, help="a state (.pt) to go on from")
    arguments = parser.parse_args(argv)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(max(1, (os.cpu_count() or 1) - arguments.painters))
    with tempfile.TemporaryDirectory() as folder:
        pool = Pool(folder, arguments.pool, "w+")
        context = multiprocessing.get_context("spawn")
        counts = context.Array("q", arguments.painters, lock=False)
        painters = [
            context.Process(
                target=paint, args=(n, arguments.painters, arguments, folder, counts), daemon=True
            )
            for n in range(arguments.painters)
        ]
        for painter in painters:
            painter.start()
        try:
            network, steps = _learn(arguments, pool, counts, device)
        finally:
            for painter in painters:
                painter.terminate()
                painter.join()
    torch.save(network.state_dict(), arguments.out.with_suffix(".pt"))
    np.savez(arguments.out, **folded(network))
    print(f"done: {steps} steps of {arguments.batch}, {sum(counts)} samples painted", flush=True)
    return 0


class _Shelf:
    """What the learner has of the pool so far, on its own device."""

    def __init__(self, pool: Pool, painters: int, device: torch.device) -> None:
        self._pool, self._painters = pool, painters
        self._size = len(pool.chips) // painters * painters
        self.chips = torch.zeros((self._size, *_SHAPE), dtype=torch.uint8, device=device)
        self.truth = torch.zeros((self._size, len(HEADS)), device=device)
        self._taken = 0  # places, counted on and on

    def fetch(self, counts: Any) -> int:
        """Take what has been painted since; return how many places are filled."""
        ready = self._painters * min(*counts, (self._taken + self._size) // self._painters)
        while self._taken < ready:
            start = self._taken % self._size
            end = min(self._size, start + ready - self._taken)
            self.chips[start:end] = torch.from_numpy(np.array(self._pool.chips[start:end])).to(
                self.chips.device
            )
            self.truth[start:end] = torch.from_numpy(np.array(self._pool.truth[start:end])).to(
                self.truth.device
            )
            self._taken += end - start
        return min(self._taken, self._size)


def _learn(arguments: argparse.Namespace, pool: Pool, counts: Any, device: torch.device) -> tuple[Heads, int]:
    network = Heads().to(device)
    if arguments.start:
        network.load_state_dict(torch.load(arguments.start, map_location=device))
    kept = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(_DECAY), use_buffers=True
    )
    optimiser = torch.optim.AdamW(network.parameters(), arguments.rate, weight_decay=0.02)
    chance = torch.Generator(device=device)
    chance.manual_seed(arguments.seed)
    shelf = _Shelf(pool, arguments.painters, device)
    while shelf.fetch(counts) < min(_FIRST, arguments.pool // 2):
        time.sleep(0.2)
    began, step, average, filled, fetched = time.monotonic(), 0, 0.7, 0, -1e9
    while (share := (time.monotonic() - began) / (60 * arguments.minutes)) < 1:
        if time.monotonic() - fetched > _FETCH_S:
            filled, fetched = shelf.fetch(counts), time.monotonic()
        for group in optimiser.param_groups:
            group["lr"] = (
                arguments.rate * min(1, (step + 1) / 200) * (0.5 + 0.5 * np.cos(np.pi * share)) + 1e-6
            )
        chosen = torch.randint(filled, (arguments.batch,), generator=chance, device=device)
        loss = loss_of(network(varied(shelf.chips[chosen], chance)), shelf.truth[chosen])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        kept.update_parameters(network)
        step += 1
        if step % 20 == 0:
            average += 0.1 * (loss.item() - average)
        if step % 500 == 0:
            seconds = time.monotonic() - began
            print(f"step {step} loss {average:.4f} seconds {seconds:.0f} painted {sum(counts)}", flush=True)
    last: Heads = kept.module
    return last, step
