"""The mean frontal chest of the training patients: what `src/model/mean-chest.ts` holds, by which the gateway sees that a film is none.

    python mean_chest.py films            # prints 32 rows of 32 bytes, base64

Each film is reduced to 32 × 32 cells and standardised; adults and children count alike. Films of `tune` and `check` are not in it.
"""
import argparse
import base64
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from films import load
from split import part_of

SIDE = 32
ADULTS = "ChestX-ray14"


def mean_chest(rows: list[dict], pixels: np.ndarray) -> np.ndarray:
    """Bytes (32, 32): the mean of the standardised films, stretched to 0 to 255."""
    means = []
    for adult in (True, False):
        at = [i for i, row in enumerate(rows) if part_of(row["group"]) == "train" and (row["source"] == ADULTS) == adult]
        small = torch.cat([F.adaptive_avg_pool2d(torch.from_numpy(pixels[part]).float(), SIDE) for part in np.array_split(at, 16)])
        spread = small.std((1, 2), keepdim=True) + 1e-6
        means.append(((small - small.mean((1, 2), keepdim=True)) / spread).mean(0))
    mean = (means[0] + means[1]).numpy()
    return np.round(255 * (mean - mean.min()) / (mean.max() - mean.min())).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path, help="a pack of films.py, without ending")
    rows, pixels = load(parser.parse_args().pack, 256)
    text = base64.b64encode(mean_chest(rows, pixels).tobytes()).decode()
    print("\n".join(text[at:at + 96] for at in range(0, len(text), 96)))


if __name__ == "__main__":
    main()
