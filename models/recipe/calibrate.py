"""Makes the score a probability, and chooses the operating point, on `tune` groups alone.

    python calibrate.py OUT                                    # writes OUT/calibration.json from OUT/scores.csv
    python calibrate.py OUT --method temperature --specificity 0.718

Only adult films by default: that is what the product reads; the children's archive would drown them. Each label weighs by its
number. The result is two numbers (a, c): logit difference → a × difference + c, which `export.py` folds into the last layer,
so that the network itself is calibrated. `check` groups are only looked at to report.
"""
import argparse
import csv
import json
from pathlib import Path

import numpy as np

from films import FINDINGS_SOURCE
from metrics import auc, calibration_error, sigmoid


def read_scores(path: Path, source: str | None, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Truth (0/1) and difference of the logits. Raises ValueError where there is nothing to learn from."""
    with open(path, newline="") as f:
        rows = [r for r in csv.DictReader(f) if r["part"] == part and r["label"] in ("none", "opacity")]
    rows = [r for r in rows if source is None or r["source"] == source]
    truth = np.array([r["label"] == "opacity" for r in rows], int)
    if len(set(truth.tolist())) < 2:
        raise ValueError(f"{path}: part {part} of {source or 'all sources'} does not hold both opacity and none")
    return truth, np.array([float(r["difference"]) for r in rows])


def fit(truth: np.ndarray, difference: np.ndarray, method: str) -> tuple[float, float]:
    """(a, c) that make the truth likeliest, by Newton's method; c is 0 for a temperature. Platt's targets keep a finite."""
    positive = truth.sum()
    target = np.where(truth == 1, (positive + 1) / (positive + 2), 1 / (len(truth) - positive + 2))
    inputs = np.stack([difference, np.ones_like(difference)], 1)[:, : 2 if method == "platt" else 1]
    found = np.zeros(inputs.shape[1])
    for _ in range(100):
        p = sigmoid(inputs @ found)
        slope = inputs.T @ (p - target)
        curve = (inputs * (p * (1 - p))[:, None]).T @ inputs + 1e-9 * np.eye(len(found))
        move = np.linalg.solve(curve, slope)
        found -= move * min(1.0, 2 / max(np.abs(move).max(), 1e-12))
        if np.abs(move).max() < 1e-10:
            break
    if not found[0] > 0:
        raise ValueError(f"the score falls where opacity is likelier (a = {found[0]:.4f}): a calibration would turn the model around")
    return float(found[0]), float(found[1]) if method == "platt" else 0.0


def operating_point(truth: np.ndarray, probability: np.ndarray, specificity: float | None) -> float:
    """Middle of the gap at the largest Youden index, or at the best sensitivity with at least this specificity. Opacity is p ≥ it."""
    values = np.unique(probability)
    cuts = np.concatenate([[values[0] / 2], (values[1:] + values[:-1]) / 2, [(values[-1] + 1) / 2]])
    sensitivity = np.array([(probability[truth == 1] >= cut).mean() for cut in cuts])
    spared = np.array([(probability[truth == 0] < cut).mean() for cut in cuts])
    worth = sensitivity + spared if specificity is None else np.where(spared >= specificity, sensitivity + 1e-6 * spared, -1)
    return float(cuts[int(worth.argmax())])


def fold(weight: np.ndarray, bias: np.ndarray, a: float, c: float) -> tuple[np.ndarray, np.ndarray]:
    """A head whose difference of logits is a × the old one + c."""
    return weight * a, bias * a + np.array([-c / 2, c / 2])


def figures(truth: np.ndarray, difference: np.ndarray, a: float, c: float, point: float) -> dict:
    p = sigmoid(a * difference + c)
    return {
        "opacity": int(truth.sum()), "none": int((1 - truth).sum()), "auc": round(auc(truth, difference), 4),
        "ece_before": round(calibration_error(truth, sigmoid(difference)), 4), "ece": round(calibration_error(truth, p), 4),
        "sensitivity": round(float((p[truth == 1] >= point).mean()), 4), "specificity": round(float((p[truth == 0] < point).mean()), 4),
    }


def calibrate(scores: Path, source: str | None, method: str, specificity: float | None) -> dict:
    truth, difference = read_scores(scores, source, "tune")
    a, c = fit(truth, difference, method)
    point = operating_point(truth, sigmoid(a * difference + c), specificity)
    rule = "largest Youden index" if specificity is None else f"specificity of at least {specificity}"
    result = {"method": method, "source": source or "all", "a": a, "c": c, "operating_point": point, "rule": rule}
    return result | {part: figures(*read_scores(scores, source, part), a, c, point) for part in ("tune", "check")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--method", choices=("platt", "temperature"), default="platt")
    parser.add_argument("--source", default=FINDINGS_SOURCE, help="or `all`")
    parser.add_argument("--specificity", type=float)
    a = parser.parse_args()
    result = calibrate(a.out / "scores.csv", None if a.source == "all" else a.source, a.method, a.specificity)
    (a.out / "calibration.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
