"""What this machine provides for local runs, and what the steps of a pipeline need more.

`this_machine` looks, everything else is computed from what it saw.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipelines.backends.local.jobs import isolation
from pipelines.compile.imports import StepCode
from pipelines.extras import EXTRAS, how_to_install, missing
from pipelines.frozen import frozen
from pipelines.images.frameworks import FRAMEWORKS, frameworks_of
from pipelines.images.packages import distribution_of, modules_of, named_by, normal
from pipelines.images.standard_library import is_standard
from pipelines.runtime.requirements import is_met

_USES = {
    "aws": "calls to an account",
    "serve": "the local SageMaker's API",
    "tuning": "tuning steps",
    "validation": "validation steps",
}
_GIB = 1024**3
_MIB = 1024**2
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where a container finds the memory that it may use; cgroups version 2 and 1."""


@frozen
class MachineFact:
    """A finding: its subject, what was found, and what to do if something is missing."""

    subject: str
    text: str
    remedy: str | None = None


@frozen
class Machine:
    """What was seen of a machine; None where the system does not say it.

    Args:
        system: the operating system, for the reader.
        python: its Python, as `3.11.7`.
        isolation: how jobs are isolated, and why.
        cores: the processors that this process may use.
        memory: bytes that it may use.
        disk: free bytes where the project is.
        gpus: the names of the GPUs.
        installed: returns the version of a distribution, None where it is not installed.
        has_module: whether a module can be imported, by its top name.
        is_met: whether a line of a requirements file is met.
    """

    system: str
    python: str
    isolation: str
    cores: int
    memory: int | None
    disk: int | None
    gpus: tuple[str, ...]
    installed: Callable[[str], str | None]
    has_module: Callable[[str], bool]
    is_met: Callable[[str], bool]


def this_machine(folder: Path) -> Machine:
    """Examine this machine, for a project in a folder."""
    report = isolation.probe()
    return Machine(
        system=platform.platform(terse=True),
        python=platform.python_version(),
        isolation=f"{report.which}: {report.why}",
        cores=_cores(),
        memory=_memory(),
        disk=_free(folder),
        gpus=_gpus(),
        installed=_version,
        has_module=_has_module,
        is_met=is_met,
    )


def machine_facts(machine: Machine) -> Iterator[MachineFact]:
    """Return what a machine provides."""
    yield MachineFact("python", f"{machine.python} on {machine.system}")
    yield MachineFact("isolation", machine.isolation)
    yield MachineFact("docker", "not needed: jobs are processes of this machine")
    yield MachineFact("cores", str(machine.cores))
    yield MachineFact("memory", _size(machine.memory))
    yield MachineFact("disk", f"{_size(machine.disk)} free")
    yield MachineFact("gpu", ", ".join(machine.gpus) or "none that nvidia-smi knows")
    versions = ((name, machine.installed(name)) for name in FRAMEWORKS)
    found = [f"{name} {version}" for name, version in versions if version]
    yield MachineFact("frameworks", ", ".join(found) or "none installed")
    for extra, use in _USES.items():
        if lacking := missing(extra):
            remedy = f"for {use}: {how_to_install(extra)}"
            yield MachineFact(f"extra {extra}", f"without {', '.join(lacking)}", remedy)
        else:
            yield MachineFact(f"extra {extra}", "installed")


def step_facts(code: StepCode, machine: Machine) -> Iterator[MachineFact]:
    """Return what the code of a step needs and a machine lacks, or has otherwise than its image."""
    step = str(code.step[-1])
    for text, remedy in (
        *_frameworks(code, machine),
        *_requirements(code, machine),
        *_imports(code, machine),
        *_of_image(code, machine),
    ):
        yield MachineFact(step, text, remedy)


def size_facts(
    step: str, disk_gb: int | None, memory_mb: int | None, machine: Machine
) -> Iterator[MachineFact]:
    """Compare what the spec asks for a step with what there is; None where it asks for nothing."""
    if disk_gb and machine.disk is not None and disk_gb * _GIB > machine.disk:
        text = f"{disk_gb} GB of disk in the spec, {_size(machine.disk)} free here"
        yield MachineFact(step, text, "use less data (`run --sample`), or free some disk")
    if memory_mb and machine.memory is not None and memory_mb * _MIB > machine.memory:
        text = f"{memory_mb} MB of memory in the spec, {_size(machine.memory)} here"
        yield MachineFact(step, text, "use less data (`run --sample`), or a larger machine")


def _frameworks(code: StepCode, machine: Machine) -> Iterator[tuple[str, str]]:
    imported = _imported(code)
    for framework in frameworks_of(code.image):
        name, here = framework.distribution, machine.installed(framework.distribution)
        if here is None and imported & set(modules_of(name)):
            text = f"{name} is not installed here, {framework.version} in its image"
        elif here is not None and not framework.matches(here):
            text = f"{name} {here} here, {framework.version} in its image"
        else:
            continue
        yield text, f"python -m pip install '{framework.pin}'"


def _requirements(code: StepCode, machine: Machine) -> Iterator[tuple[str, str]]:
    own = [line for line in code.need.requirements if not machine.is_met(line)]
    if own:
        text = f"its program needs {', '.join(own)}"
        yield text, _of_program(own)
    given = code.need.requirements_file or code.need.vendored
    lines = [line for line in _lines(code) if line not in code.need.requirements]
    unmet = [line for line in lines if not line.startswith("-") and not machine.is_met(line)]
    if given is not None and unmet:
        text = f"not installed here, of {given.path}: {', '.join(unmet)}"
        where = "from its wheels " if given.mode == "wheels" else ""
        remedy = f"a run installs them {where}into .pipelines/env"
        if given.mode == "index":
            remedy += f"; to have them here: python -m pip install -r {given.path}"
        yield text, remedy


def _of_program(lines: Iterable[str]) -> str:
    """Return how to install what a built-in program needs: an extra, where it is one."""
    names = {normal(line.partition("=")[0].strip("<>~! ")) for line in lines}
    extra = next((extra for extra, has in EXTRAS.items() if names <= set(has)), None)
    return how_to_install(extra) if extra else f"python -m pip install {' '.join(sorted(names))}"


def _imports(code: StepCode, machine: Machine) -> Iterator[tuple[str, str]]:
    lines = (*_lines(code), *code.brought.requirements)
    told = {name for one in frameworks_of(code.image) for name in modules_of(one.distribution)}
    known = told | named_by(lines)
    absent = sorted(
        module
        for module in _imported(code)
        if module.lower() not in known and not machine.has_module(module)
    )
    if absent and not code.brought.elsewhere:
        packages = " ".join(dict.fromkeys(map(distribution_of, absent)))
        yield (
            f"imports {', '.join(absent)}, not installed here",
            f"python -m pip install {packages}",
        )


def _of_image(code: StepCode, machine: Machine) -> Iterator[tuple[str, str]]:
    here = ".".join(machine.python.split(".")[:2])
    there = code.image.python
    if there is not None and there != here:
        remedy = f"use what both have, or run the tool with a Python {there}"
        yield f"Python {here} here, {there} in its image", remedy
    if code.image.accelerator == "gpu" and not machine.gpus:
        yield "its image is for a GPU, there is none here", "let the script use the CPU as well"


def _imported(code: StepCode) -> set[str]:
    tops = {one.names[0].partition(".")[0] for one in code.imports}
    return {top for top in tops if not is_standard(top)}


def _lines(code: StepCode) -> tuple[str, ...]:
    job = code.plan.job
    given = job.requirements or job.config.get("requirements") or {}
    return tuple(map(str, given.get("lines") or ()))


def _size(size: int | None) -> str:
    return "not known" if size is None else f"{size / _GIB:.1f} GB"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _has_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # a module without a spec, such as `__main__`
        return name in sys.modules


def _cores() -> int:
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1


def _memory() -> int | None:
    """Return the memory of the machine, or of the container where that has less."""
    found = []
    with suppress(ValueError, OSError):  # a name that this system does not have
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for limit in _LIMITS:
        with suppress(ValueError, OSError):  # no such file, or `max`
            found.append(int(Path(limit).read_text("ascii")))
    return min(found, default=None)


def _free(folder: Path) -> int | None:
    with suppress(OSError):
        return shutil.disk_usage(folder).free
    return None


def _gpus() -> tuple[str, ...]:
    command = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):  # no driver; one that hangs
        return ()
    lines = done.stdout.splitlines() if done.returncode == 0 else []
    return tuple(line.strip() for line in lines if line.strip())
