"""Puts the head that `cxr-gateway train-head` trained on a run's backbone into the run: the paper's step, on weights of one's own.

    python export.py OUT films backbone/resnet101-airspace-opacity --version 0          # the backbone, as the gateway reads it
    cxr-gateway train-head --images adults.csv --root data --backbone backbone/resnet101-airspace-opacity --id head --out heads
    python with_head.py OUT films heads/head OUT2 --held 250                             # then calibrate.py and export.py on OUT2

OUT2 is a run like OUT: its weights have the new head, its scores are those of that head, and its log.json says which it was. The head must
have been trained on `train` groups alone.
"""
import argparse
import json
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

import outcome
from dataset import films_of, scores
from metrics import by_group, sigmoid
from network import FEATURES, Network, load_plain
from preprocess import load_steps

SIZE = 224


def head_of(folder: Path) -> dict[str, torch.Tensor]:
    """`fc.weight` (2, 2048) and `fc.bias` (2,). Raises ValueError for a model without such a head."""
    tensors = {t.name: numpy_helper.to_array(t) for t in onnx.load(folder / "weights.onnx").graph.initializer}
    found = {f"fc.{name}": torch.from_numpy(tensors[f"head.{name}"].copy()) for name in ("weight", "bias") if f"head.{name}" in tensors}
    shapes = {name: tuple(value.shape) for name, value in found.items()}
    if shapes != {"fc.weight": (2, FEATURES), "fc.bias": (2,)}:
        raise ValueError(f"{folder}: a head of (2, {FEATURES}) and (2,) expected, got {shapes}")
    return found


def scores_with(network: Network, pack: Path, held: int | None) -> tuple[list[dict], list[tuple[int, str]], torch.Tensor]:
    films = films_of(pack, 256, "cpu", held)
    chosen = [(i, part) for part in ("tune", "check") for i in films.held[part]]
    return films.rows, chosen, scores(network, films, [i for i, _ in chosen], SIZE, load_steps())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("pack", type=Path, help="a pack of films.py, without ending")
    parser.add_argument("head", type=Path, help="model folder that train-head wrote")
    parser.add_argument("out", type=Path)
    parser.add_argument("--held", type=int)
    a = parser.parse_args()
    weights = torch.load(outcome.join_weights(a.run), map_location="cpu", weights_only=True) | head_of(a.head)
    network = Network()
    load_plain(network, weights)
    rows, chosen, difference = scores_with(network, a.pack, a.held)
    log = json.loads((a.run / "log.json").read_text())
    log["head"] = {"command": "train-head", "model": json.loads((a.head / "model.json").read_text())["id"]}
    for part in ("tune", "check"):
        at = [k for k, (_, of) in enumerate(chosen) if of == part]
        log["head"][part] = by_group([rows[chosen[k][0]] for k in at], sigmoid(difference[at].numpy()))
    a.out.mkdir(parents=True)
    (a.out / "log.json").write_text(json.dumps(log, indent=1))
    outcome.write_scores(a.out / "scores.csv", rows, chosen, difference.numpy())
    outcome.write_weights(a.out, weights)
    print(json.dumps(log["head"]))


if __name__ == "__main__":
    main()
