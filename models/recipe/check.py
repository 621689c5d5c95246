"""Holds the parts of the recipe that need PyTorch against each other, with random weights and drawn films: `python check.py`.

What needs no PyTorch is tested with the rest of the project (`test/recipe`).
"""
import copy
import tempfile
from pathlib import Path

import numpy as np
import torch

import from_torchvision
import outcome
from augment import Augmenter
from batches import finish, prepare_batch
from export import difference_of
from graph import build, open_session
from network import FULL, Network, at_half, load_plain, plain_state
from preprocess import IMAGENET_STEPS, load_steps, prepare
from train import Run, optimiser_of


def drawn_films(n: int, side: int) -> torch.Tensor:
    noise = torch.rand(n, 1, 12, 12, generator=torch.Generator().manual_seed(5))
    smooth = torch.nn.functional.interpolate(noise, size=(side, side), mode="bicubic").clamp(0, 1)
    return (smooth[:, 0] * 230 + 12).to(torch.uint8)


def batches_equal_films() -> str:
    """The form for a GPU gives what the exact form gives; quantising may put a pixel one level off, never more."""
    films = drawn_films(4, 256)
    worst = 0.0
    for steps in (load_steps(), IMAGENET_STEPS):
        exact = np.stack([prepare(film.numpy().astype(np.float32) / 255, steps) for film in films])
        level = 1 / 255 / (films.float().std().item() / 255)
        off = np.abs(prepare_batch(films, steps, 224).numpy() - exact)
        assert off.max() < 2 * level and (off > 0.01).mean() < 1e-3, (off.max(), (off > 0.01).mean())
        worst = max(worst, float(off.mean()))
    return f"mean difference {worst:.1e}"


def augmenting_is_seeded_and_finite() -> str:
    films = drawn_films(8, 256)
    for size in (64, 224):
        augment = Augmenter(load_steps(), "cpu", seed=3)
        first, again, later = augment(films, size, 7), augment(films, size, 7), augment(films, size, 8)
        assert first.shape == (8, 3, size, size) and torch.isfinite(first).all()
        assert torch.equal(first, again) and not torch.equal(first, later)
        assert first.mean((1, 2, 3)).abs().max() < 1e-3
    return "8 films at 64 and 224"


def jpeg_without_rounding_is_nothing() -> str:
    """The cosine transform there and back is the film itself, so that all that is lost is lost by rounding."""
    augment = Augmenter(load_steps(), "cpu", seed=3)
    film = drawn_films(1, 64)[:, None].float() / 255
    blocks = film[:, 0].reshape(1, 8, 8, 8, 8).transpose(2, 3)
    back = (augment.dct.T @ (augment.dct @ blocks @ augment.dct.T) @ augment.dct).transpose(2, 3).reshape(1, 1, 64, 64)
    assert (back - film).abs().max() < 1e-5
    return "8 × 8 transform inverts"


def see_films(model: torch.nn.Module) -> None:
    """Random normalisations that have seen films: a swapped or forgotten one is found out, and films differ."""
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            # small at the end of each block: 33 additions of noise would blow up the last bit of a float
            torch.nn.init.uniform_(module.weight, *((0.1, 0.3) if name.endswith("bn3") else (0.3, 0.7)))
            torch.nn.init.uniform_(module.bias, -0.1, 0.1)
            module.momentum = 1.0
    with torch.no_grad():
        model.train()(finish(drawn_films(8, 128).float(), load_steps()))
    model.eval()


def randomised(seed: int) -> Network:
    torch.manual_seed(seed)
    network = Network()
    torch.nn.init.normal_(network.fc.weight, std=0.1)
    see_films(network)
    return network


def growing_changes_no_answer() -> str:
    """New blocks begin as the identity, the optimiser keeps what it knows of the old ones, and the new ones learn at once."""
    torch.manual_seed(4)
    network = Network((2, 2, 2, 2))
    see_films(network)
    settings = {"lr": 1e-3, "weight_decay": 0.05, "fused": False}
    run = Run(network, copy.deepcopy(network), optimiser_of(network, settings), {})
    films = finish(drawn_films(4, 64).float(), load_steps())

    def learn() -> None:
        network.train()(films)[0][:, 1].sum().backward()
        run.optimiser.step()
        network.eval()

    learn()
    worst = 0.0
    for blocks in ((3, 4, 6, 3), FULL):
        known = {name: run.optimiser.state[p]["exp_avg"].clone() for name, p in network.named_parameters() if p in run.optimiser.state}
        with torch.no_grad():
            before = [each.eval()(films)[0] for each in (network, run.average)]
            run.grow(blocks)
            after = [each.eval()(films)[0] for each in (network, run.average)]
        worst = max(worst, *(float((a - b).abs().max()) for a, b in zip(after, before)))
        named = dict(network.named_parameters())
        assert worst < 1e-5 and network.blocks == run.average.blocks == blocks, (worst, network.blocks)
        assert all(torch.equal(run.optimiser.state[named[name]]["exp_avg"], value) for name, value in known.items())
        learn()
        assert network.stages()[2][-1].bn3.weight.detach().abs().max() > 0, "a new block has not moved"
    return f"largest difference of a logit {worst:.1e}"


def graph_equals_torch() -> str:
    """Both forms of the graph answer as PyTorch does, and the map is Grad-CAM by autograd."""
    network = randomised(1)
    state = plain_state(network)
    films = finish(drawn_films(3, 224).float(), load_steps())
    told = []
    for folded in (True, False):
        session = open_session(build(state, folded).SerializeToString())
        answers = [session.run(["probabilities", "map"], {"film": film[None]}) for film in films.numpy()]
        assert np.ptp([p[0, 1] for p, _ in answers]) > 0.01 and all(heat.max() > 0 for _, heat in answers), "nothing to compare"
        found = difference_of(network, session, films.numpy())
        # noise amplifies the last bit of a float, and the map is a difference of sums; a wrong graph is off by the whole
        assert found["probability"] < 1e-5 and found["map"] < 2e-3 and found["features"] < 1e-4, found
        told.append(f"{'folded' if folded else 'plain'}: " + ", ".join(f"{key} {value:.1e}" for key, value in found.items()))
    return "; ".join(told)


def torchvision_becomes_a_backbone() -> str:
    """A torchvision state dict of 1,000 classes, saved and read back: its features in the graph are those of torchvision."""
    import torchvision

    torch.manual_seed(2)
    model = torchvision.models.resnet101(weights=None)
    see_films(model)
    with tempfile.TemporaryDirectory() as folder:
        torch.save(model.state_dict(), f"{folder}/resnet101.pth")
        made = from_torchvision.convert(Path(folder) / "resnet101.pth", Path(folder) / "resnet101-own", head_seed=4)
        session = open_session((made / "weights.onnx").read_bytes())
        state = from_torchvision.backbone_state(model.state_dict(), head_seed=4)
    film = prepare(drawn_films(1, 300)[0].numpy().astype(np.float32) / 255, IMAGENET_STEPS)[None]
    probabilities, features = session.run(["probabilities", "features"], {"film": film})
    with torch.no_grad():
        model.fc = torch.nn.Identity()
        expected = model(torch.from_numpy(film))
        score = torch.softmax(expected @ state["fc.weight"].T + state["fc.bias"], 1)
    assert 0.01 < float(score[0, 1]) < 0.99, "nothing to compare"
    scale = float(expected.abs().max())
    off, score_off = np.abs(features - expected.numpy()).max() / scale, np.abs(probabilities - score.numpy()).max()
    assert off < 1e-4 and score_off < 1e-5, (off, score_off)
    return f"features {off:.1e} of the largest, score {score_off:.1e}"


def weights_come_home_in_parts() -> str:
    network = randomised(3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        outcome.write_weights(folder, at_half(plain_state(network)))
        whole = (folder / "weights.pt").read_bytes()
        (folder / "weights.pt").unlink()
        assert outcome.join_weights(folder).read_bytes() == whole
        load_plain(Network(), torch.load(folder / "weights.pt", weights_only=True))
        (folder / "weights.pt").unlink()
        (folder / "weights.part01").unlink()
        try:
            outcome.join_weights(folder)
        except ValueError:
            return f"{len(whole)} bytes, {len(list(folder.glob('weights.part*'))) + 1} parts; a missing part is found"
    raise AssertionError("a missing part was not found")


CHECKS = (batches_equal_films, augmenting_is_seeded_and_finite, jpeg_without_rounding_is_nothing, growing_changes_no_answer,
          graph_equals_torch, torchvision_becomes_a_backbone, weights_come_home_in_parts)

if __name__ == "__main__":
    for each in CHECKS:
        print(f"{each.__name__.replace('_', ' ')}: {each()}", flush=True)
