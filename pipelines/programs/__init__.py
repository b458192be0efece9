"""What built-in kinds run inside their jobs: one package per program, started by its `main.py`.

The package itself declares, in `DECLARATION`, what somebody has to know of the program who does not
run it. It imports nothing of what the program needs.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping
    from typing import NamedTuple as Record
else:
    from pipelines.runtime.record import Record


class Declaration(Record):
    """What a program needs.

    Args:
        python: the oldest Python that it runs on.
        actions: the IAM actions that it calls with the role of its job, each with the resources
            that it is called on: a resource of SageMaker's, `role` for the role that users' code
            runs with, a prefix of the pipeline in `aws.bucket`, or nothing where an action takes
            no resource. `{NAME}` is a variable of the step.
        endpoint: the variable of the step that names the endpoint whose models it creates.
        batch: the variable of the step that names the transform jobs that it starts.
        extra: the extra of the tool without which the program cannot run locally.
        further: actions that it calls only where its configuration has a member, by that member;
            `<NAME>` there is the objects below the URI that its member, or the variable of the
            step, of that name holds.
        vendors: the key of its configuration with the requirements that it installs by pip.
    """

    python: tuple[int, int]
    actions: Mapping[str, tuple[str, ...]] = {}
    extra: str | None = None
    endpoint: str | None = None
    batch: str | None = None
    vendors: str | None = None
    further: Mapping[str, Mapping[str, tuple[str, ...]]] = {}


def names() -> tuple[str, ...]:
    """Return the names of all programs, sorted: the packages beside this module."""
    return tuple(sorted(file.parent.name for file in Path(__file__).parent.glob("*/main.py")))


def declaration(name: str) -> Declaration:
    """Return what a program declares."""
    found: Declaration = import_module(f"{__name__}.{name}").DECLARATION
    return found
