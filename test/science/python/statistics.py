"""The statistics of `evaluate` written once more, the slow and plain way: every pair, every root, every bin. numpy only.

stdin: {"score": [...], "positive": [...], "threshold": t}; stdout: one JSON object.
"""
import json
import sys

import numpy as np

Z = 1.959963984540054
job = json.load(sys.stdin)
score = np.array(job["score"], dtype=float)
positive = np.array(job["positive"], dtype=bool)
x, y = score[positive], score[~positive]

# DeLong 1988, equations 1 to 5: psi for every pair, its means by row and by column, their sample covariances.
psi = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
auc = psi.mean()
v10, v01 = psi.mean(axis=1), psi.mean(axis=0)
error = np.sqrt(np.var(v10, ddof=1) / len(x) + np.var(v01, ddof=1) / len(y))


def wilson(k, n):
    """The roots of (p - k/n)^2 = z^2 p (1 - p) / n."""
    share = k / n
    return sorted(np.roots([1 + Z**2 / n, -(2 * share + Z**2 / n), share**2]).real.tolist())


present = score >= job["threshold"]
tp, fn = int((present & positive).sum()), int((~present & positive).sum())
tn, fp = int((~present & ~positive).sum()), int((present & ~positive).sum())

edges = np.arange(11) / 10  # linspace would put 0.3 below its own edge
ece = 0.0
for low, high in zip(edges[:-1], edges[1:]):
    inside = (score >= low) & ((score < high) | (high == 1.0))
    if inside.any():
        ece += inside.mean() * abs(positive[inside].mean() - score[inside].mean())

# The area under the drawn curve: the trapezoids must give the pairs' figure, ties and all.
thresholds = np.concatenate([[np.inf], np.unique(score)[::-1]])
tpr = [(x >= t).mean() for t in thresholds]
fpr = [(y >= t).mean() for t in thresholds]
youden = int(np.argmax(np.array(tpr) - np.array(fpr)))

print(
    json.dumps(
        {
            "auc": auc,
            "standardError": error,
            "trapezoids": float(np.trapezoid(tpr, fpr)),
            "tpr": tpr,
            "fpr": fpr,
            "youden": thresholds[youden] if np.isfinite(thresholds[youden]) else None,
            "confusion": [tp, fn, tn, fp],
            "sensitivity": wilson(tp, tp + fn),
            "specificity": wilson(tn, tn + fp),
            "ece": ece,
            "brier": float(((score - positive) ** 2).mean()),
        }
    )
)
