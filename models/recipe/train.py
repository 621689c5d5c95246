"""Trains a ResNet-101 from nothing on a pack, and writes its averaged weights in half precision, whole and in parts.

    python train.py films OUT --minutes 1 --of 25                  # a GPU: look at OUT/log.json and at the films a second
    python train.py films OUT --minutes 8 --of 25 --resume         # goes on where it stopped, as often as you like
    python train.py films OUT --minutes 150 --schedule 64:.3:2-2-2-2,96:.3:3-4-6-3,128:.2,224:.2     # two cores

A schedule lists sizes of the input with their share of the plan, and the blocks of the four stages where the network is not yet
whole: what is cheap comes first, and a network that grows keeps what it has learned (`Network.grow`). `--of` is the length of the whole plan: the learning rate falls to nothing there, whatever the number of commands.
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
from network import FULL, Network
from preprocess import load_steps
from sampler import Sampler

LABEL_SMOOTHING = 0.05
FINDINGS_WEIGHT = 0.5
WARM_UP = 0.04
# Films by which the statistics of the normalisations are taken anew at the end, at the size that is read.
SETTLING_FILMS = 320


@dataclass
class Run:
    """What a checkpoint holds."""

    network: Network
    average: Network
    optimiser: torch.optim.Optimizer
    log: dict
    step: int = 0
    films: int = 0
    seconds: float = 0.0

    def grow(self, blocks: tuple[int, ...]) -> None:
        """Both networks get the same new blocks; the optimiser keeps what it knows of the old ones."""
        known = dict(self.optimiser.state)
        self.network.grow(blocks)
        fresh = copy.deepcopy(self.network)
        fresh.load_state_dict(self.average.state_dict(), strict=False)
        self.average = fresh
        self.optimiser = optimiser_of(self.network, self.optimiser.defaults)
        self.optimiser.state.update(known)


@dataclass
class Phase:
    """Size of the input and blocks of the network up to that share of the plan."""

    size: int
    end: float
    blocks: tuple[int, ...]


def schedule_of(text: str) -> list[Phase]:
    """`64:.5:2-2-2-2,96:.5` as [Phase(64, .5, (2, 2, 2, 2)), Phase(96, 1., FULL)]."""
    phases, end = [], 0.0
    for part in text.split(","):
        size, share, *blocks = part.split(":")
        end += float(share)
        if int(size) % BLOCK or int(size) < 32:
            raise ValueError(f"size {size}: a multiple of {BLOCK} from 32 on")
        phases.append(Phase(int(size), end, tuple(int(n) for n in blocks[0].split("-")) if blocks else FULL))
    if abs(end - 1) > 1e-6:
        raise ValueError(f"the shares of {text} sum to {end}, not to 1")
    if phases[-1].blocks != FULL:
        raise ValueError(f"{text} ends with {phases[-1].blocks} blocks; a ResNet-101 has {FULL}")
    return phases


def phase_at(schedule: list[Phase], share: float) -> Phase:
    return next((phase for phase in schedule if share < phase.end), schedule[-1])


def optimiser_of(network: Network, settings: dict) -> torch.optim.Optimizer:
    return torch.optim.AdamW(network.parameters(), **{key: settings[key] for key in ("lr", "weight_decay", "fused")})


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
    run.films += len(picked)
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
    schedule, plan, before, began = schedule_of(a.schedule), 60 * a.of, run.seconds, time.monotonic()
    losses, reported, reported_films = [], before, run.films
    while run.seconds < min(plan, before + 60 * a.minutes):
        share = run.seconds / plan
        phase = phase_at(schedule, share)
        if run.network.blocks != phase.blocks:
            run.grow(phase.blocks)
        for group in run.optimiser.param_groups:
            group["lr"] = a.rate * rate_at(share)
        picked = torch.from_numpy(sampler.batch(run.step, a.batch)).to(device)
        losses.append(train_step(run, films, picked, augment(films.pixels[picked], phase.size, run.step), a.horizon))
        if len(losses) % 20 == 0 and device == "cuda":
            torch.cuda.synchronize()
        run.seconds = before + time.monotonic() - began
        if run.seconds - reported >= a.report_seconds:
            pace = (run.films - reported_films) / (run.seconds - reported)
            outcome.report(a.out, run, films, {"size": phase.size, "blocks": list(phase.blocks), "loss": float(torch.stack(losses).mean()), "films_per_second": pace}, steps)
            losses, reported, reported_films = [], run.seconds, run.films
    outcome.finish(a.out, run, films, schedule[-1].size, steps, sampler.chosen_for(SETTLING_FILMS))


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
    parser.add_argument("--horizon", type=float, help="steps of the average; default 1000 on a GPU, 60 on a CPU")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report-seconds", type=float, default=20, help="one report and one checkpoint in so many seconds")
    parser.add_argument("--held", type=int, help="score at most so many held-out films of each source and part; default: all")
    parser.add_argument("--flip", action="store_true", help="mirror half of the films (see augment.py)")
    return parser.parse_args()


def main() -> None:
    a = arguments()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    a.batch = a.batch or (128 if device == "cuda" else 32)
    a.horizon = a.horizon or (1000 if device == "cuda" else 60)
    steps = load_steps()
    torch.manual_seed(a.seed)
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    a.out.mkdir(parents=True, exist_ok=True)
    schedule = schedule_of(a.schedule)
    largest = max(phase.size for phase in schedule)
    films = films_of(a.pack, min(256, round(1.1 * largest / crop_fraction(steps))), device, a.held)
    network = Network(schedule[0].blocks).to(device, memory_format=torch.channels_last)
    optimiser = optimiser_of(network, {"lr": a.rate, "weight_decay": a.decay, "fused": device == "cuda"})
    run = Run(network, copy.deepcopy(network), optimiser, outcome.new_log(films, steps))
    if a.resume:
        outcome.load(a.out / "last.pt", run, steps, device)
    a.of = a.of or run.seconds / 60 + a.minutes
    run.log["runs"].append(outcome.run_entry(a, device))
    train(a, run, films, steps, device)


if __name__ == "__main__":
    main()
