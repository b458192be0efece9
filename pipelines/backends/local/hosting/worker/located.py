"""Where the serving code of a model is: what AWS's serving toolkits read of their environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

PROGRAM, FOLDER = "SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY"
OWN, STUB = "own", "stub"
"""Servers that call no code: the image's own, and what answers in the place of one."""
_DEFAULT = "inference.py"
_WITHOUT_CODE = ("pytorch", "huggingface")
"""Toolkits whose defaults also load the model: an archive for them needs no code."""


class ServingCode(NamedTuple):
    """The folder of the serving code, and the module's file in it; "" where none is needed."""

    folder: str
    program: str


def locate(
    server: str, variables: Mapping[str, str], model_dir: str, is_file: Callable[[str], bool]
) -> ServingCode:
    """Find the serving code.

    Args:
        server: what calls it, as `main` takes it.
        variables: the environment of the container.
        model_dir: the folder of the model.
        is_file: returns whether a path is a file.

    Raises:
        FileNotFoundError: there is none, and the server needs some; `filename` names it.
    """
    default = f"{model_dir}/code"
    if server == "tensorflow-serving":  # it asks no variable, and needs no code
        return ServingCode(default, _DEFAULT if is_file(f"{default}/{_DEFAULT}") else "")
    folder = variables.get(FOLDER, default).removeprefix("file://").rstrip("/")
    program = variables.get(PROGRAM, _DEFAULT)
    if is_file(f"{folder}/{program}"):
        return ServingCode(folder, program)
    if server in _WITHOUT_CODE and PROGRAM not in variables:
        return ServingCode(folder, "")
    raise FileNotFoundError(0, "no serving code", f"{folder}/{program}")
