"""Rebuilds the paper's partition from the public label tables, where you have them, and draws it as the paper's Figure 1.

    python partition.py --nih Data_Entry_2017.csv --adjudicated validation_labels.csv test_labels.csv --covid covid.csv OUT

`--nih` is the table of ChestX-ray14 (`Image Index`, `Finding Labels`, `Patient ID`); `--adjudicated` are Google's labels for four
findings (`Image Index`, `Patient ID`, `Airspace opacity`: YES or NO); `--covid` names confirmed COVID-19 films, one a row (`file`).
Writes OUT/partition.csv (`file,label,group,part`), which `train-head` and `evaluate` read, and OUT/figure1.svg and .png.

The paper's counts are asked for; with others nothing is written, unless `--allow-difference`. As published today the adjudicated
tables are documented to hold 4,374 films, the paper counts 4,376: a difference of 2 is to be expected. Which films fell on which
side, and which 5,828 without finding were taken, the paper does not tell: here a seed decides, patients stay on one side of the
split where `--by-patient` says so, and no patient of training is in the test.
"""
import argparse
import csv
import random
import sys
from collections import Counter
from pathlib import Path

import figure

PAPER = {
    ("training", "opacity"): 1516, ("training", "none"): 1547,
    ("validation", "opacity"): 650, ("validation", "none"): 663,
    ("test", "covid"): 154, ("test", "none"): 5828,
}
TRAINING_SHARE = 0.7
SEED = 2020


def read(path: Path, columns: tuple[str, ...]) -> list[dict]:
    """Rows of a table. Raises ValueError for a missing column or no rows."""
    with open(path, newline="", encoding="utf-8-sig") as f:
        reader = csv.DictReader(f)
        missing = [name for name in columns if name not in (reader.fieldnames or [])]
        if missing:
            raise ValueError(f"{path}: no column {', '.join(missing)}")
        rows = list(reader)
    if not rows:
        raise ValueError(f"{path}: no rows")
    return rows


def adjudicated(paths: list[Path]) -> list[dict]:
    """file, label, group of each adjudicated film; every film once. Raises ValueError where two tables contradict each other."""
    found: dict[str, dict] = {}
    for path in paths:
        for row in read(path, ("Image Index", "Patient ID", "Airspace opacity")):
            label = {"YES": "opacity", "NO": "none"}.get(row["Airspace opacity"].strip())
            if label is None:
                continue  # not among the adjudicated films
            entry = {"file": row["Image Index"], "label": label, "group": patient(row)}
            if found.setdefault(entry["file"], entry) != entry:
                raise ValueError(f"{path}: {entry['file']} has another label or patient than before")
    return [found[file] for file in sorted(found)]


def patient(row: dict) -> str:
    """Some tables write 00000013, some 13."""
    return row["Patient ID"].strip().lstrip("0") or "0"


def split(films: list[dict], by_patient: bool, seed: int) -> list[dict]:
    """70 % of each label for training, as the paper; or whole patients, which comes as near as they allow."""
    chooser, parts = random.Random(seed), {}
    for label in ("opacity", "none"):
        of_label = [film for film in films if film["label"] == label]
        wanted = int(TRAINING_SHARE * len(of_label))
        names = sorted({film["group" if by_patient else "file"] for film in of_label})
        chooser.shuffle(names)
        for name in names:
            members = [f for f in of_label if f["group" if by_patient else "file"] == name]
            key = (name, None if by_patient else label)
            if key not in parts:
                parts[key] = "training" if wanted > 0 else "validation"
            wanted -= len(members) if parts[key] == "training" else 0
    return [film | {"part": parts[film["group"] if by_patient else film["file"], None if by_patient else film["label"]]} for film in films]


def without_finding(nih: list[dict], seen: set[str], number: int, seed: int) -> list[dict]:
    """`number` films labelled No Finding, of patients that no adjudicated film shows."""
    free = sorted(row["Image Index"] for row in nih if row["Finding Labels"] == "No Finding" and patient(row) not in seen)
    group = {row["Image Index"]: patient(row) for row in nih}
    if len(free) < number:
        number = len(free)
    return [{"file": file, "label": "none", "group": group[file], "part": "test"} for file in sorted(random.Random(seed).sample(free, number))]


def partition(nih: Path, labels: list[Path], covid: Path, by_patient: bool, seed: int) -> list[dict]:
    films = split(adjudicated(labels), by_patient, seed)
    table = read(nih, ("Image Index", "Finding Labels", "Patient ID"))
    unknown = {film["file"] for film in films} - {row["Image Index"] for row in table}
    if unknown:
        raise ValueError(f"{nih}: {len(unknown)} adjudicated films are not in it, for example {min(unknown)}")
    confirmed = [{"file": row["file"], "label": "covid", "group": row.get("group") or row["file"], "part": "test"} for row in read(covid, ("file",))]
    return films + confirmed + without_finding(table, {film["group"] for film in films}, PAPER["test", "none"], seed)


def differences(films: list[dict]) -> list[str]:
    """One sentence for each count that is not the paper's."""
    counts = Counter((film["part"], film["label"]) for film in films)
    return [f"{part} {label}: {counts[part, label]}, the paper has {number}" for (part, label), number in PAPER.items()
            if counts[part, label] != number]


def write(films: list[dict], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "partition.csv", "w", newline="") as f:
        writer = csv.DictWriter(f, ("file", "label", "group", "part"))
        writer.writeheader()
        writer.writerows(films)
    counts = Counter((film["part"], film["label"]) for film in films)
    figure.draw(counts, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nih", type=Path, required=True)
    parser.add_argument("--adjudicated", type=Path, nargs="+", required=True)
    parser.add_argument("--covid", type=Path, required=True)
    parser.add_argument("--by-patient", action="store_true", help="keep patients on one side; the counts then differ a little")
    parser.add_argument("--allow-difference", action="store_true")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("out", type=Path)
    a = parser.parse_args()
    try:
        films = partition(a.nih, a.adjudicated, a.covid, a.by_patient, a.seed)
    except (ValueError, OSError) as problem:
        sys.exit(str(problem))
    found = differences(films)
    if found and not a.allow_difference:
        sys.exit("not the paper's partition, nothing written (--allow-difference writes it all the same):\n" + "\n".join(found))
    write(films, a.out)
    print("\n".join(found or ["the paper's counts"]))


if __name__ == "__main__":
    main()
