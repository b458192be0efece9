"""Digest botocore's service models: one file per step Type, one per module of operations.

    python tools/generate_shapes.py            writes the files
    python tools/generate_shapes.py --check    exits 1 if one is outdated

`pipelines/steptypes/shapes/<Type>.json` holds the shapes that the Type's arguments, properties and
own step keys reach, `pipelines/backends/local/operations/shapes/<module>.json` those of the
requests and responses of the module's operations, both without documentation, one per line.
Patterns are translated from Java's notation into Python's; one that cannot be translated is left
out. `index.json` says which module has which operation, `elsewhere.json` names the operations that
the local SageMaker does not have.
"""

from __future__ import annotations

import argparse
import functools
import json
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import botocore
import botocore.loaders
from botocore import xform_name

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import StepType, module_name

PACKAGE: Final = Path(__file__).resolve().parents[1] / "pipelines"
FOLDER: Final = PACKAGE / "steptypes"
OPERATIONS: Final = PACKAGE / "backends" / "local" / "operations"

Digest: TypeAlias = Callable[[JsonObject], JsonObject]

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


_OUTSIDE: Final = re.compile(r"\[(?:\\.|[^\]])*\]|(\\p\{\w+\})")
"""A Python class, or one of Java's outside of any."""


def _bracketed(found: re.Match[str]) -> str:
    return f"[{found[1]}]" if found[1] else found[0]


def python_pattern(java: str) -> str | None:
    """Return a Python pattern that matches at least what Java's does; None if it excludes nothing.

    `.*` is kept: it forbids line breaks, in Java as in Python.
    """
    if java in _ANY - {".*"}:
        return None
    pattern = _OUTSIDE.sub(_bracketed, _REPEATED_END.sub("", java))
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
    digested |= {key: shape[key] for key in _SCALAR_KEYS if shape.get(key) is not None}
    pattern = python_pattern(shape["pattern"]) if "pattern" in shape else None
    return digested | ({"pattern": pattern} if pattern else {})


def _digest_of_api(shape: JsonObject) -> JsonObject:
    """Return one shape of a request, with what messages say of it and how it is sent.

    What is longest of a blob is left out: the service takes larger bodies than its model says.
    """
    digested = _digest({**shape, "max": None} if shape["type"] == "blob" else shape)
    members: JsonObject = shape.get("members", {})
    headers = {
        name: member["locationName"].lower()
        for name, member in members.items()
        if member.get("location") == "header"
    }
    tokens = [name for name, member in members.items() if member.get("idempotencyToken")]
    java = shape.get("pattern")
    return (
        digested
        | ({"java": java} if java != digested.get("pattern") and "pattern" in digested else {})
        | ({"sensitive": True} if shape.get("sensitive") else {})
        | ({"headers": headers} if headers else {})
        | ({"token": tokens[0]} if tokens else {})
    )


def _reached(shape: JsonObject) -> list[str]:
    inner: list[str] = list(shape.get("members", {}).values())
    return inner + [shape[key] for key in ("element", "key", "value") if key in shape]


def digest(step_type: StepType, model_shapes: JsonObject) -> JsonObject:
    """Return the shapes that a Type reaches, by name, sorted."""
    shapes: JsonObject = {**model_shapes, **step_type.own_shapes}
    roots = [step_type.request, step_type.describe, *(key.shape for key in step_type.step_keys)]
    return _closure([name for name in roots if name is not None], shapes, _digest)


def _closure(roots: list[str], shapes: JsonObject, digested: Digest) -> JsonObject:
    """Return these shapes and those that they reach, by name, sorted."""
    open_names = list(roots)
    found: JsonObject = {}
    while open_names:
        name = open_names.pop()
        if name not in found:
            found[name] = digested(_merged(name, shapes))
            open_names.extend(_reached(found[name]))
    return dict(sorted(found.items()))


def render(step_type: StepType, shapes: JsonObject) -> str:
    """Return a shape file's text: its head, then one shape a line."""
    return (
        f'{{"botocore":{_compact(botocore.__version__)},'
        f'"request":{_compact(step_type.request)},'
        f'"describe":{_compact(step_type.describe)},'
        f'"shapes":{_lines(shapes)}}}\n'
    )


def _compact(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"))


def _lines(entries: JsonObject) -> str:
    """Write an object with one entry a line."""
    lines = ",\n".join(f"{_compact(name)}:{_compact(entry)}" for name, entry in entries.items())
    return f"{{\n{lines}\n}}"


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


def generate() -> dict[Path, str]:
    """Return the text of every file."""
    load = functools.cache(botocore.loaders.Loader().load_service_model)
    texts = {}
    for step_type in step_types():
        model = load(step_type.service, "service-2")
        shapes = digest(step_type, model["shapes"])
        texts[FOLDER / "shapes" / f"{step_type.name}.json"] = render(step_type, shapes)
    return texts | operation_files(lambda service: load(service, "service-2"))


def operation_files(load: Callable[[str], JsonObject]) -> dict[Path, str]:
    """Return the texts about operations: the index, what is not there, each module's shapes."""
    from pipelines.backends.local.operations.operation import (  # noqa: PLC0415 - see `step_types`
        declared_operations,
    )

    index: dict[str, JsonObject] = {}
    modules: dict[str, list[tuple[str, str]]] = {}
    for found in declared_operations():
        service, name = found.service, found.name
        if name not in load(service)["operations"] or xform_name(name) != found.method:
            raise SystemExit(f"{found.module}.{found.method} is not {name} of {service}")
        index.setdefault(service, {})[name] = [found.module, found.method]
        modules.setdefault(found.module, []).append((service, name))
    there = {service: dict(sorted(entries.items())) for service, entries in index.items()}
    elsewhere = {
        service: " ".join(sorted(load(service)["operations"].keys() - entries.keys()))
        for service, entries in there.items()
    }
    served = ",\n".join(f"{_compact(name)}:{_lines(there[name])}" for name in sorted(there))
    texts = {
        "index": f"{{{served}}}\n",
        "elsewhere": f"{_lines(dict(sorted(elsewhere.items())))}\n",
    }
    for module, names in modules.items():
        texts[module] = _module_text(sorted(names), load)
    return {OPERATIONS / "shapes" / f"{name}.json": text for name, text in texts.items()}


def _module_text(names: list[tuple[str, str]], load: Callable[[str], JsonObject]) -> str:
    operations: JsonObject = {}
    shapes: JsonObject = {}
    for service, name in names:
        model = load(service)
        described = model["operations"][name]
        ends = [described.get(end, {}).get("shape") for end in ("input", "output")]
        operations[name] = ends
        shapes |= _closure([end for end in ends if end], model["shapes"], _digest_of_api)
    return (
        f'{{"operations":{_lines(operations)},\n"shapes":{_lines(dict(sorted(shapes.items())))}}}\n'
    )


def main() -> int:
    """Write or compare the files; return the exit code."""
    parser = argparse.ArgumentParser(description="Digest botocore's shapes.")
    parser.add_argument("--check", action="store_true", help="compare only; 1 when outdated")
    arguments = parser.parse_args()
    outdated = 0
    for path, text in generate().items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        outdated += 1
        print(f"{'outdated' if arguments.check else 'written'}: {path.relative_to(PACKAGE)}")
        if not arguments.check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if arguments.check and outdated else 0


if __name__ == "__main__":
    raise SystemExit(main())
