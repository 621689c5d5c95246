"""The preprocessing of a model: the steps of `preprocess.json`, which become those of the manifest.

This is the exact form, one film at a time, in numpy and Pillow. `batches.py` does the same to a batch on a GPU, and
`src/model/tensor.ts` in the reader. `test/recipe` holds this file against the reader, `check.py` holds `batches.py` against it.
"""
import json
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
KERNELS = {"bicubic": Image.Resampling.BICUBIC, "lanczos3": Image.Resampling.LANCZOS, "triangle": Image.Resampling.BILINEAR}
# Added where a film divides by its own spread: a film without any must not divide by zero.
SPREAD_FLOOR = 1e-3

# What torchvision's weights have been trained on.
IMAGENET_STEPS = [
    {"step": "resize", "width": 224, "height": 224, "kernel": "bicubic"},
    {"step": "normalize", "statistics": "fixed", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
]


def load_steps() -> list[dict]:
    """The one definition that training, export and the manifest share."""
    return json.loads((HERE / "preprocess.json").read_text())


def radiograph_of(source) -> np.ndarray:
    """Grey values 0..1, float32 (rows, columns), of an 8-bit image file or a file-like object."""
    with Image.open(source) as image:
        return np.asarray(image.convert("L"), np.float32) / np.float32(255)


def prepare(film: np.ndarray, steps: list[dict]) -> np.ndarray:
    """float32 (3, height, width) of a film in 0..1. Raises ValueError for a film without contrast."""
    *plane_steps, last = steps
    plane = film.astype(np.float32) * np.float32(255)
    for step in plane_steps:
        plane = apply(plane, step)
    return normalize(plane, last)


def crop_of(rows: int, columns: int, fraction: float) -> tuple[slice, slice]:
    """The rows and columns that a central crop keeps."""
    kept = [max(1, int(np.floor(side * fraction + 0.5))) for side in (rows, columns)]
    starts = [(rows - kept[0]) // 2, (columns - kept[1]) // 2]
    return slice(starts[0], starts[0] + kept[0]), slice(starts[1], starts[1] + kept[1])


def apply(plane: np.ndarray, step: dict) -> np.ndarray:
    """One step on a plane in grey levels 0..255."""
    match step:
        case {"step": "resize", "width": width, "height": height, "kernel": kernel}:
            return np.asarray(Image.fromarray(plane).resize((width, height), KERNELS[kernel]))
        case {"step": "central-crop", "fraction": fraction}:
            return np.ascontiguousarray(plane[crop_of(*plane.shape, fraction)])
        case {"step": "percentile-stretch", "low": low, "high": high}:
            return stretch(plane, low, high)
        case {"step": "quantize", "rounding": rounding}:
            return np.floor(np.clip(plane, 0, 255) + (0.5 if rounding == "nearest" else 0)).astype(np.float32)
    raise ValueError(f"no such step: {step}")


def stretch(plane: np.ndarray, low_percent: float, high_percent: float) -> np.ndarray:
    """0..255 between two percentiles of the plane."""
    low, high = np.percentile(plane, [low_percent, high_percent])
    if not high > low:
        raise ValueError("a film without contrast cannot be stretched")
    return (np.clip((plane - low) / (high - low + SPREAD_FLOOR), 0, 1) * 255).astype(np.float32)


def normalize(plane: np.ndarray, step: dict) -> np.ndarray:
    """Three channels, by the film's own mean and sample deviation or by fixed ones."""
    values = plane.astype(np.float64) / 255
    if step["statistics"] == "per-film":
        one = (values - values.mean()) / (values.std(ddof=1) + SPREAD_FLOOR)
        return np.repeat(one[None], 3, 0).astype(np.float32)
    return np.stack([(values - mean) / std for mean, std in zip(step["mean"], step["std"])]).astype(np.float32)
