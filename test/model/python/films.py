"""The training code's own way from a film to its 8-bit picture, as far as it can be retold without the training data.

Reads jobs from a JSON file, each {film, columns, rows, plane}: `film` names raw 8-bit grey values; writes the picture that
the network is trained on: resized by Pillow in 8 bits, stretched between its 1st and 99th percentile, cut to 8 bits.
"""
import json
import sys

import numpy as np
from PIL import Image


def main():
    with open(sys.argv[1]) as f:
        jobs = json.load(f)
    for job in jobs:
        film = np.fromfile(job["film"], np.uint8).reshape(job["rows"], job["columns"])
        small = np.asarray(Image.fromarray(film).resize((224, 224), Image.BICUBIC), np.float32)
        low, high = np.percentile(small, [1, 99])
        (np.clip((small - low) / (high - low + 1e-3), 0, 1) * 255).astype(np.uint8).tofile(job["plane"])


if __name__ == "__main__":
    main()
