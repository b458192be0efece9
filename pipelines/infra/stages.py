"""What each stage of a delivery runs: the commands of a person's desk, whoever runs the stage.

CodeBuild's buildspecs are made of these here; a workflow of another host is made of the same.
"""

from __future__ import annotations

import shlex
from typing import Final

from pipelines.frozen import frozen
from pipelines.infra.model import Delivery, Environment, Options

PLAN: Final = "plan.json"
COMPILED: Final = "compiled"
_PYTHON: Final = "python -P"
"""Without the folder that it runs in: a `json.py` there would stand before the library's."""

_TOOL: Final = f"{_PYTHON} -m pipelines"
_PIP: Final = f"{_PYTHON} -m pip install --quiet"
_PYTEST: Final = (
    f"{_PYTHON} -c 'import sys, pytest; sys.path.append(\".\"); sys.exit(pytest.main())'"
)
"""The project's modules come last, so that its tests find them and pytest finds its own."""


@frozen
class Stage:
    """One stage.

    Args:
        name: `validate`, `tests`, `plan` or `release`.
        commands: what it runs, in the repository's root, one after the other until one fails.
        minutes: after which it is stopped; None where that is a parameter.
        keeps: what of it is kept: paths relative to the root.
    """

    name: str
    commands: tuple[str, ...]
    minutes: int | None
    keeps: tuple[str, ...] = ()


def fetch(delivery: Delivery, options: Options, folder: str) -> tuple[str, ...]:
    """Return how a stage gets this tool: at the pinned version, from the bucket.

    Args:
        delivery: the spec.
        options: they name the wheel.
        folder: where it is put, as a word of the shell.
    """
    uri = f"s3://{delivery.first.aws.bucket}/{options.wheel_key}"
    return (f"aws s3 cp --only-show-errors {uri} {folder}/{options.wheel}",)


def install(delivery: Delivery, options: Options, folder: str) -> tuple[str, ...]:
    """Return how a stage installs this tool from where it was put."""
    constraints = shlex.quote(_in(delivery, "constraints.txt"))
    return (
        f'if [ -f {constraints} ]; then export PIP_CONSTRAINT="$PWD"/{constraints}; fi',
        f'{_PIP} {folder}/{options.wheel}"[aws]"',
    )


def validate(delivery: Delivery, output_format: str | None = None) -> Stage:
    """Return the checks of the spec, in every environment."""
    printed = "" if output_format is None else f" --format {output_format}"
    return Stage("validate", (f"{_TOOL} validate {_spec(delivery)}{printed}",), 15)


def tests(delivery: Delivery) -> Stage:
    """Return the project's unit tests, and its run on samples where one is asked for.

    pytest exits with 5 where there are none. The run's jobs get what the images are known to bring
    and what the steps require, and nothing else of what is installed.
    """
    requirements = shlex.quote(_in(delivery, "requirements.txt"))
    folder = shlex.quote(delivery.folder)
    return Stage(
        "tests",
        (
            f"if [ -f {requirements} ]; then {_PIP} -r {requirements}; fi",
            f"{_PIP} pytest",
            f"(cd {folder} && {_PYTEST}) || [ $? -eq 5 ]",
            *_trial(delivery),
        ),
        60,
    )


def _trial(delivery: Delivery) -> tuple[str, ...]:
    if not delivery.trial:
        return ()
    flags = f"{_flags(delivery, delivery.first)} {shlex.join(delivery.trial)}"
    return (f"{_TOOL} run {flags} --strict-requirements",)


def plan(delivery: Delivery, environment: Environment) -> Stage:
    """Return what says what would change; it changes nothing."""
    flags = _flags(delivery, environment)
    return Stage(
        "plan",
        (
            f"{_TOOL} compile {flags} -o {COMPILED}",
            f"{_TOOL} plan {flags} -o {PLAN}",
        ),
        30,
        (PLAN, f"{COMPILED}/*.json"),
    )


def review(delivery: Delivery, environment: Environment, file: str) -> tuple[str, ...]:
    """Return what writes the plan for a comment into a file, a word of the shell."""
    flags = _flags(delivery, environment)
    return (f"{_TOOL} plan {flags} --format markdown > {file}",)


def release(delivery: Delivery, environment: Environment, plan_file: str) -> Stage:
    """Return what does exactly what was planned, then runs the pipeline to its end.

    Args:
        delivery: the spec.
        environment: where.
        plan_file: where the plan lies, as a word of the shell.
    """
    flags = _flags(delivery, environment)
    return Stage(
        "release",
        (
            f"{_TOOL} upsert {flags} --plan {plan_file} --yes",
            f"{_TOOL} start {flags} --wait",
        ),
        None,
    )


def _spec(delivery: Delivery) -> str:
    return f"-f {shlex.quote(delivery.file)}"


def _flags(delivery: Delivery, environment: Environment) -> str:
    name = environment.name
    return _spec(delivery) + ("" if name is None else f" --env {shlex.quote(name)}")


def _in(delivery: Delivery, name: str) -> str:
    return name if delivery.folder == "." else f"{delivery.folder}/{name}"
