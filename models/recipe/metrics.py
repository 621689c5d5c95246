"""Figures on scores, in numpy alone."""
import numpy as np

BINS = 15


def auc(truth: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve, ties counted half; NaN when one class is missing."""
    positive = int(truth.sum())
    negative = len(truth) - positive
    if positive == 0 or negative == 0:
        return float("nan")
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    return float((ranks[truth == 1].sum() - positive * (positive + 1) / 2) / (positive * negative))


def by_group(rows: list[dict], score: np.ndarray) -> dict[str, dict]:
    """AUC and numbers of each source, and of each view of a source. Rows that are neither opacity nor none are left out."""
    truth = np.array([{"opacity": 1, "none": 0}.get(row["label"], -1) for row in rows])
    keys: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        if truth[i] < 0:
            continue
        keys.setdefault(row["source"], []).append(i)
        if row["view"]:
            keys.setdefault(f"{row['source']} {row['view']}", []).append(i)
    return {key: figure_of(truth[at], score[at]) for key, at in sorted(keys.items())}


def figure_of(truth: np.ndarray, score: np.ndarray) -> dict:
    """JSON has no NaN: an AUC that does not exist is null."""
    area = auc(truth, score)
    return {"auc": None if np.isnan(area) else round(area, 4), "opacity": int(truth.sum()), "none": int((1 - truth).sum())}


def calibration_error(truth: np.ndarray, probability: np.ndarray) -> float:
    """Expected calibration error over 15 bins of equal width."""
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    gaps = [abs(truth[place == b].mean() - probability[place == b].mean()) * (place == b).mean() for b in set(place.tolist())]
    return float(sum(gaps))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
