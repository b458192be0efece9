"""The command that runs our model worker: the process that stands for an image's own server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.backends.local.hosting.worker.located import OWN
from pipelines.images import describe

if TYPE_CHECKING:
    from pipelines.backends.local.settings import LocalSettings

STAND_IN = "PIPELINES_MODEL_SERVER"
"""Names, in a job, the command that stands for the `serve` of its image (`programs/sample`)."""

_WORKER = Path(__file__).parent / "worker"
_BOOT = """\
import importlib.util as u, sys
def load(name, folder):
    spec = u.spec_from_file_location(name, folder + "/__init__.py")
    sys.modules[name] = u.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
load("_model_worker", sys.argv[1])
load("_model_worker.runtime", sys.argv[2])
from _model_worker.{module} import main
main(sys.argv[3:])
"""
"""The worker's own modules have names that the user's code cannot shadow."""


def worker_words(module: str, *arguments: str) -> list[str]:
    """Return the command, with a bare `python3`, that calls `main` of a module of the worker."""
    boot = _BOOT.replace("{module}", module)
    return ["python3", "-P", "-c", boot, str(_WORKER), str(_runtime()), *arguments]


def server_of(image: str) -> str:
    """Return what calls the code in an image, as `worker/main.py` takes it; "" if unknown."""
    found = describe(image)
    is_toolkit = found.serving == "sagemaker-toolkit"
    return (found.framework if is_toolkit else found.serving) or ""


def stand_in(image: str, kept: Path, settings: LocalSettings) -> dict[str, str]:
    """Return the variable for a job in an image: what its server is stood in for by.

    Of an image that nobody knows, `server` is "": where the archive has code, the general toolkit
    calls it. Nothing for images whose server calls no code.

    Args:
        image: the URI of the image.
        kept: where a copy of serving code is kept that fails.
        settings: how this machine stands in for SageMaker.
    """
    server = server_of(image)
    if server == OWN:
        return {}
    project = settings.home.absolute().parent
    _, *words = worker_words("stand_in", server, str(kept), str(project))
    command = [str(settings.interpreter.absolute()), *words]
    return {STAND_IN: json.dumps({"server": server, "words": command})}


def _runtime() -> Path:
    import pipelines.runtime  # noqa: PLC0415 - only its location is needed

    return Path(pipelines.runtime.__path__[0])
