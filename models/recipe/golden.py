"""The drawn pictures of `src/model/golden.ts`, so that a model's makers can say what it must answer to them.

The answers come from PyTorch and `preprocess.py`; the reader asks for the first at each start. `test/recipe` holds the pictures equal.
"""
from collections.abc import Callable

import numpy as np

COLUMNS, ROWS, SPOTS = 280, 340, 6
SEEDS = (1, 2, 3, 4, 5, 6)
TOLERANCE = 1e-3
WORD = 0xFFFFFFFF


def uniform(seed: int) -> Callable[[], float]:
    """Numbers in [0, 1): the gateway's sfc32."""
    a, b, c, counter = seed & WORD, 0x9E3779B9, 0x243F6A88, 1

    def draw() -> float:
        nonlocal a, b, c, counter
        t = (a + b + counter) & WORD
        counter = (counter + 1) & WORD
        a = b ^ (b >> 9)
        b = (c + (c << 3)) & WORD
        c = (((c << 21) | (c >> 11)) + t) & WORD
        return t / 2**32

    for _ in range(16):
        draw()
    return draw


def profile(length: int, centre: float, radius: float, power: int) -> np.ndarray:
    return np.exp(-np.abs((np.arange(length) - centre) / radius) ** power)


def dark_field(draw: Callable[[], float], centre: float) -> tuple[float, np.ndarray, np.ndarray]:
    height = -(0.4 + 0.3 * draw())
    across = profile(COLUMNS, COLUMNS * (centre + 0.06 * (draw() - 0.5)), COLUMNS * (0.15 + 0.06 * draw()), 4)
    down = profile(ROWS, ROWS * (0.45 + 0.1 * (draw() - 0.5)), ROWS * (0.26 + 0.1 * draw()), 4)
    return height, across, down


def bright_spot(draw: Callable[[], float]) -> tuple[float, np.ndarray, np.ndarray]:
    radius = 8 + 40 * draw()
    height = 0.5 * draw()
    return height, profile(COLUMNS, draw() * COLUMNS, radius, 2), profile(ROWS, draw() * ROWS, radius, 2)


def golden_film(seed: int) -> np.ndarray:
    """float32 (340, 280) in 0..1."""
    draw = uniform(seed)
    blots = [dark_field(draw, 0.3), dark_field(draw, 0.7), *(bright_spot(draw) for _ in range(SPOTS))]
    grain = np.array([draw() for _ in range(ROWS * COLUMNS)]).reshape(ROWS, COLUMNS)
    film = 0.8 + 0.04 * (grain - 0.5)
    for height, across, down in blots:
        film += height * across[None] * down[:, None]
    return film.clip(0, 1).astype(np.float32)
