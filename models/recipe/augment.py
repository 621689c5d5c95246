"""Heavy augmentation against shortcuts, on the device where the films lie, one draw for each film of a batch.

Each part takes away something by which a network could tell the hospital instead of the disease: how far the field was
collimated and how the film was squashed (`place`), the console's tone curve and sharpening (`tone`, `sharpen`), the digitiser's
resolution (`coarsen`), JPEG and its noise (`jpeg`), black or white edges (`borders`), letters and markers (`markers`), and any
one place of the film (`erase`). What the reader does after cropping and resizing is then done here too, by the same code.

No mirrored films by default: a chest has its heart on one side, and the reader refuses what is marked mirrored. `--flip` mirrors
half of them: with a few thousand films, twice as many may be worth more than the side of the heart.
"""
import math

import torch
import torch.nn.functional as F

from batches import crop_fraction, finish

# A film of twice the size shows a lung of twice the size: what was learned on small films must not hang on that.
ZOOM = 0.7, 1.15
ASPECT_JITTER = 0.15
TURN = math.radians(8)
SHIFT = 0.08
GAMMA = 0.5
EDGE = 0.12
BLOCK = 8
# The luminance table of JPEG (ITU-T T.81, table K.1) rises by about this much from the corner of the lowest to the highest frequency.
JPEG_LOWEST, JPEG_HIGHEST = 16.0, 99.0


class Augmenter:
    """Seeded by (seed, step): a resumed run sees what it would have seen."""

    def __init__(self, steps: list[dict], device: str, seed: int, flip: bool = False):
        self.steps, self.device, self.seed, self.flip = steps, device, seed, flip
        self.generator = torch.Generator(device)
        self.dct = dct_matrix(device)

    def __call__(self, films: torch.Tensor, size: int, step: int) -> torch.Tensor:
        """uint8 (n, side, side) to standardised float (n, 3, size, size)."""
        self.generator.manual_seed(self.seed * 1_000_003 + step)
        x = films[:, None].float() / 255
        if x.shape[-1] > 1.5 * size:
            x = F.interpolate(x, size=(round(1.3 * size),) * 2, mode="bilinear", antialias=True)
        x = self.place(x, size)
        x = self.tone(self.sharpen(x))
        x = self.jpeg(self.noise(self.coarsen(x)))
        x = self.erase(self.markers(self.borders(x)))
        return finish(x[:, 0].clamp(0, 1) * 255, self.steps)

    def draw(self, n: int, low: float, high: float) -> torch.Tensor:
        """Uniform numbers, (n, 1, 1, 1)."""
        return low + (high - low) * torch.rand(n, 1, 1, 1, device=self.device, generator=self.generator)

    def chance(self, n: int, share: float) -> torch.Tensor:
        return self.draw(n, 0, 1) < share

    def grey(self, n: int) -> torch.Tensor:
        """Black, white or any grey, a third each."""
        return (self.draw(n, -1, 2)).clamp(0, 1)

    def place(self, x: torch.Tensor, size: int) -> torch.Tensor:
        """The central crop of the steps, larger or smaller, of another aspect, turned and shifted; outside is one grey."""
        n = len(x)
        kept = crop_fraction(self.steps) * self.draw(n, *ZOOM).flatten()
        aspect = self.draw(n, -ASPECT_JITTER, ASPECT_JITTER).exp().flatten()
        turn = self.draw(n, -TURN, TURN).flatten()
        mirror = torch.where(self.chance(n, 0.5 if self.flip else 0), -1.0, 1.0).flatten()
        affine = torch.zeros(n, 2, 3, device=self.device)
        affine[:, 0, 0], affine[:, 0, 1] = kept * aspect * turn.cos() * mirror, -kept * turn.sin()
        affine[:, 1, 0], affine[:, 1, 1] = kept * turn.sin() * mirror, kept / aspect * turn.cos()
        affine[:, :, 2] = torch.cat([self.draw(n, -SHIFT, SHIFT)[..., 0, 0] for _ in range(2)], 1)
        outside = self.grey(n)
        grid = F.affine_grid(affine, [n, 1, size, size], align_corners=False)
        return F.grid_sample(x - outside, grid, align_corners=False) + outside

    def sharpen(self, x: torch.Tensor) -> torch.Tensor:
        """Between blurred (−1) and edge-enhanced as by a console (1.5), on a coarse or a fine scale."""
        n = len(x)
        fine, coarse = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False), F.avg_pool2d(x, 7, 1, 3, count_include_pad=False)
        blurred = torch.where(self.chance(n, 0.7), fine, coarse)
        return torch.where(self.chance(n, 0.5), x + (x - blurred) * self.draw(n, -1, 1.5), x).clamp(0, 1)

    def tone(self, x: torch.Tensor) -> torch.Tensor:
        """Gamma, contrast and brightness, clipped as a badly chosen window would."""
        n = len(x)
        x = x.clamp(1e-4, 1) ** self.draw(n, -GAMMA, GAMMA).exp()
        return ((x - 0.5) * self.draw(n, 0.7, 1.4) + 0.5 + self.draw(n, -0.12, 0.12)).clamp(0, 1)

    def coarsen(self, x: torch.Tensor) -> torch.Tensor:
        """Down and up again, another factor for each quarter of the batch; the first quarter is left alone."""
        size = x.shape[-1]
        parts = list(x.chunk(4))
        for i in range(1, len(parts)):
            small = max(BLOCK, int(size * (0.3 + 0.65 * float(torch.rand((), device=self.device, generator=self.generator)))))
            reduced = F.interpolate(parts[i], size=(small, small), mode="bilinear", antialias=True)
            parts[i] = F.interpolate(reduced, size=(size, size), mode="bilinear")
        return torch.cat(parts)

    def noise(self, x: torch.Tensor) -> torch.Tensor:
        grain = torch.randn(x.shape, device=self.device, generator=self.generator)
        return x + grain * self.draw(len(x), 0, 0.04)

    def jpeg(self, x: torch.Tensor) -> torch.Tensor:
        """8 × 8 blocks whose cosine coefficients are rounded in steps that grow with the frequency: what JPEG takes away."""
        n, _, size, _ = x.shape
        k = size // BLOCK
        blocks = x[:, 0].reshape(n, k, BLOCK, k, BLOCK).transpose(2, 3) * 255 - 128
        coefficients = self.dct @ blocks @ self.dct.T
        place = torch.arange(BLOCK, device=self.device)
        table = JPEG_LOWEST + (JPEG_HIGHEST - JPEG_LOWEST) * (place[:, None] + place[None]) / (2 * BLOCK - 2)
        rounding = table * self.draw(n, -4.5, 0.5).exp()[..., None]
        blocks = self.dct.T @ ((coefficients / rounding).round() * rounding) @ self.dct
        decoded = ((blocks + 128) / 255).transpose(2, 3).reshape(n, 1, size, size)
        return torch.where(self.chance(n, 0.6), decoded, x)

    def borders(self, x: torch.Tensor) -> torch.Tensor:
        """An edge of one grey on any of the four sides, as a collimator, a scanner or a screenshot leaves it."""
        n, size = len(x), x.shape[-1]
        across, down = self.coordinates(size)
        left, right, top, bottom = (self.draw(n, -EDGE, EDGE) for _ in range(4))
        outside = (across < left) | (across > 1 - right) | (down < top) | (down > 1 - bottom)
        return torch.where(outside & self.chance(n, 0.5), self.grey(n), x)

    def markers(self, x: torch.Tensor) -> torch.Tensor:
        """Up to two patches of letter-like strokes, bright or dark, mostly near an edge, under diseased and healthy alike."""
        n, size = len(x), x.shape[-1]
        for share in (0.5, 0.25):
            strokes = (torch.rand(n, 1, 7, 9, device=self.device, generator=self.generator) < 0.55).float()
            where = torch.cat([self.draw(n, -1, 1)[..., 0, 0] for _ in range(2)], 1)
            where = where.sign() * where.abs().sqrt()
            zoom = torch.cat([1 / self.draw(n, 0.03, 0.16)[..., 0, 0], 1 / self.draw(n, 0.02, 0.09)[..., 0, 0]], 1)
            affine = torch.diag_embed(zoom)
            affine = torch.cat([affine, (-where * zoom)[..., None]], 2)
            cover = F.grid_sample(strokes, F.affine_grid(affine, [n, 1, size, size], align_corners=False), align_corners=False)
            ink = torch.where(self.chance(n, 0.8), 1.0, 0.0)
            x = x + (ink - x) * cover * self.chance(n, share) * self.draw(n, 0.5, 1)
        return x

    def erase(self, x: torch.Tensor) -> torch.Tensor:
        """A box of one grey over any one place, so that no single place decides."""
        n = len(x)
        across, down = self.coordinates(x.shape[-1])
        wide, high = self.draw(n, 0.08, 0.35), self.draw(n, 0.08, 0.35)
        left, top = self.draw(n, 0, 1) - wide / 2, self.draw(n, 0, 1) - high / 2
        inside = (across > left) & (across < left + wide) & (down > top) & (down < top + high)
        return torch.where(inside & self.chance(n, 0.3), self.grey(n), x)

    def coordinates(self, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Middles of the pixels from 0 to 1, across and down."""
        line = (torch.arange(size, device=self.device) + 0.5) / size
        return line[None, None, None, :], line[None, None, :, None]


def dct_matrix(device: str) -> torch.Tensor:
    """Orthonormal cosine transform of a block's side."""
    k = torch.arange(BLOCK, device=device, dtype=torch.float32)
    matrix = torch.cos(math.pi / BLOCK * (k[None] + 0.5) * k[:, None]) * math.sqrt(2 / BLOCK)
    matrix[0] /= math.sqrt(2)
    return matrix
