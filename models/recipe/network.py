"""ResNet-101 with the head that ships and a second one for the findings. It may start shallow and grow."""
import torch
from torch import nn
from torchvision.models.resnet import Bottleneck, ResNet

from films import FINDINGS

FEATURES = 2048
# Blocks of the four stages of a ResNet-101 (He et al. 2016, table 1).
FULL = (3, 4, 23, 3)


class Network(nn.Module):
    """Names as in torchvision (`conv1`, `layer1.0.conv1`, ..., `fc`), so that one converter serves both. `findings` does not ship."""

    def __init__(self, blocks: tuple[int, ...] = FULL):
        super().__init__()
        resnet = ResNet(Bottleneck, list(blocks), zero_init_residual=True)
        del resnet.fc
        self.trunk = resnet
        self.fc = nn.Linear(FEATURES, 2)
        self.findings = nn.Linear(FEATURES, len(FINDINGS))

    @property
    def blocks(self) -> tuple[int, ...]:
        return tuple(len(stage) for stage in self.stages())

    def stages(self) -> list[nn.Sequential]:
        return [self.trunk.layer1, self.trunk.layer2, self.trunk.layer3, self.trunk.layer4]

    def grow(self, blocks: tuple[int, ...]) -> None:
        """Appends blocks to the stages. Each starts as the identity, so that the answers stay as they were.

        A block gives ReLU(x + γ·f(x)), its input is never negative, and its last γ starts at nothing.
        Raises ValueError where a stage would have to shrink.
        """
        if any(wanted < there for wanted, there in zip(blocks, self.blocks)):
            raise ValueError(f"a network of {self.blocks} blocks cannot shrink to {blocks}")
        weight = self.trunk.conv1.weight
        for stage, wanted, fresh in zip(self.stages(), blocks, Network(blocks).stages() if blocks != self.blocks else []):
            for block in list(fresh)[len(stage):wanted]:
                stage.append(block.to(weight.device, memory_format=torch.channels_last))

    def last_feature_map(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 2048, h/32, w/32)."""
        t = self.trunk
        x = t.maxpool(t.relu(t.bn1(t.conv1(x))))
        return t.layer4(t.layer3(t.layer2(t.layer1(x))))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of none and opacity, (n, 2), and of the findings, (n, 14)."""
        features = self.last_feature_map(x).mean((2, 3))
        return self.fc(features), self.findings(features)


def plain_state(network: Network) -> dict[str, torch.Tensor]:
    """State with the names of a torchvision ResNet, plus `findings.*`."""
    return {name.removeprefix("trunk."): value for name, value in network.state_dict().items()}


def load_plain(network: Network, state: dict[str, torch.Tensor]) -> None:
    """The reverse of `plain_state`. Values are turned into floats."""
    heads = ("fc.", "findings.")
    named = {name if name.startswith(heads) else f"trunk.{name}": value for name, value in state.items()}
    network.load_state_dict({name: value.float() if value.is_floating_point() else value for name, value in named.items()})


def at_half(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Matrices and kernels in half precision. What has one dimension stays float: a small variance would round to nothing."""
    return {name: (value.half() if value.is_floating_point() and value.ndim > 1 else value).cpu() for name, value in state.items()}
