"""The preprocessing steps of a manifest by Pillow and numpy, to hold the gateway's own against.

Reads jobs from a JSON file, each {film, columns, rows, steps, plane, tensor}: `film` names raw little-endian float32 grey
values from 0 to 1, `plane` and `tensor` name the float32 files to write (the plane in grey levels from 0 to 255).
"""
import json
import sys

import numpy as np
from PIL import Image

KERNELS = {"bicubic": Image.BICUBIC, "lanczos3": Image.LANCZOS, "triangle": Image.BILINEAR}


def apply(film, step):
    if step["step"] == "resize":
        return np.asarray(Image.fromarray(film, "F").resize((step["width"], step["height"]), KERNELS[step["kernel"]]))
    if step["step"] == "central-crop":
        rows, columns = (max(1, int(np.floor(side * step["fraction"] + 0.5))) for side in film.shape)
        top, left = (film.shape[0] - rows) // 2, (film.shape[1] - columns) // 2
        return film[top:top + rows, left:left + columns].copy()
    if step["step"] == "percentile-stretch":
        low, high = np.percentile(film, [step["low"], step["high"]])
        return (np.clip((film - low) / (high - low + 1e-3), 0, 1) * 255).astype(np.float32)
    if step["step"] == "quantize":
        levels = np.clip(film, 0, 255) + (0.5 if step["rounding"] == "nearest" else 0)
        return levels.astype(np.uint8).astype(np.float32)
    raise ValueError(step)


def normalize(film, step):
    x = film.astype(np.float64) / 255
    if step["statistics"] == "per-film":
        x = np.repeat(((x - x.mean()) / (x.std(ddof=1) + 1e-3))[None], 3, 0)
    else:
        x = np.stack([(x - mean) / std for mean, std in zip(step["mean"], step["std"])])
    return x.astype("<f4")


def main():
    with open(sys.argv[1]) as f:
        jobs = json.load(f)
    for job in jobs:
        film = np.fromfile(job["film"], "<f4").reshape(job["rows"], job["columns"]) * np.float32(255)
        for step in job["steps"][:-1]:
            film = apply(film, step)
        film.astype("<f4").tofile(job["plane"])
        normalize(film, job["steps"][-1]).tofile(job["tensor"])


if __name__ == "__main__":
    main()
