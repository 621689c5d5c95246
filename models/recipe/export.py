"""Makes a model folder out of a training run: graph, manifest, known answers, card, and the digests of what was seen.

    python export.py OUT films ../resnet101-airspace-opacity --version 1 [--plain] [--films 200]

Stops, and leaves no folder, when PyTorch and ONNX Runtime differ by more than 1e-4 on any of the films, or when the run was
trained with other steps than those of preprocess.json. The folded graph is the default; `--plain` keeps the normalisations.
"""
import argparse
import hashlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import torch

import card
import contract
from calibrate import fold
from films import load_rows
from golden import SEEDS, TOLERANCE, golden_film
from graph import build, open_session
from network import FEATURES, Network, load_plain, plain_state
from outcome import join_weights
from preprocess import load_steps, prepare, radiograph_of
from split import part_of

MOST_DIFFERENCE = 1e-4
HEAT_PERCENTILE = 95


def trained_network(out: Path, calibration: dict | None) -> Network:
    """The network of a run, its calibration folded into the last layer."""
    network = Network().eval()
    load_plain(network, torch.load(join_weights(out), map_location="cpu", weights_only=True))
    if calibration:
        weight, bias = (value.detach().double().numpy() for value in (network.fc.weight, network.fc.bias))
        weight, bias = fold(weight, bias, calibration["a"], calibration["c"])
        with torch.no_grad():
            network.fc.weight.copy_(torch.from_numpy(weight))
            network.fc.bias.copy_(torch.from_numpy(bias))
    return network


def films_of(pack: Path, most: int, part: str) -> tuple[list[dict], list[np.ndarray]]:
    """Packed films of a part, spread over it, in 0..1."""
    rows = load_rows(pack)
    ends = np.cumsum([int(row["bytes"]) for row in rows])
    at = [i for i, row in enumerate(rows) if part_of(row["group"]) == part]
    at = [at[i * len(at) // most] for i in range(most)] if len(at) > most else at
    with open(pack.with_suffix(".bin"), "rb") as blob:
        films = []
        for i in at:
            blob.seek(int(ends[i]) - int(rows[i]["bytes"]))
            films.append(radiograph_of(io.BytesIO(blob.read(int(rows[i]["bytes"])))))
    return [rows[i] for i in at], films


def grad_cam(network: Network, film: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities (2,), features and Grad-CAM (7, 7) of one prepared film by PyTorch: the map by a real backward pass.

    Grad-CAM of p(opacity) has the factor p₀·p₁/(H·W), which is taken out: it is the same in every cell.
    """
    maps = network.last_feature_map(torch.from_numpy(film[None])).detach().requires_grad_()
    features = maps.mean((2, 3))
    probabilities = torch.softmax(network.fc(features), 1)[0]
    (slope,) = torch.autograd.grad(probabilities[1], maps)
    weights = slope.double().mean((2, 3), keepdim=True)
    found = (weights * maps.double()).sum(1).relu()[0].detach().numpy()
    none, opacity = probabilities.detach().double().numpy()
    return np.array([none, opacity]), features[0].detach().numpy(), found * maps.shape[2] * maps.shape[3] / (none * opacity)


def difference_of(network: Network, session, films: list[np.ndarray] | np.ndarray) -> dict[str, float]:
    """Largest differences between PyTorch and ONNX Runtime: of p; of map and features as shares of the film's largest value."""
    worst = {"probability": 0.0, "map": 0.0, "features": 0.0}
    for film in films:
        p, features, heat = grad_cam(network, film)
        got_p, got_map, got_features = session.run([contract.PROBABILITIES, contract.MAP, contract.FEATURES], {contract.INPUT: film[None]})
        pairs = {"probability": (got_p[0], p, 1.0), "map": (got_map[0, 0], heat, heat.max()), "features": (got_features[0], features, features.max())}
        for key, (got, expected, scale) in pairs.items():
            worst[key] = max(worst[key], float(np.abs(got - expected).max() / max(scale, 1e-6)))
    return worst


def heat_scale(session, films: list[np.ndarray]) -> float:
    """Map value of the deepest red: the 95th percentile of the hottest cells of films with opacity."""
    peaks = [float(session.run([contract.MAP], {contract.INPUT: film[None]})[0].max()) for film in films]
    return float(max(np.percentile(peaks, HEAT_PERCENTILE), 1e-3)) if peaks else 1.0


def export_record(weights: bytes, differences: dict, calibration: dict | None, heat_films: int) -> dict:
    """export.json: what was compared while these weights were written. `npm run card` reads it."""
    return {"weights_sha256": hashlib.sha256(weights).hexdigest(), "torch": str(torch.__version__), "onnxruntime": onnxruntime.__version__,
            "films": differences["films"], "differences": {key: differences[key] for key in ("probability", "map", "features")},
            "heat": {"percentile": HEAT_PERCENTILE, "films": heat_films}, "calibration": calibration}


def golden_answers(network: Network, steps: list[dict]) -> dict:
    with torch.no_grad():
        scores = [torch.softmax(network(torch.from_numpy(prepare(golden_film(seed), steps)[None]))[0], 1)[0, 1].item() for seed in SEEDS]
    return {"tolerance": TOLERANCE, "cases": [{"seed": seed, "probability": round(p, 6)} for seed, p in zip(SEEDS, scores)]}


def training_digests(pack: Path) -> dict[str, list[str]]:
    """What the model has seen while it was made, `tune` included, as `evaluate` asks for it: digests of files and of groups."""
    rows = [row for row in load_rows(pack) if part_of(row["group"]) != "check"]
    return {"films": sorted({row["sha256"] for row in rows}),
            "groups": sorted({hashlib.sha256(row["group"].encode()).hexdigest() for row in rows})}


def export(a: argparse.Namespace) -> dict:
    log = json.loads((a.out / "log.json").read_text())
    steps = load_steps()
    if log["preprocess"] != steps:
        raise ValueError(f"{a.out} was trained with other steps than those of preprocess.json: {log['preprocess']}")
    if log["final"]["size"] != contract.INPUT_SHAPE[-1] and not a.any_size:
        raise ValueError(f"{a.out} was last trained and scored at {log['final']['size']} px: its calibration does not hold at 224")
    calibrated = a.out / "calibration.json"
    calibration = json.loads(calibrated.read_text()) if calibrated.exists() else None
    network = trained_network(a.out, calibration)
    weights = build(plain_state(network), folded=not a.plain, says="ResNet-101, airspace opacity. Research use only.").SerializeToString()
    session = open_session(weights)
    rows, films = films_of(a.pack, a.films, "tune")
    prepared = [prepare(film, steps) for film in films]
    differences = difference_of(network, session, prepared) | {"films": len(prepared)}
    if not differences["probability"] <= MOST_DIFFERENCE:
        raise ValueError(f"PyTorch and ONNX Runtime differ: {differences}")
    positive = [film for row, film in zip(rows, prepared) if row["label"] == "opacity"]
    heat = heat_scale(session, positive)
    manifest = contract.manifest_of(
        model_id=a.folder.name, name="ResNet-101, airspace opacity", version=a.version, training="trained",
        sha256=hashlib.sha256(weights).hexdigest(), steps=steps, features=FEATURES, heat_max=heat,
        operating_point=calibration["operating_point"] if calibration else 0.5) | {"golden": "golden.json"}
    write_folder(a.folder, weights, {"model.json": manifest, "golden.json": golden_answers(network, steps),
                                     "training-digests.json": training_digests(a.pack), "log.json": log,
                                     "export.json": export_record(weights, differences, calibration, len(positive))}, card.card(manifest))
    return differences


def write_folder(folder: Path, weights: bytes, documents: dict[str, dict], text: str) -> None:
    """All or nothing: built beside the place where it will stand. What stood there is replaced."""
    new = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    (new / "weights.onnx").write_bytes(weights)
    for name, document in documents.items():
        contract.write_json(new / name, document)
    (new / "CARD.md").write_text(text)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the folder of a training run: weights or their parts, log.json, calibration.json")
    parser.add_argument("pack", type=Path, help="the pack it was trained on, without ending")
    parser.add_argument("folder", type=Path, help="the model folder to make; its name becomes the id")
    parser.add_argument("--version", default="1")
    parser.add_argument("--films", type=int, default=200, help="how many to compare PyTorch with ONNX Runtime on")
    parser.add_argument("--any-size", action="store_true", help="to try things out: take a run that did not end at 224 px")
    parser.add_argument("--plain", action="store_true", help="keep the normalisations as nodes")
    a = parser.parse_args()
    print(f"{a.folder}: largest differences between PyTorch and ONNX Runtime {export(a)}")


if __name__ == "__main__":
    main()
