"""What belongs into a step's bundle: what a kind asks for, before any file is looked at."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from pipelines.diagnostics import Path
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject


@frozen
class ProjectFile:
    """A file or folder of the project; `at` is where the spec names it, below the step."""

    path: str
    at: Path
    what: Literal["script", "suite", "file", "folder"] = "file"


@frozen
class RequirementsFile:
    """The user's `requirements:`; `at` is where the spec has them, below the step."""

    path: str
    mode: Literal["index", "wheels"]
    wheels: str | None
    at: Path = ("requirements",)


@frozen
class CodeNeed:
    """A bundle: the script or program of a job and all that goes with it (decision 1).

    Args:
        job: which container layout the runtime will find.
        script: the user's script.
        program: the built-in program that runs instead.
        config: static configuration of the program.
        files: further files and folders of the project.
        entry: the module of serving code, which a server loads from the folder `config["source"]`;
            what it shares with the project gets into `config["shared"]`: the paths in the project,
            by those below that folder.
        source_dir: the folder that the script runs in, with all its files.
        include: globs of the spec's `include:`, which stands at `include_at`, below the step.
        requirements: requirement lines that the built-in program brings.
        requirements_file: the user's requirements, with their mode.
        vendored: requirements that the program gets in its `config` instead of the interpreter.
        distribution: the launcher.
        checkpoints: where the script keeps them, and whose it goes on with, as in `Job`.
        tracking: where event files and runs go, as in `Job`.
        model_input: the processing input that holds a model archive.
        outputs: names of the processing outputs.
        by_toolkit: whether the toolkit of its image starts it, which runs what is named `*.py`.
        account: whether the program's config gets `pipeline`, the pipeline's name, and `aws`.
    """

    job: Literal["training", "processing"]
    script: ProjectFile | None = None
    program: str | None = None
    config: JsonObject = field(default_factory=dict)
    files: tuple[ProjectFile, ...] = ()
    entry: ProjectFile | None = None
    source_dir: str | None = None
    include: tuple[str, ...] = ()
    include_at: Path = ("include",)
    requirements: tuple[str, ...] = ()
    requirements_file: RequirementsFile | None = None
    vendored: RequirementsFile | None = None
    distribution: JsonObject | None = None
    checkpoints: JsonObject | None = None
    tracking: JsonObject | None = None
    model_input: str | None = None
    outputs: tuple[str, ...] = ()
    by_toolkit: bool = False
    account: bool = False
