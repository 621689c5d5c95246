"""A pack on the device, split by group, and the scores of a network on films of it."""
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from batches import prepare_batch
from films import findings_of, load
from network import Network
from split import digest_of, part_of

NO_ANSWER = -100
TARGET = {"none": 0, "opacity": 1, "other": NO_ANSWER}


@dataclass
class Films:
    """Everything on the device: rows, uint8 films, targets (NO_ANSWER for `other`), findings (NaN: not told).

    `held` are the films of `tune` and `check` that are scored: all, or at most so many of each source.
    """

    rows: list[dict]
    pixels: torch.Tensor
    target: torch.Tensor
    findings: torch.Tensor
    part: dict[str, list[int]]
    held: dict[str, list[int]]


def held_out(rows: list[dict], at: list[int], most: int | None) -> list[int]:
    """The first so many of each source in the order of their groups' digests: patients drawn blindly, the same in every run."""
    counts: Counter = Counter()
    kept = []
    for i in sorted(at, key=lambda i: digest_of(rows[i]["group"])):
        counts[rows[i]["source"]] += 1
        if most is None or counts[rows[i]["source"]] <= most:
            kept.append(i)
    return sorted(kept)


def films_of(pack: Path, side: int, device: str, most_held: int | None = None) -> Films:
    rows, pixels = load(pack, side)
    part: dict[str, list[int]] = {"train": [], "tune": [], "check": []}
    for i, row in enumerate(rows):
        part[part_of(row["group"])].append(i)
    return Films(
        rows=rows,
        pixels=torch.from_numpy(pixels).to(device),
        target=torch.tensor([TARGET[row["label"]] for row in rows], device=device),
        findings=torch.stack([torch.from_numpy(findings_of(row)) for row in rows]).to(device),
        part=part,
        held={name: held_out(rows, part[name], most_held) for name in ("tune", "check")},
    )


@torch.no_grad()
def scores(network: Network, films: Films, chosen: list[int], size: int, steps: list[dict]) -> torch.Tensor:
    """Difference of the logits, opacity minus none, of each chosen film, prepared as the reader prepares it."""
    network.eval()
    found = []
    for batch in torch.tensor(chosen).split(128):
        logits = network(prepare_batch(films.pixels[batch.to(films.pixels.device)], steps, size))[0].float()
        found.append((logits[:, 1] - logits[:, 0]).cpu())
    return torch.cat(found) if found else torch.empty(0)


@torch.no_grad()
def settle(network: Network, films: Films, chosen: list[int], size: int, steps: list[dict]) -> None:
    """Takes the statistics of every normalisation anew, from films prepared as the reader prepares them.

    Sizes, augmentation and averaged weights have moved them; what is read must be normalised as it is read.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    network.train()
    for batch in torch.tensor(chosen).split(64):
        network(prepare_batch(films.pixels[batch.to(films.pixels.device)], steps, size))
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
