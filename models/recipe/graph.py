"""The ONNX graph of a ResNet-101 whose state has torchvision's names; its head is `fc.weight` (2 × 2048) and `fc.bias`.

Written node by node instead of traced: the graph then has the names that the gateway knows (`head.weight`, `trunk`, ...), and
its Grad-CAM takes w1 − w0 from the very weights that make the score.
"""
import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from contract import FEATURES, INPUT, INPUT_SHAPE, LAST_FEATURE_MAP, MAP, MAP_SIDE, OPSET, PROBABILITIES

BLOCKS = (3, 4, 23, 3)
IR_VERSION = 8
EPSILON = 1e-5


class Graph:
    """Collects nodes and initializers. A value is named by its node."""

    def __init__(self, state: dict[str, torch.Tensor], folded: bool):
        self.state = {name: value.detach().cpu().numpy() for name, value in state.items()}
        self.folded = folded
        self.nodes, self.initializers = [], []

    def node(self, name: str, kind: str, inputs: list[str], **attributes) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def constant(self, name: str, values: np.ndarray) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def floats(self, name: str) -> np.ndarray:
        return self.state[name].astype(np.float64)

    def convolution(self, name: str, value: str, conv: str, norm: str, stride: int) -> str:
        """A convolution without bias and its normalisation at stored statistics, in one or in two nodes."""
        kernel = self.floats(f"{conv}.weight")
        scale, bias, mean, variance = (self.floats(f"{norm}.{key}") for key in ("weight", "bias", "running_mean", "running_var"))
        side = kernel.shape[2]
        shape = {"kernel_shape": [side, side], "strides": [stride, stride], "pads": [side // 2] * 4}
        if not self.folded:
            statistics = {"scale": scale, "bias": bias, "mean": mean, "variance": variance}
            weight = self.constant(f"{name}.conv.weight", kernel.astype(np.float32))
            convolved = self.node(f"{name}.conv", "Conv", [value, weight], **shape)
            named = [self.constant(f"{name}.norm.{key}", numbers.astype(np.float32)) for key, numbers in statistics.items()]
            return self.node(f"{name}.norm", "BatchNormalization", [convolved, *named], epsilon=EPSILON)
        factor = scale / np.sqrt(variance + EPSILON)
        weight = self.constant(f"{name}.conv.weight", (kernel * factor[:, None, None, None]).astype(np.float32))
        shift = self.constant(f"{name}.conv.bias", (bias - mean * factor).astype(np.float32))
        return self.node(f"{name}.conv", "Conv", [value, weight, shift], **shape)

    def bottleneck(self, name: str, value: str, block: str, stride: int) -> str:
        """1×1 down, 3×3, 1×1 up, added to the input, which is projected where its shape changes."""
        down = self.node(f"{name}.relu1", "Relu", [self.convolution(f"{name}.1", value, f"{block}.conv1", f"{block}.bn1", 1)])
        across = self.node(f"{name}.relu2", "Relu", [self.convolution(f"{name}.2", down, f"{block}.conv2", f"{block}.bn2", stride)])
        up = self.convolution(f"{name}.3", across, f"{block}.conv3", f"{block}.bn3", 1)
        if f"{block}.downsample.0.weight" in self.state:
            value = self.convolution(f"{name}.project", value, f"{block}.downsample.0", f"{block}.downsample.1", stride)
        return self.node(name, "Relu", [self.node(f"{name}.add", "Add", [up, value])])

    def head(self) -> None:
        """Average, linear layer, softmax; and ReLU(Σ (w1−w0)ₖ Aₖ): for such a head Grad-CAM of p(opacity), up to a factor."""
        self.node(FEATURES, "Flatten", [self.node("pool", "GlobalAveragePool", [LAST_FEATURE_MAP])], axis=1)
        weight = self.constant("head.weight", self.state["fc.weight"].astype(np.float32))
        bias = self.constant("head.bias", self.state["fc.bias"].astype(np.float32))
        self.node("logits", "Gemm", [FEATURES, weight, bias], transB=1)
        self.node(PROBABILITIES, "Softmax", ["logits"], axis=1)
        rows = [self.node(f"cam.{label}", "Gather", [weight, self.constant(f"cam.index{i}", np.array([i], np.int64))], axis=0)
                for i, label in enumerate(("none", "opacity"))]
        difference = self.node("cam.difference", "Sub", [rows[1], rows[0]])
        kernel = self.node("cam.kernel", "Unsqueeze", [difference, self.constant("cam.axes", np.array([2, 3], np.int64))])
        self.node(MAP, "Relu", [self.node("cam.conv", "Conv", [LAST_FEATURE_MAP, kernel], kernel_shape=[1, 1])])


def build(state: dict[str, torch.Tensor], folded: bool, says: str = "") -> onnx.ModelProto:
    """The model. `folded` puts the normalisations into the convolutions: a third fewer nodes, answers equal but for rounding."""
    graph = Graph(state, folded)
    value = graph.node("stem.relu", "Relu", [graph.convolution("stem", INPUT, "conv1", "bn1", 2)])
    value = graph.node("stem.pool", "MaxPool", [value], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for stage, blocks in enumerate(BLOCKS):
        for block in range(blocks):
            last = stage == len(BLOCKS) - 1 and block == blocks - 1
            name = LAST_FEATURE_MAP if last else f"stage{stage + 1}.{block}"
            value = graph.bottleneck(name, value, f"layer{stage + 1}.{block}", 2 if stage > 0 and block == 0 else 1)
    graph.head()
    features = graph.state["fc.weight"].shape[1]
    ends = {INPUT: INPUT_SHAPE, PROBABILITIES: (1, 2), MAP: (1, 1, MAP_SIDE, MAP_SIDE), FEATURES: (1, features)}
    values = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in ends.items()}
    outputs = [values[name] for name in (PROBABILITIES, MAP, FEATURES)]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "resnet101", [values[INPUT]], outputs, graph.initializers),
        opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="cxr-gateway recipe", doc_string=says)
    onnx.checker.check_model(model)
    return model


def open_session(weights: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
