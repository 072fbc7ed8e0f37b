"""`python -m models.liveness.training train SOURCES.npz WEIGHTS.npz`: simulate re-captures, and train.

Needs torch, which no part of a gate does: install it in an environment of its own. Presentations are
simulated by `--workers` processes and kept; the network is trained on them meanwhile, on a GPU where there
is one. How many there are depends on the machine's speed: a run is repeatable in kind, not to the bit. The
weights are those of the moving average over the last steps.
"""

import argparse
import copy
import multiprocessing
import queue
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn

from models.liveness.looking import PLANES, SIDE, crops, spectrum
from models.liveness.training.network import LOOKS
from models.liveness.training.samples import TRAINED, Kind, sample
from models.liveness.training.sources import load
from models.liveness.training.torch_network import Recaptures, arrays, resume

RATE = 3e-3
BATCH = 256
CHUNK = 16
TUNED = 20
MOST_VISITS = 12  # of one sample, while new ones are still being made
AVERAGE = 0.998  # of the weights that are kept
ALONE = 0.15  # weight of what each look says by itself
SMOOTH = 0.01
TOLD_S = 15.0
_GENERATING = 0.85  # of the time; the rest goes over what there is


def simulate(sources: Path, seed: int, worker: int, out: "multiprocessing.Queue[Any]") -> None:
    """Fill the queue with chunks of samples for ever: half bona fide, half of the attacks that are trained.

    One chunk in TUNED is of people and parameters that are not trained; the first of a chunk says which.
    """
    cv2.setNumThreads(1)
    trained, others = load(sources, "training"), load(sources, "tuning")
    number = 0
    rng = np.random.default_rng([seed, worker])
    while True:
        tuning = number % (TUNED * CHUNK) == 0
        looks = np.empty((CHUNK, SIDE, SIDE, PLANES - 1), np.uint8)
        spectra = np.empty((CHUNK, SIDE, SIDE), np.float16)
        attacks = np.empty(CHUNK, np.float32)
        for place in range(CHUNK):
            kind: Kind = "bona fide" if place % 2 else TRAINED[int(rng.integers(len(TRAINED)))]
            made = sample(kind, others if tuning else trained, (seed, worker, number), held_out=tuning)
            number += 1
            context, texture = crops(made.shot.image, made.shot.centre, made.shot.size)
            looks[place, ..., :3], looks[place, ..., 3:] = context, texture
            spectra[place] = spectrum(texture)
            attacks[place] = made.attack
        out.put((tuning, (looks, spectra, attacks)))


class Store:
    """What was simulated so far, on the device that trains."""

    def __init__(self, room: int, device: str) -> None:
        self._device = device
        self._looks = torch.empty((room, SIDE, SIDE, PLANES - 1), dtype=torch.uint8, device=device)
        self._spectra = torch.empty((room, SIDE, SIDE), dtype=torch.float16, device=device)
        self._attacks = torch.empty(room, device=device)
        self.count = 0

    @property
    def full(self) -> bool:
        """Whether no more chunk fits."""
        return self.count + CHUNK > len(self._attacks)

    def take(self, chunk: tuple[Any, Any, Any]) -> None:
        """Add a chunk."""
        places = slice(self.count, self.count + CHUNK)
        for into, values in zip((self._looks, self._spectra, self._attacks), chunk, strict=True):
            into[places] = torch.from_numpy(values).to(self._device, non_blocking=True)
        self.count += CHUNK

    def plain(self, start: int, size: int) -> tuple[Any, Any]:
        """Samples as they are."""
        which = slice(start, min(start + size, self.count))
        looks = self._looks[which].permute(0, 3, 1, 2).float() / 127.5 - 1
        return torch.cat([looks, self._spectra[which][:, None].float()], 1), self._attacks[which]

    def batch(self, size: int) -> tuple[Any, Any]:
        """Samples at random, each look mirrored or not by itself, colours and noise varied a little."""
        which = torch.randint(self.count, (size,), device=self._device)
        looks = self._looks[which].permute(0, 3, 1, 2).float() / 127.5 - 1
        spectra = self._spectra[which][:, None].float()
        planes = [
            _flipped(looks[:, :3], (3,)),
            _flipped(_flipped(looks[:, 3:], (3,)), (2,)),
            _flipped(spectra, (2,)),
        ]
        gain = 1 + 0.1 * torch.randn((size, 1, 1, 1), device=self._device)
        tint = 1 + 0.04 * torch.randn((size, 3, 1, 1), device=self._device)
        for look in (0, 1):
            planes[look] = ((planes[look] + 1) * gain * tint).clamp(0, 2) - 1
        return torch.cat(planes, 1), self._attacks[which]


def _flipped(x: Any, axes: tuple[int, ...]) -> Any:
    mirror = torch.rand((len(x), 1, 1, 1), device=x.device) < 0.5
    return torch.where(mirror, x.flip(axes), x)


def main() -> int:
    """Train for the time given, the rate falling along a cosine."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sources", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--room", type=int, default=160_000, help="samples that are kept, 100 KB each")
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--batch", type=int, default=BATCH)
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(arguments.seed)
    if device == "cpu":
        torch.set_num_threads(1)
    context = multiprocessing.get_context("spawn")
    chunks: multiprocessing.Queue[Any] = context.Queue(64)
    workers = [
        context.Process(target=simulate, args=(arguments.sources, arguments.seed, n, chunks), daemon=True)
        for n in range(arguments.workers)
    ]
    began = time.monotonic()
    for worker in workers:
        worker.start()
    network = Recaptures(LOOKS).to(device)
    stores = Store(arguments.room, device), Store(arguments.room // TUNED + CHUNK, device)
    kept, steps = _train(network, chunks, stores, arguments, began)
    for worker in workers:
        worker.terminate()
    np.savez(arguments.out, **arrays(kept.cpu().eval()))
    print(f"done: {steps} steps of {arguments.batch}", flush=True)
    return 0


def _train(
    network: Any, chunks: Any, stores: tuple[Store, Store], arguments: argparse.Namespace, began: float
) -> tuple[Any, int]:
    """Return the averaged network and the steps."""
    kept = None
    optimiser = torch.optim.AdamW(network.parameters(), arguments.rate, weight_decay=2e-2)
    loss_of = nn.BCEWithLogitsLoss()
    store, tuning = stores
    warm, step, told = max(2 * arguments.batch, 4 * CHUNK), 0, began
    losses: list[Any] = []
    while (share := (time.monotonic() - began) / (60 * arguments.minutes)) < 1:
        if share < _GENERATING:
            wait = store.count < warm or step * arguments.batch > MOST_VISITS * store.count
            _receive(chunks, stores, wait=wait)
            if wait:
                continue
        if kept is None:
            if arguments.start:
                resume(network, dict(np.load(arguments.start)), stores[0].batch(arguments.batch)[0])
            kept = copy.deepcopy(network)
        for group in optimiser.param_groups:
            group["lr"] = (
                arguments.rate * min(1.0, (step + 1) / 100) * 0.5 * (1 + np.cos(np.pi * share)) + 1e-6
            )
        x, attack = store.batch(arguments.batch)
        target = attack * (1 - 2 * SMOOTH) + SMOOTH
        with torch.autocast(x.device.type, torch.bfloat16, enabled=x.is_cuda):
            network.train()
            together, alone = network(x)
        loss = loss_of(together.float(), target)
        losses.append(loss.detach())
        for logits in alone:
            loss = loss + ALONE * loss_of(logits.float(), target)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        step += 1
        _follow(kept, network, min(AVERAGE, step / (step + 10)))
        if time.monotonic() - told > TOLD_S:
            told = time.monotonic()
            mean = float(torch.stack(losses).mean())
            losses.clear()
            print(
                f"{told - began:.0f} s: step {step}, {store.count} samples, loss {mean:.4f}, "
                f"tuning {_measured(kept, tuning)}",
                flush=True,
            )
    return kept, step


@torch.no_grad()  # type: ignore[untyped-decorator]  # torch is not installed where types are checked
def _measured(network: Any, tuning: Store) -> str:
    """Loss and errors at 0.5 over what is not trained, all together and by each look alone."""
    network.eval()
    results = []
    for start in range(0, tuning.count, 512):
        x, attack = tuning.plain(start, 512)
        together, alone = network(x)
        results.append(torch.stack([attack, together, *alone]))
    if not results:
        return "nothing yet"
    attack, *logits = torch.cat(results, 1)
    loss = float(nn.functional.binary_cross_entropy_with_logits(logits[0], attack))
    wrong = [float(((values > 0) != (attack > 0.5)).float().mean()) for values in logits]
    return f"{loss:.4f}, wrong " + " ".join(f"{share:.3f}" for share in wrong)


def _receive(chunks: Any, stores: tuple[Store, Store], *, wait: bool) -> None:
    """Move what was simulated into the stores."""
    for _ in range(8):
        try:
            tuning, chunk = chunks.get(timeout=1) if wait else chunks.get_nowait()
        except queue.Empty:
            return
        store = stores[tuning]
        if not store.full:
            store.take(chunk)


@torch.no_grad()  # type: ignore[untyped-decorator]  # torch is not installed where types are checked
def _follow(kept: Any, network: Any, share: float) -> None:
    """Move the averaged weights, and the statistics of their normalisations, a little towards the network."""
    for mean, value in zip(kept.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - share)
        else:
            mean.copy_(value)
