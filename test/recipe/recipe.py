"""Runs a part of the recipe for `recipe.test.ts`: `recipe.py FUNCTION`, arguments as JSON on standard input, answer as JSON."""
import ast
import csv
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

RECIPE = Path(__file__).resolve().parents[2] / "models" / "recipe"
sys.path.insert(0, str(RECIPE))

import numpy as np  # noqa: E402

import calibrate  # noqa: E402
import contract  # noqa: E402
import films  # noqa: E402
import golden  # noqa: E402
import metrics  # noqa: E402
import partition  # noqa: E402
import preprocess  # noqa: E402
import sampler  # noqa: E402
import split  # noqa: E402


def sources():
    """Names of the sources; raises SyntaxError for one that does not compile."""
    files = sorted(RECIPE.glob("*.py"))
    for file in files:
        compile(ast.parse(file.read_text(), str(file)), str(file), "exec")
    return [file.name for file in files]


def prepared(columns, rows, steps, file, out):
    film = np.fromfile(file, "<f4").reshape(rows, columns)
    preprocess.prepare(film, steps or preprocess.load_steps()).astype("<f4").tofile(out)


def golden_film(seed, out):
    golden.golden_film(seed).astype("<f4").tofile(out)


def table_rows(text):
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "radiographs.csv"
        table.write_text(text)
        try:
            return [row["file"] for row in films.rows_of(table)]
        except ValueError as problem:
            return str(problem)


def parts(groups):
    return [split.part_of(group) for group in groups]


def shares(rows):
    """Sampling share of each source/view/label."""
    found = Counter()
    for row, weight in zip(rows, sampler.sampling_weights(rows)):
        found["/".join((row["source"], row["view"], row["label"]))] += weight
    return found


def calibrated(truth, difference):
    """Fit, folding, and figures of a made-up score."""
    truth, difference = np.array(truth), np.array(difference)
    a, c = calibrate.fit(truth, difference, "platt")
    features = np.stack([difference, np.ones_like(difference)], 1)
    weight, bias = calibrate.fold(np.array([[-0.5, 0.1], [0.5, 0.1]]), np.array([0.25, 0.25]), a, c)
    logits = features @ weight.T + bias
    p = metrics.sigmoid(a * difference + c)
    return {"a": a, "c": c, "fold": float(np.abs(logits[:, 1] - logits[:, 0] - (a * difference + c)).max()),
            "auc": [metrics.auc(truth, difference), metrics.auc(truth, p)],
            "ece": [metrics.calibration_error(truth, metrics.sigmoid(difference)), metrics.calibration_error(truth, p)],
            "point": calibrate.operating_point(truth, p, None)}


def turned():
    try:
        return calibrate.fit(np.array([1, 1, 0, 0]), np.array([-2.0, -1.0, 1.0, 2.0]), "platt")
    except ValueError as problem:
        return str(problem)


def manifest(steps):
    return contract.manifest_of(model_id="made-up", name="Made up", version="1", training="trained", sha256="0" * 64,
                                steps=steps, features=2048, operating_point=0.31, heat_max=3.14159)


def names():
    return {"input": contract.INPUT, "probabilities": contract.PROBABILITIES, "map": contract.MAP, "features": contract.FEATURES,
            "lastFeatureMap": contract.LAST_FEATURE_MAP, "opset": contract.OPSET}


def write_csv(path, head, rows):
    with open(path, "w", newline="") as f:
        csv.writer(f).writerows([head, *rows])


def partitioned(opacity, none, by_patient):
    """The partition of made-up tables with so many adjudicated films, one in two patients showing two of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        number = opacity + none
        known = [(f"{i:08}_000.png", f"{i * 2 // 3:08}", "YES" if i < opacity else "NO") for i in range(number)]
        free = [(f"{i:08}_000.png", "No Finding", f"{i:08}") for i in range(20000, 26000)]
        write_csv(folder / "a.csv", ("Image Index", "Patient ID", "Airspace opacity"), known)
        write_csv(folder / "nih.csv", ("Image Index", "Finding Labels", "Patient ID"), [*((i, "No Finding", p) for i, p, _ in known), *free])
        write_csv(folder / "covid.csv", ("file",), [(f"c{i}.png",) for i in range(154)])
        found = partition.partition(folder / "nih.csv", [folder / "a.csv"], folder / "covid.csv", by_patient, partition.SEED)
        partition.write(found, folder / "out")
        sides = {}
        for film in found:
            sides.setdefault(film["group"], set()).add(film["part"])
        return {"differences": partition.differences(found),
                "torn": sum(len(of) > 1 for of in sides.values()),
                "trainedAndTested": sum("test" in of and len(of) > 1 for of in sides.values()),
                "svg": (folder / "out" / "figure1.svg").read_text(),
                "written": sorted(path.name for path in (folder / "out").iterdir())}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](**json.load(sys.stdin))))
