"""An ONNX graph of the operators that a ResNet needs, as a torch module."""
from pathlib import Path

import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper


def read_graph(file: Path) -> onnx.GraphProto:
    return onnx.load(file).graph


def attributes_of(node: onnx.NodeProto) -> dict:
    return {each.name: helper.get_attribute_value(each) for each in node.attribute}


def compute_constants(nodes: list, known: dict[str, torch.Tensor]) -> list:
    """Puts what hangs on nothing but initializers into `known`, such as kernels out of 8 bits; gives the nodes that are left."""
    left = []
    for node in nodes:
        if all(name in known for name in node.input):
            known[node.output[0]] = apply(node.op_type, attributes_of(node), [known[name] for name in node.input])
        else:
            left.append(node)
    return left


def fold_normalisations(nodes: list, known: dict[str, torch.Tensor]) -> list:
    """Each BatchNormalization at stored statistics goes into the convolution before it, in double precision."""
    by_output = {node.output[0]: node for node in nodes}
    kept = []
    for node in nodes:
        if node.op_type != "BatchNormalization":
            kept.append(node)
            continue
        convolution = by_output[node.input[0]]
        scale, bias, mean, variance = (known[name].double() for name in node.input[1:5])
        factor = scale / torch.sqrt(variance + attributes_of(node).get("epsilon", 1e-5))
        before = known[convolution.input[2]].double() if len(convolution.input) > 2 else 0.0
        kernel, shift = f"{node.name}.kernel", f"{node.name}.shift"
        known[kernel] = (known[convolution.input[1]] * factor[:, None, None, None]).float()
        known[shift] = (bias + (before - mean) * factor).float()
        inputs = [convolution.input[0], kernel, shift]
        place = kept.index(convolution)
        kept[place] = helper.make_node("Conv", inputs, [node.output[0]], name=convolution.name, **attributes_of(convolution))
    return kept


def paddings(attributes: dict) -> list[int]:
    """Torch pads both sides alike; so does this network."""
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    assert (top, left) == (bottom, right), "paddings that differ from side to side"
    return [top, left]


def apply(kind: str, attributes: dict, inputs: list[torch.Tensor]) -> torch.Tensor:
    match kind:
        case "Conv":
            return F.conv2d(*inputs, stride=attributes.get("strides", 1), padding=paddings(attributes))
        case "Relu":
            return F.relu(inputs[0])
        case "Add":
            return inputs[0] + inputs[1]
        case "Cast":
            assert attributes["to"] == onnx.TensorProto.FLOAT, "a cast to another type than float"
            return inputs[0].float()
        case "Mul":
            return inputs[0] * inputs[1]
        case "Sub":
            return inputs[0] - inputs[1]
        case "MaxPool":
            return F.max_pool2d(inputs[0], attributes["kernel_shape"], attributes.get("strides"), paddings(attributes))
        case "GlobalAveragePool":
            return F.adaptive_avg_pool2d(inputs[0], 1)
        case "Flatten":
            return torch.flatten(inputs[0], attributes.get("axis", 1))
        case "Gemm":
            weight = inputs[1] if attributes.get("transB", 0) else inputs[1].T
            return F.linear(inputs[0], weight, inputs[2])
        case "Softmax":
            return torch.softmax(inputs[0], attributes.get("axis", -1))
        case "Gather":
            return torch.index_select(inputs[0], attributes.get("axis", 0), inputs[1])
        case "Unsqueeze":
            for axis in inputs[1].tolist():
                inputs[0] = inputs[0].unsqueeze(axis)
            return inputs[0]
    raise NotImplementedError(f"operator {kind}")


class GraphModule(torch.nn.Module):
    """Called with the images; gives the output that was asked for first, then all others of the graph."""

    def __init__(self, graph: onnx.GraphProto, first: str):
        super().__init__()
        known = {each.name: torch.from_numpy(numpy_helper.to_array(each).copy()) for each in graph.initializer}
        nodes = fold_normalisations(compute_constants(list(graph.node), known), known)
        self.outputs = [first, *(each.name for each in graph.output if each.name != first)]
        self.graph_input = graph.input[0].name
        self.steps = [(node.op_type, attributes_of(node), list(node.input), node.output[0]) for node in nodes]
        used = {name for node in nodes for name in node.input}
        self.places = {name: f"constant{i}" for i, name in enumerate(sorted(used & known.keys()))}
        for name, place in self.places.items():
            self.register_buffer(place, known[name])

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        values = {self.graph_input: images}
        for kind, attributes, inputs, output in self.steps:
            given = [getattr(self, self.places[name]) if name in self.places else values[name] for name in inputs]
            values[output] = apply(kind, attributes, given)
        return tuple(values[name] for name in self.outputs)
