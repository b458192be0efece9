"""Digest botocore's service models into `pipelines/steptypes/shapes/<Type>.json`.

    python tools/generate_shapes.py            writes the files
    python tools/generate_shapes.py --check    exits 1 if one is outdated

Each file holds only the shapes that the Type's arguments, properties and own step keys reach,
without their documentation, one per line. Patterns are translated from Java's notation into
Python's; one that cannot be translated is left out.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import warnings
from pathlib import Path
from typing import Final

import botocore
import botocore.loaders

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import StepType, module_name

FOLDER: Final = Path(__file__).resolve().parents[1] / "pipelines" / "steptypes"

_SCALAR_KEYS: Final = ("enum", "min", "max")

# Java's classes and their replacement inside a Python class; each is wider, never narrower.
_CLASSES: Final = {
    r"\p{L}": r"\w",
    r"\p{M}": r"\w",
    r"\p{N}": r"\w",
    r"\p{Z}": r"\s",
    r"\p{S}": r"\W",
    r"\p{P}": r"\W",
    r"\p{ASCII}": r"\x00-\x7f",
    r"\p{Alnum}": r"0-9A-Za-z",
    r"\p{Alpha}": r"A-Za-z",
    r"\p{Digit}": r"0-9",
    r"\p{Space}": r"\s",
    r"\p{Print}": r"\x20-\x7e",
    r"\p{Graph}": r"\x21-\x7e",
}
_REPEATED_END: Final = re.compile(r"\$\{\d+,\d+\}$")
"""`([…]*)${1,256}`, as some shapes write a length that they have beside the pattern, too."""
_ANY: Final = {".*", "(?s).*", r"[\s\S]*", r"[\S\s]*", r"^[\s\S]*$"}


def python_pattern(java: str) -> str | None:
    """Return a Python pattern that matches at least what Java's does; None if it excludes nothing.

    `.*` is kept: it forbids line breaks, in Java as in Python.
    """
    if java in _ANY - {".*"}:
        return None
    pattern = _REPEATED_END.sub("", java)
    for name, python in _CLASSES.items():
        pattern = pattern.replace(name, python)
    if r"\p{" in pattern or r"\P{" in pattern or ("[^" in pattern and pattern != java):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            re.compile(pattern)
        except (re.error, FutureWarning, DeprecationWarning):
            return None
    return pattern


def _merged(name: str, shapes: JsonObject) -> JsonObject:
    """Return a shape's definition, with `like` and `without` applied."""
    shape: JsonObject = shapes[name]
    if "like" not in shape:
        return shape
    base = _merged(shape["like"], shapes)
    without = shape.get("without", [])
    members = {**base["members"], **shape.get("members", {})}
    required: list[str] = shape.get("required") or base.get("required") or []
    return {
        "type": "structure",
        "members": {key: value for key, value in members.items() if key not in without},
        "required": [key for key in required if key not in without],
    }


def _digest(shape: JsonObject) -> JsonObject:
    """Return one shape in the compact notation of `pipelines.steptypes.shapes`."""
    if shape.get("document"):
        return {"type": "any"}
    digested: JsonObject = {"type": shape["type"]}
    if shape["type"] == "structure":
        digested["members"] = {key: value["shape"] for key, value in shape["members"].items()}
        if shape.get("required"):
            digested["required"] = sorted(shape["required"])
    if shape["type"] == "list":
        digested["element"] = shape["member"]["shape"]
    if shape["type"] == "map":
        digested["key"] = shape["key"]["shape"]
        digested["value"] = shape["value"]["shape"]
    digested |= {key: shape[key] for key in _SCALAR_KEYS if key in shape}
    pattern = python_pattern(shape["pattern"]) if "pattern" in shape else None
    return digested | ({"pattern": pattern} if pattern else {})


def _reached(shape: JsonObject) -> list[str]:
    inner: list[str] = list(shape.get("members", {}).values())
    return inner + [shape[key] for key in ("element", "key", "value") if key in shape]


def digest(step_type: StepType, model_shapes: JsonObject) -> JsonObject:
    """Return the shapes that a Type reaches, by name, sorted."""
    shapes: JsonObject = {**model_shapes, **step_type.own_shapes}
    roots = [step_type.request, step_type.describe, *(key.shape for key in step_type.step_keys)]
    open_names: list[str] = [name for name in roots if name is not None]
    found: JsonObject = {}
    while open_names:
        name = open_names.pop()
        if name not in found:
            found[name] = _digest(_merged(name, shapes))
            open_names.extend(_reached(found[name]))
    return dict(sorted(found.items()))


def render(step_type: StepType, shapes: JsonObject) -> str:
    """Return a shape file's text: its head, then one shape a line."""

    def compact(value: Json) -> str:
        return json.dumps(value, separators=(",", ":"))

    lines = ",\n".join(f"{compact(name)}:{compact(shape)}" for name, shape in shapes.items())
    return (
        f'{{"botocore":{compact(botocore.__version__)},'
        f'"request":{compact(step_type.request)},'
        f'"describe":{compact(step_type.describe)},'
        f'"shapes":{{\n{lines}\n}}}}\n'
    )


def step_types() -> list[StepType]:
    """Return every Type that has a module, even if its shapes do not exist yet."""
    import importlib  # noqa: PLC0415  # only this function walks the folder

    found = []
    for path in sorted(FOLDER.glob("*.py")):
        if path.stem.startswith("__"):
            continue
        module = importlib.import_module(f"pipelines.steptypes.{path.stem}")
        step_type = getattr(module, "STEP_TYPE", None)
        if isinstance(step_type, StepType):
            if module_name(step_type.name) != path.stem:
                raise SystemExit(f"{path.name} holds {step_type.name}")
            found.append(step_type)
    return found


def generate() -> dict[str, str]:
    """Return the text of every shape file, by file name."""
    loader = botocore.loaders.Loader()
    models: dict[str, JsonObject] = {}
    texts = {}
    for step_type in step_types():
        if step_type.service not in models:
            model = loader.load_service_model(step_type.service, "service-2")
            models[step_type.service] = model["shapes"]
        shapes = digest(step_type, models[step_type.service])
        texts[f"{step_type.name}.json"] = render(step_type, shapes)
    return texts


def main() -> int:
    """Write or compare the files; return the exit code."""
    parser = argparse.ArgumentParser(description="Digest botocore's shapes, one file a step Type.")
    parser.add_argument("--check", action="store_true", help="compare only; 1 when outdated")
    arguments = parser.parse_args()
    target = FOLDER / "shapes"
    outdated = 0
    for name, text in generate().items():
        path = target / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        outdated += 1
        print(f"{'outdated' if arguments.check else 'written'}: {path.relative_to(FOLDER)}")
        if not arguments.check:
            path.write_text(text, encoding="utf-8")
    return 1 if arguments.check and outdated else 0


if __name__ == "__main__":
    raise SystemExit(main())
