"""`paths:` of a processing step: the folders that a script with fixed paths expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipelines.diagnostics import Finding
from pipelines.diagnostics.nearest import nearest
from pipelines.kinds.base.jobs import CODE, INPUT_ROOT, OUTPUT_ROOT
from pipelines.spec.values import normal_path

_ROOT = "/opt/ml/processing"


def check_paths(
    paths: Mapping[str, str], inputs: Sequence[str], outputs: Sequence[str], *, has_code: bool
) -> Iterator[Finding]:
    """Find names that the step does not have, and folders that cannot be theirs."""
    names = [*inputs, *outputs]
    usual = [(INPUT_ROOT, name) for name in inputs] + [(OUTPUT_ROOT, name) for name in outputs]
    taken = {f"{root}/{name}": f"`{name}`" for root, name in usual if name not in paths}
    if has_code:
        taken[f"{INPUT_ROOT}/{CODE}"] = "the code of the step"
    for name, path in paths.items():
        at, folder = ("paths", name), normal_path(path)
        owner = taken.setdefault(folder, f"`{name}`")
        if name not in names:
            close = nearest(name, tuple(names))
            advice = f"did you mean `{close}`?" if close else f"known are {', '.join(names)}"
            message = f"the step has no input or output `{name}`"
            yield Finding("SP130", message, at, at="key", help=advice)
        elif names.count(name) > 1:
            message = f"`{name}` is an input and an output: the path could be of either"
            yield Finding("SP130", message, at, at="key", help="rename one of them")
        elif not folder.startswith(f"{_ROOT}/"):
            message = f"`{path}` is not below {_ROOT}/"
            yield Finding("SP122", message, at, help=f"such as {_ROOT}/{name}")
        elif owner != f"`{name}`":
            message = f"`{path}` is the folder of {owner} already"
            yield Finding("SP130", message, at, help=f"such as {_ROOT}/{name}")
