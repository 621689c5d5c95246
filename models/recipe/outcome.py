"""What a training run leaves behind: log.json, the checkpoint, the scores of held-out films, and the weights in parts.

Only `weights.part*`, `log.json` and `scores.csv` are worth bringing home (some 90 MB); `last.pt` stays where it is.
"""
import csv
import hashlib
import json
import os
import platform
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from dataset import Films, scores, settle
from metrics import by_group, sigmoid
from network import FULL, Network, at_half, load_plain, plain_state

PART_BYTES = 15 * 1024 * 1024
WEIGHTS = "weights.pt"
SCORE_COLUMNS = ("file", "label", "source", "view", "group", "part", "difference")


def new_log(films: Films, steps: list[dict]) -> dict:
    """`epochs` looks at `tune` alone. `final` has `check` too: a figure to report when the plan is done, never one to choose by."""
    cells = Counter((part, r["source"], r["view"], r["label"]) for part, at in films.part.items() for r in (films.rows[i] for i in at))
    data = [{"part": p, "source": s, "view": v, "label": label, "films": n} for (p, s, v, label), n in sorted(cells.items())]
    return {"preprocess": steps, "data": data, "runs": [], "epochs": [], "final": None}


def run_entry(a, device: str) -> dict:
    settings = {key: value if isinstance(value, (int, float, str, bool)) else str(value) for key, value in vars(a).items()}
    settings |= {"pack": a.pack.name, "out": a.out.name}
    hardware = torch.cuda.get_device_name() if device == "cuda" else f"{platform.machine()}, {torch.get_num_threads()} threads"
    return {"settings": settings, "device": hardware, "torch": str(torch.__version__)}


def report(out: Path, run, films: Films, line: dict, steps: list[dict]) -> None:
    """One line of log.json: held-out AUC by source and view, and a checkpoint that is whole or not there."""
    found = sigmoid(scores(run.average, films, films.held["tune"], line["size"], steps).numpy())
    epoch = progress(run, films)
    epoch |= {key: round(value, 4) if isinstance(value, float) else value for key, value in line.items()}
    epoch["tune"] = by_group([films.rows[i] for i in films.held["tune"]], found)
    run.log["epochs"].append(epoch)
    print(json.dumps(epoch), flush=True)
    save(out, run)


def progress(run, films: Films) -> dict:
    """An epoch is as many films as there are to train on."""
    return {"epoch": round(run.films / len(films.part["train"]), 1), "step": run.step, "minutes": round(run.seconds / 60, 2)}


def save(out: Path, run) -> None:
    write_whole(out / "log.json", json.dumps(run.log, indent=1).encode())
    state = {"blocks": list(run.network.blocks), "network": run.network.state_dict(), "average": run.average.state_dict(),
             "optimiser": run.optimiser.state_dict(), "step": run.step, "films": run.films, "seconds": run.seconds,
             "log": run.log}
    torch.save(state, out / "last.pt.new")
    os.replace(out / "last.pt.new", out / "last.pt")


def load(checkpoint: Path, run, steps: list[dict], device: str) -> None:
    """Raises ValueError when the checkpoint was trained on films that were prepared in another way."""
    state = torch.load(checkpoint, map_location=device, weights_only=True)
    if state["log"]["preprocess"] != steps:
        raise ValueError(f"{checkpoint} was trained with other steps than those of preprocess.json: {state['log']['preprocess']}")
    run.grow(tuple(state["blocks"]))
    run.network.load_state_dict(state["network"])
    run.average.load_state_dict(state["average"])
    run.optimiser.load_state_dict(state["optimiser"])
    run.step, run.films, run.seconds, run.log = (state[key] for key in ("step", "films", "seconds", "log"))


def finish(out: Path, run, films: Films, size: int, steps: list[dict], settling: list[int]) -> None:
    """Weights as they ship, and the scores of just these: the rounding to half precision is in every figure.

    A run that was stopped before its plan's end is whole here too: what is not yet grown is the identity.
    """
    shipped = Network(run.average.blocks).to(films.pixels.device, memory_format=torch.channels_last)
    load_plain(shipped, at_half(plain_state(run.average)))
    shipped.grow(FULL)
    settle(shipped, films, settling, size, steps)
    weights = at_half(plain_state(shipped))
    load_plain(shipped, weights)
    load_plain(shipped, weights)
    held = [(i, part) for part in ("tune", "check") for i in films.held[part]]
    difference = scores(shipped, films, [i for i, _ in held], size, steps).numpy()
    run.log["final"] = progress(run, films) | {"size": size}
    for part in ("tune", "check"):
        at = [k for k, (_, of) in enumerate(held) if of == part]
        run.log["final"][part] = by_group([films.rows[held[k][0]] for k in at], sigmoid(difference[at]))
    print(json.dumps(run.log["final"]), flush=True)
    write_scores(out / "scores.csv", films.rows, held, difference)
    save(out, run)
    write_weights(out, weights)


def write_scores(path: Path, rows: list[dict], held: list[tuple[int, str]], difference: np.ndarray) -> None:
    with open(path, "w", newline="") as f:
        writer = csv.DictWriter(f, SCORE_COLUMNS)
        writer.writeheader()
        for (i, part), value in zip(held, difference):
            kept = {key: rows[i][key] for key in SCORE_COLUMNS[:5]}
            writer.writerow(kept | {"part": part, "difference": f"{value:.6f}"})


def write_weights(out: Path, weights: dict[str, torch.Tensor]) -> None:
    """weights.pt; weights.part00, 01, ... for a way home that takes few bytes at once; and the digest of the whole."""
    torch.save(weights, out / WEIGHTS)
    blob = (out / WEIGHTS).read_bytes()
    for old in out.glob("weights.part*"):
        old.unlink()
    for number, start in enumerate(range(0, len(blob), PART_BYTES)):
        write_whole(out / f"weights.part{number:02}", blob[start:start + PART_BYTES])
    write_whole(out / "weights.sha256", f"{hashlib.sha256(blob).hexdigest()}  {WEIGHTS}\n".encode())


def join_weights(out: Path) -> Path:
    """weights.pt out of its parts, checked against its digest. Raises ValueError when a part is missing or torn."""
    expected = (out / "weights.sha256").read_text().split()[0]
    if not (out / WEIGHTS).exists():
        write_whole(out / WEIGHTS, b"".join(part.read_bytes() for part in sorted(out.glob("weights.part*"))))
    if hashlib.sha256((out / WEIGHTS).read_bytes()).hexdigest() != expected:
        (out / WEIGHTS).unlink()
        raise ValueError(f"{out}: the parts do not make the weights that were written; fetch them again")
    return out / WEIGHTS


def write_whole(path: Path, content: bytes) -> None:
    path.with_suffix(path.suffix + ".new").write_bytes(content)
    os.replace(path.with_suffix(path.suffix + ".new"), path)
