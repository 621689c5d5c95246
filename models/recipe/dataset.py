"""A pack on the device, split by group, and the scores of a network on films of it."""
from dataclasses import dataclass
from pathlib import Path

import torch

from batches import prepare_batch
from films import findings_of, load
from network import Network
from split import part_of

NO_ANSWER = -100
TARGET = {"none": 0, "opacity": 1, "other": NO_ANSWER}


@dataclass
class Films:
    """Everything on the device: rows, uint8 films, targets (NO_ANSWER for `other`), findings (NaN: not told)."""

    rows: list[dict]
    pixels: torch.Tensor
    target: torch.Tensor
    findings: torch.Tensor
    part: dict[str, list[int]]


def films_of(pack: Path, side: int, device: str) -> Films:
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
