"""A trained model → `model.onnx` and `metadata.json`, ready to be asked with raw features.

The graph takes each raw feature as an input of its own, named like the feature, shape [N, 1]:
strings (an unknown one gets code 0) and float32 numbers (NaN where missing). Its output
`probability` is float32 [N]. Encoding lies inside the graph, so nothing can encode a request
other than training encoded its rows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from training.model import CLIP, DelayModel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from training.data import Encoders

OPSET = 17
ML_OPSET = 2
IR_VERSION = 8
OUTPUT = "probability"
THRESHOLD = 0.5


class Feature(TypedDict):
    """A raw feature: its name, and `string` or `number`."""

    name: str
    type: str


class Metadata(TypedDict):
    """What `metadata.json` holds: features in the order of the graph's inputs."""

    features: list[Feature]
    target: str
    threshold: float


@dataclass(slots=True)
class GraphBuilder:
    """Collects the nodes and constants of a graph."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, values: torch.Tensor | np.ndarray) -> str:
        """Add a constant and return its name."""
        array = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output


def add_embedding(
    graph: GraphBuilder, name: str, known: Sequence[str], weights: torch.Tensor
) -> str:
    """Map the string input `name` to its embedding, [N, width]."""
    codes = graph.node(
        "LabelEncoder",
        [name],
        f"{name}/code",
        domain="ai.onnx.ml",
        keys_strings=list(known),
        values_int64s=list(range(1, len(known) + 1)),
        default_int64=0,
    )
    table = graph.constant(f"{name}/embedding", weights)
    gathered = graph.node("Gather", [table, codes], f"{name}/gathered")
    shape = graph.constant(f"{name}/shape", np.array([-1, weights.shape[1]], dtype=np.int64))
    return graph.node("Reshape", [gathered, shape], f"{name}/embedded")


def add_numbers(graph: GraphBuilder, names: Sequence[str], model: DelayModel) -> list[str]:
    """Fill, standardise and clip the number inputs: [N, k] scaled and [N, k] missing flags."""
    raw = graph.node("Concat", names, "numbers/raw", axis=1)
    missing = graph.node("IsNaN", [raw], "numbers/missing")
    medians = graph.constant("numbers/medians", model.medians)
    filled = graph.node("Where", [missing, medians, raw], "numbers/filled")
    means = graph.constant("numbers/means", model.means)
    centred = graph.node("Sub", [filled, means], "numbers/centred")
    stds = graph.constant("numbers/stds", model.stds)
    scaled = graph.node("Div", [centred, stds], "numbers/scaled")
    low = graph.constant("numbers/low", np.array(-CLIP, dtype=np.float32))
    high = graph.constant("numbers/high", np.array(CLIP, dtype=np.float32))
    clipped = graph.node("Clip", [scaled, low, high], "numbers/clipped")
    flags = graph.node("Cast", [missing], "numbers/flags", to=TensorProto.FLOAT)
    return [clipped, flags]


def add_layers(graph: GraphBuilder, features: str, model: DelayModel) -> str:
    """Add the linear layers with ReLU between them; the result is the logit, [N, 1]."""
    current = features
    layers = model.linear_layers()
    for i, layer in enumerate(layers):
        weight = graph.constant(f"layer{i}/weight", layer.weight)
        bias = graph.constant(f"layer{i}/bias", layer.bias)
        current = graph.node("Gemm", [current, weight, bias], f"layer{i}/linear", transB=1)
        if i < len(layers) - 1:
            current = graph.node("Relu", [current], f"layer{i}/output")
    return current


def to_onnx(model: DelayModel, encoders: Encoders) -> onnx.ModelProto:
    """Build and check the graph of a trained model."""
    graph = GraphBuilder()
    strings, numbers = encoders["strings"], list(encoders["numbers"])
    parts = [
        add_embedding(graph, name, known, embed.weight)
        for (name, known), embed in zip(strings.items(), model.embeddings, strict=True)
        if isinstance(embed, torch.nn.Embedding)
    ]
    parts += add_numbers(graph, numbers, model)
    features = graph.node("Concat", parts, "features", axis=1)
    chance = graph.node("Sigmoid", [add_layers(graph, features, model)], "chance")
    flat = graph.constant("flat", np.array([-1], dtype=np.int64))
    graph.node("Reshape", [chance, flat], OUTPUT)

    text = [helper.make_tensor_value_info(n, TensorProto.STRING, ["N", 1]) for n in strings]
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 1]) for n in numbers]
    output = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N"])
    built = helper.make_model(
        helper.make_graph(graph.nodes, "delays", [*text, *values], [output], graph.constants),
        opset_imports=[
            helper.make_opsetid("", OPSET),
            helper.make_opsetid("ai.onnx.ml", ML_OPSET),
        ],
        ir_version=IR_VERSION,
        producer_name="flight-delays",
    )
    onnx.checker.check_model(built, full_check=True)
    return built


def metadata(encoders: Encoders) -> Metadata:
    """Describe the features in the order of the graph's inputs, for whoever serves the model."""
    features: list[Feature] = [{"name": name, "type": "string"} for name in encoders["strings"]]
    features += [{"name": name, "type": "number"} for name in encoders["numbers"]]
    return {"features": features, "target": encoders["target"], "threshold": THRESHOLD}


def export(model: DelayModel, encoders: Encoders, folder: Path) -> None:
    """Write `model.onnx` and `metadata.json`."""
    (folder / "model.onnx").write_bytes(to_onnx(model, encoders).SerializeToString())
    text = json.dumps(metadata(encoders), indent=1, allow_nan=False)
    (folder / "metadata.json").write_text(text)
