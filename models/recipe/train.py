"""Trains a ResNet-101 from nothing on a pack, and writes its averaged weights in half precision, whole and in parts.

    python train.py films OUT --minutes 1 --of 25                  # a GPU: look at OUT/log.json and at the films a second
    python train.py films OUT --minutes 8 --of 25 --resume         # goes on where it stopped, as often as you like
    python train.py films OUT --minutes 150 --schedule 64:.45,96:.35,128:.15,224:.05     # two cores, sizes growing

`--of` is the length of the whole plan: the learning rate falls to nothing there, whatever the number of commands.
The head that ships is opacity against none. A second head learns the 14 NIH findings, so that the features see adult disease;
`other` films train only that. `tune` and `check` groups are never trained on (`split.py`).
"""
import argparse
import copy
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

import outcome
from augment import BLOCK, Augmenter
from batches import crop_fraction
from dataset import NO_ANSWER, Films, films_of
from network import Network
from preprocess import load_steps
from sampler import Sampler

LABEL_SMOOTHING = 0.05
FINDINGS_WEIGHT = 0.5
WARM_UP = 0.04


@dataclass
class Run:
    """What a checkpoint holds."""

    network: Network
    average: Network
    optimiser: torch.optim.Optimizer
    log: dict
    step: int = 0
    seconds: float = 0.0


def schedule_of(text: str) -> list[tuple[int, float]]:
    """`64:.5,96:.5` as [(64, .5), (96, 1.)]: the size of the input up to that share of the plan."""
    pairs, end = [], 0.0
    for part in text.split(","):
        size, share = part.split(":")
        end += float(share)
        if int(size) % BLOCK or int(size) < 32:
            raise ValueError(f"size {size}: a multiple of {BLOCK} from 32 on")
        pairs.append((int(size), end))
    if abs(end - 1) > 1e-6:
        raise ValueError(f"the shares of {text} sum to {end}, not to 1")
    return pairs


def size_at(schedule: list[tuple[int, float]], share: float) -> int:
    return next((size for size, end in schedule if share < end), schedule[-1][0])


def rate_at(share: float) -> float:
    """Linear warm-up, then half a cosine to nothing."""
    return min(1.0, share / WARM_UP) * 0.5 * (1 + math.cos(math.pi * min(1.0, share))) + 1e-3


def loss_of(network: Network, x: torch.Tensor, target: torch.Tensor, findings: torch.Tensor) -> torch.Tensor:
    logits, other = network(x)
    answered, known = target >= 0, ~torch.isnan(findings)
    opacity = F.cross_entropy(logits.float(), target, label_smoothing=LABEL_SMOOTHING, ignore_index=NO_ANSWER, reduction="sum")
    second = F.binary_cross_entropy_with_logits(other.float(), findings.nan_to_num(0), reduction="none") * known
    return opacity / answered.sum().clamp(min=1) + FINDINGS_WEIGHT * second.sum() / known.sum().clamp(min=1)


def train_step(run: Run, films: Films, picked: torch.Tensor, x: torch.Tensor, horizon: float) -> torch.Tensor:
    run.network.train()
    with torch.autocast(x.device.type, torch.bfloat16, enabled=x.device.type == "cuda"):
        loss = loss_of(run.network, x, films.target[picked], films.findings[picked])
    run.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(run.network.parameters(), 1.0)
    run.optimiser.step()
    run.step += 1
    follow(run.average, run.network, min(1 - 1 / horizon, (1 + run.step) / (20 + run.step)))
    return loss.detach()


@torch.no_grad()
def follow(average: Network, network: Network, keep: float) -> None:
    """Moves the average towards the network, statistics of the normalisations included."""
    pairs = list(zip(average.state_dict().values(), network.state_dict().values()))
    floating = [(a, b) for a, b in pairs if a.is_floating_point()]
    torch._foreach_lerp_([a for a, _ in floating], [b for _, b in floating], 1 - keep)
    for a, b in pairs:
        if not a.is_floating_point():
            a.copy_(b)


def train(a: argparse.Namespace, run: Run, films: Films, steps: list[dict], device: str) -> None:
    """Goes on until this command's minutes are over or the plan is done."""
    sampler, augment = Sampler(films.rows, films.part["train"], a.seed), Augmenter(steps, device, a.seed, a.flip)
    an_epoch = max(1, len(films.part["train"]) // a.batch)
    schedule, plan, before, began = schedule_of(a.schedule), 60 * a.of, run.seconds, time.monotonic()
    losses, reported, reported_step = [], before, run.step
    while run.seconds < min(plan, before + 60 * a.minutes):
        share = run.seconds / plan
        size = size_at(schedule, share)
        for group in run.optimiser.param_groups:
            group["lr"] = a.rate * rate_at(share)
        picked = torch.from_numpy(sampler.batch(run.step, a.batch)).to(device)
        losses.append(train_step(run, films, picked, augment(films.pixels[picked], size, run.step), a.horizon))
        if len(losses) % 20 == 0 and device == "cuda":
            torch.cuda.synchronize()
        run.seconds = before + time.monotonic() - began
        if run.step % an_epoch == 0 and run.seconds - reported >= a.report_seconds:
            pace = (run.step - reported_step) * a.batch / (run.seconds - reported)
            outcome.report(a.out, run, films, {"size": size, "loss": float(torch.stack(losses).mean()), "films_per_second": pace}, steps, an_epoch)
            losses, reported, reported_step = [], run.seconds, run.step
    outcome.finish(a.out, run, films, schedule[-1][0], steps, an_epoch)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path, help="a pack of films.py, without ending")
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=20, help="of this command")
    parser.add_argument("--of", type=float, help="minutes of the whole plan; default: what is done and this command")
    parser.add_argument("--resume", action="store_true", help="go on from OUT/last.pt")
    parser.add_argument("--schedule", default="224:1")
    parser.add_argument("--batch", type=int, help="default 128 on a GPU, 32 on a CPU")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--horizon", type=float, help="steps of the average; default 1000 on a GPU, 300 on a CPU")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report-seconds", type=float, default=20, help="at most one report in so many seconds, at the end of an epoch")
    parser.add_argument("--flip", action="store_true", help="mirror half of the films (see augment.py)")
    return parser.parse_args()


def main() -> None:
    a = arguments()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    a.batch = a.batch or (128 if device == "cuda" else 32)
    a.horizon = a.horizon or (1000 if device == "cuda" else 300)
    steps = load_steps()
    torch.manual_seed(a.seed)
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    a.out.mkdir(parents=True, exist_ok=True)
    largest = max(size for size, _ in schedule_of(a.schedule))
    films = films_of(a.pack, min(256, round(1.1 * largest / crop_fraction(steps))), device)
    network = Network().to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=a.rate, weight_decay=a.decay, fused=device == "cuda")
    run = Run(network, copy.deepcopy(network), optimiser, outcome.new_log(films, steps))
    if a.resume:
        outcome.load(a.out / "last.pt", run, steps, device)
    a.of = a.of or run.seconds / 60 + a.minutes
    run.log["runs"].append(outcome.run_entry(a, device))
    train(a, run, films, steps, device)


if __name__ == "__main__":
    main()
