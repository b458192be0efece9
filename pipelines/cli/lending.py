"""`run --strict-requirements`: each step's image and requirements → the modules that it is lent.

What a job may import is written to a file of `.pipelines/env`, which its interpreters read at their
start. Steps that run a program of ours have what that needs; of an image whose packages are not
known nothing is withheld.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pipelines.cli.printing import echo
from pipelines.compile.model import Compiled
from pipelines.definition.needs import assets_in, images_of
from pipelines.definition.steps import Step, take_apart
from pipelines.images.packages import of_container
from pipelines.images.table import describe
from pipelines.json_types import JsonObject
from pipelines.runtime.bundle import Job

_TOOLS = ("pip", "setuptools", "wheel")
"""What every image has, whether its list says so or not."""


_INSTALLED = frozenset({"site-packages", "dist-packages"})
"""The folders that packages are installed into; the standard library stands above them."""


def lent_modules(compiled: Compiled, home: Path) -> dict[str, Path]:
    """Write what each step that runs the user's code may import; return the files by step.

    Args:
        compiled: the pipeline.
        home: the `.pipelines` folder.
    """
    jobs = {asset.uri: asset.job for asset in compiled.code}
    files: dict[str, Path] = {}
    for step, job in _own_code(json.loads(compiled.definition), jobs):
        lines = [str(line) for line in (job.requirements or {}).get("lines") or ()]
        for uri in list(images_of(step))[:1]:
            modules = of_container(describe(uri), [*lines, *_TOOLS])
            if modules is None:
                known = f"which packages {uri} has is not known"
                echo(f"warning: {step.name}: {known}: nothing is withheld from it", err=True)
            else:
                files[step.name] = _write(uri, modules, home / "env")
    return files


def _own_code(definition: JsonObject, jobs: Mapping[str, Job]) -> Iterator[tuple[Step, Job]]:
    """Yield the steps that run the user's code, each with the configuration of its job."""
    for step in take_apart(definition).steps:
        for asset in assets_in(step.apart):
            job = jobs.get(asset.uri)
            if job is not None and job.program is None:
                yield step, job


def _write(image: str, modules: Iterable[str], folder: Path) -> Path:
    lent = {
        "image": f"the image {image.rpartition('/')[2]}",
        "modules": sorted(modules),
        "folders": sorted({path for path in sys.path if _INSTALLED & {*Path(path).parts}}),
    }
    text = json.dumps(lent)
    file = folder / f"strict-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        written = file.with_suffix(f".{id(text)}")
        written.write_text(text, encoding="utf-8")
        written.replace(file)
    return file.absolute()
