"""Makes a backbone for `cxr-gateway train-head` out of a torchvision ResNet-101 that you have.

    python from_torchvision.py resnet101.pth models/resnet101-imagenet

No weights come with the project. The 1,000 classes are dropped; in their place stands a head of zeros, which says 0.5 to
everything until `train-head` has trained one, and the manifest says `untrained`. `preprocess` is what the weights know: 224 × 224,
and the mean and deviation of ImageNet.
"""
import argparse
import hashlib
from pathlib import Path

import torch

import contract
from graph import build
from network import FEATURES
from preprocess import IMAGENET_STEPS

USE = "Features for the training of a head. It has no head of its own: every score is 0.5 and says nothing about a film."


def backbone_state(state: dict[str, torch.Tensor], head_seed: int | None = None) -> dict[str, torch.Tensor]:
    """The state with a head of two classes: zeros, or drawn from a seed to test with. Raises ValueError for another network."""
    shapes = {"conv1.weight": (64, 3, 7, 7), "layer3.22.conv2.weight": (256, 256, 3, 3), "layer4.2.bn3.running_var": (FEATURES,)}
    for name, shape in shapes.items():
        got = tuple(state[name].shape) if name in state else "nothing"
        if got != shape:
            raise ValueError(f"not a torchvision ResNet-101: {name} should be {shape}, got {got}")
    if "layer3.23.conv1.weight" in state:
        raise ValueError("not a torchvision ResNet-101: its third stage has more than 23 blocks")
    trunk = {name: value for name, value in state.items() if not name.startswith("fc.")}
    head = {"fc.weight": torch.zeros(2, FEATURES), "fc.bias": torch.zeros(2)}
    if head_seed is not None:
        generator = torch.Generator().manual_seed(head_seed)
        head = {name: 0.02 * torch.randn(value.shape, generator=generator) for name, value in head.items()}
    return trunk | head


def convert(state_file: Path, folder: Path, head_seed: int | None = None) -> Path:
    """Writes the model folder and gives it."""
    state = torch.load(state_file, map_location="cpu", weights_only=True)
    model = build(backbone_state(state, head_seed), folded=False, says="ResNet-101 backbone out of torchvision weights.")
    weights = model.SerializeToString()
    digest = hashlib.sha256(weights).hexdigest()
    manifest = contract.manifest_of(
        model_id=folder.name, name="ResNet-101 backbone", version="1", training="untrained", sha256=digest,
        steps=IMAGENET_STEPS, features=FEATURES, operating_point=0.5, heat_max=1.0, intended_use=USE)
    folder.mkdir(parents=True)
    (folder / "weights.onnx").write_bytes(weights)
    contract.write_json(folder / "model.json", manifest)
    source = hashlib.sha256(state_file.read_bytes()).hexdigest()
    (folder / "CARD.md").write_text(
        f"# ResNet-101 backbone\n\n{USE}\n\nMade by `models/recipe/from_torchvision.py` out of `{state_file.name}` (sha256 {source}).\n"
        "The licence of those weights, and of what they were trained on, is yours to look at before you give this folder away.\n")
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("state", type=Path, help="a file of torch.save(model.state_dict())")
    parser.add_argument("folder", type=Path, help="the model folder to make")
    a = parser.parse_args()
    print(convert(a.state, a.folder))


if __name__ == "__main__":
    main()
