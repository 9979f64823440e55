"""What a .tflite says of itself, as Android's task library reads it: pictures, their normalisation, and labels.

https://ai.google.dev/edge/litert/conversion/tensorflow/metadata
"""

from __future__ import annotations

from typing import Any

from ...files.flatbuffer_write import pieces
from ...files.tflite_schema import (
    FEATURES,
    GREY,
    IMAGE,
    LABELS_OF_AXIS,
    METADATA_IDENTIFIER,
    NORMALIZATION,
    RGB,
    SCHEMA,
)
from ...runtime.model.card import Card, Input

LABELS = "labels.txt"
COLORS = {"RGB": RGB, "GRAY": GREY}  # it has no word for BGR
PARSER = "1.0.0"  # of the metadata, that knows all of this


def metadata(card: Card) -> bytes:
    """The metadata of a model, a flatbuffer of its own."""
    graph = {
        "input_tensor_metadata": [_input(entry) for entry in card.inputs],
        "output_tensor_metadata": [_output(card)],
    }
    content = {
        "name": card.network,
        "description": f"{card.task}, {card.tool}",
        "subgraph_metadata": [graph],
        "min_parser_version": PARSER,
    }
    return b"".join(pieces(SCHEMA, "ModelMetadata", content, METADATA_IDENTIFIER))


def texts(card: Card) -> dict[str, str]:
    """The files that it names, one label a line; a label of several lines would be several."""
    rows = (" ".join(label.split()) for label in card.labels)
    return {LABELS: "".join(f"{row}\n" for row in rows)} if card.labels else {}


def _input(entry: Input) -> dict[str, Any]:
    if entry.kind != "image":
        return {"name": entry.name}
    row: dict[str, Any] = {"name": entry.name, "content": _picture(entry)}
    step = next((one for one in entry.steps if one["op"] == "normalize"), None)
    mean, std = (step["mean"], step["std"]) if step else ([0.0], [1.0])
    row["process_units"] = [
        {"options_type": NORMALIZATION, "options": ("NormalizationOptions", {"mean": mean, "std": std})}
    ]
    low, high = ([(end - m) / s for m, s in zip(mean, std, strict=True)] for end in (0.0, 255.0))
    return {**row, "stats": {"max": high, "min": low}}


def _picture(entry: Input) -> dict[str, Any]:
    height, width = entry.sides()
    size = {"default_size": {"width": width, "height": height}} if height and width else {}
    image = {"color_space": COLORS.get(entry.color, 0), **size}
    return {"content_properties_type": IMAGE, "content_properties": ("ImageProperties", image)}


def _output(card: Card) -> dict[str, Any]:
    name = "probability" if card.output.scores in ("probabilities", "sigmoids") else card.output.name
    row: dict[str, Any] = {
        "name": name,
        "content": {"content_properties_type": FEATURES, "content_properties": ("FeatureProperties", {})},
        "stats": {"max": [1.0], "min": [0.0]} if name == "probability" else {},
    }
    if card.labels and card.task == "classification":
        row["associated_files"] = [{"name": LABELS, "description": "", "type": LABELS_OF_AXIS}]
    return row
