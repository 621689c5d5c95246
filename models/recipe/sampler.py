"""How often each film is shown, so that neither the hospital, nor the age, nor the portable view tells the answer."""
import math
from collections import Counter

import numpy as np

# `other` films teach only the findings; they get this share of what a label cell of opacity or none gets.
OTHER_SHARE = 0.5


def sampling_weights(rows: list[dict]) -> np.ndarray:
    """Probability of each row. Within every source × view, opacity and none are equally likely.

    A source × view counts by the root of its smaller label: what it has plenty of on one side alone teaches no difference,
    and a few films must not be shown a hundred times. A view with one label only would give the answer away: it is left out
    (except for `other`, which has no answer).
    """
    cells = Counter((row["source"], row["view"], row["label"]) for row in rows)
    weights = np.array([weight_of(row, cells) for row in rows])
    if not weights.sum() > 0:
        raise ValueError("no source and view has both opacity and none")
    return weights / weights.sum()


def weight_of(row: dict, cells: Counter) -> float:
    source, view, label = row["source"], row["view"], row["label"]
    smaller = min(cells[source, view, "opacity"], cells[source, view, "none"])
    share = math.sqrt(smaller) * (OTHER_SHARE if label == "other" else 1)
    return share / cells[source, view, label]


class Sampler:
    """Draws batches of row numbers. The draw of a step hangs on seed and step alone, so that a resumed run goes on as it would have."""

    def __init__(self, rows: list[dict], chosen: list[int], seed: int):
        self.chosen = np.asarray(chosen)
        self.weights = sampling_weights([rows[i] for i in chosen])
        self.seed = seed

    def batch(self, step: int, size: int) -> np.ndarray:
        return np.random.default_rng([self.seed, step]).choice(self.chosen, size, p=self.weights)

    def chosen_for(self, number: int) -> list[int]:
        """Row numbers in the mixture of the training, for what is done once at its end."""
        return np.random.default_rng([self.seed, number]).choice(self.chosen, number, p=self.weights).tolist()
