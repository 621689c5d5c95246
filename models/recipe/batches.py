"""The steps of `preprocess.py` for a batch of packed films, on whatever device they lie, at any size of input."""
import torch
import torch.nn.functional as F

from preprocess import SPREAD_FLOOR, crop_of


def prepare_batch(films: torch.Tensor, steps: list[dict], size: int) -> torch.Tensor:
    """uint8 (n, side, side) to standardised float (n, 3, size, size), as the reader would prepare them for a net of that size."""
    x = films[:, None].float()
    for step in steps:
        if step["step"] == "central-crop":
            rows, columns = crop_of(x.shape[2], x.shape[3], step["fraction"])
            x = x[:, :, rows, columns]
        if step["step"] == "resize":
            if step["kernel"] != "bicubic":
                raise ValueError("only the bicubic kernel has a twin on the GPU")
            x = F.interpolate(x, size=(size, size), mode="bicubic", antialias=True)
    return finish(x[:, 0], steps)


def crop_fraction(steps: list[dict]) -> float:
    """Share of each side that the steps keep."""
    fraction = 1.0
    for step in steps:
        fraction *= step.get("fraction", 1.0)
    return fraction


def finish(x: torch.Tensor, steps: list[dict]) -> torch.Tensor:
    """The steps that do not move pixels, on (n, h, w) in grey levels 0..255; gives (n, 3, h, w) in channels_last."""
    for step in steps:
        match step:
            case {"step": "percentile-stretch", "low": low, "high": high}:
                x = stretch(x, low, high)
            case {"step": "quantize", "rounding": rounding}:
                x = (x.clamp(0, 255) + (0.5 if rounding == "nearest" else 0)).floor()
            case {"step": "normalize"}:
                x = normalize(x / 255, step)
    return x.contiguous(memory_format=torch.channels_last)


def stretch(x: torch.Tensor, low_percent: float, high_percent: float) -> torch.Tensor:
    """0..255 between two percentiles of each film. A film without contrast comes out black instead of stopping a batch."""
    low, high = (percentile(x.flatten(1).sort(1).values, p)[:, None, None] for p in (low_percent, high_percent))
    return ((x - low) / (high - low + SPREAD_FLOOR)).clamp(0, 1) * 255


def percentile(ordered: torch.Tensor, percent: float) -> torch.Tensor:
    """Linear between the two nearest ranks, as numpy has it. (`torch.quantile` refuses batches of this size.)"""
    rank = percent / 100 * (ordered.shape[1] - 1)
    below = int(rank)
    above = min(below + 1, ordered.shape[1] - 1)
    return torch.lerp(ordered[:, below], ordered[:, above], rank - below)


def normalize(x: torch.Tensor, step: dict) -> torch.Tensor:
    """(n, h, w) in 0..1 to (n, 3, h, w)."""
    if step["statistics"] == "per-film":
        x = (x - x.mean((1, 2), keepdim=True)) / (x.std((1, 2), keepdim=True) + SPREAD_FLOOR)
        return x[:, None].expand(-1, 3, -1, -1)
    mean, std = (torch.tensor(step[key], device=x.device)[:, None, None] for key in ("mean", "std"))
    return (x[:, None] - mean) / std
