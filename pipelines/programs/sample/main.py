"""Ask a packaged model the sample request, before it is registered.

Config: `{"path": FILE, "content_type": TYPE}`; the file is relative to the bundle's code folder,
which is the working directory. The model lies unpacked in SM_MODEL_DIR; the variables of the job
are those that the model will be served with. The job runs in the serving image, with the role of
users' code: what runs here is the model's own code.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.runtime.errors import JobError
from pipelines.runtime.server import Answer, ServerError, ServingProcess

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.runtime.layout import Layout

STAND_IN = "PIPELINES_MODEL_SERVER"
"""Set by the local SageMaker: JSON, the `words` that stand for the `serve` of the image, and its
`server`; where that is "", they only serve archives with code."""

_ENTRYPOINT = "/usr/local/bin/sagemaker_entrypoint.sh"
"""What AWS's images on Amazon Linux 2023 start: Ray Serve, vLLM, Hugging Face (FACTS 12.18).

It goes before `serve`, which in the image of Ray Serve is a command of Ray's.
"""

_OLDER_ENTRYPOINT = "/usr/local/bin/dockerd-entrypoint.py"
"""What the images of PyTorch up to 2.6 and of Hugging Face start with the word `serve`.

Their toolkits bring a `serve` that does the same and ends where the server ends; so do those of
sklearn, XGBoost and TensorFlow Serving, which have no entrypoint for it (FACTS 12.18).
"""

_START_SECONDS, _ANSWER_SECONDS = 600.0, 900.0
_SHOWN = 500
_REFUSED = 400


def main(config: dict[str, object], layout: Layout) -> int:
    """Start the server of the image and send it the request.

    Raises:
        JobError: the model does not load, or does not answer the request.
    """
    model = _in_place(Path(os.environ.get("SM_MODEL_DIR") or layout.model_dir), layout.model_dir)
    given = _given(layout)
    environment = _environment({**os.environ, **given}, model, Path.cwd().parent, set(given))
    command = _command(environment, model)
    if command is None:
        print(
            "NOT TRIED: there is no server to start: no `serve` on the PATH, nor the entrypoint"
            " of AWS's images. The model is registered without having answered the sample."
        )
        return 0
    path, content_type = Path(str(config["path"])), str(config["content_type"])
    try:
        answer = _ask(command, environment, path.read_bytes(), content_type)
    except ServerError as error:
        raise JobError(f"The packaged model does not answer the sample request: {error}") from None
    said = answer.body.decode("utf-8", "replace").strip()[:_SHOWN]
    if answer.status >= _REFUSED:
        raise JobError(
            f"The packaged model refuses the sample request `{path}`: HTTP {answer.status}: {said}"
        )
    print(f"the model answered {path} with HTTP {answer.status}, {answer.content_type}: {said}")
    print(f"not tried: {_untried(os.environ)}")
    return 0


def _command(environment: Mapping[str, str], model: Path) -> list[str] | None:
    """Return what starts the image's server; None where that is not known."""
    stand_in = json.loads(environment.get(STAND_IN) or "{}")
    if stand_in and (stand_in["server"] or (model / "code").is_dir()):
        return [str(word) for word in stand_in["words"]]
    if Path(_ENTRYPOINT).is_file():
        return ["/bin/bash", _ENTRYPOINT, "serve"]
    serve = shutil.which("serve", path=environment.get("PATH"))
    if serve is not None:
        return [serve]
    if Path(_OLDER_ENTRYPOINT).is_file():
        python = shutil.which("python", path=environment.get("PATH")) or sys.executable
        return [python, _OLDER_ENTRYPOINT, "serve"]
    return None


def _ask(
    command: list[str], environment: Mapping[str, str], body: bytes, content_type: str
) -> Answer:
    server = ServingProcess(command, environment)
    try:
        server.wait(_START_SECONDS)
        headers = {"Content-Type": content_type, "Accept": "*/*"}
        return server.ask(body, headers, _ANSWER_SECONDS)
    finally:
        server.stop()


def _untried(environment: Mapping[str, str]) -> str:
    """Name what this says nothing of."""
    if STAND_IN in environment:
        return "the image itself, whose model server is stood in for here"
    return (
        "the endpoint's instance type, memory and network, and whether the model loads in the time"
        " that the endpoint gives it"
    )


def _in_place(model: Path, place: Path) -> Path:
    """Let the model lie where servers look for it, in /opt/ml/model."""
    if place != model:
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()
        place.symlink_to(model, target_is_directory=True)
    return place


def _given(layout: Layout) -> dict[str, str]:
    """Return the variables of the job's request: those of the model's container."""
    config = layout.config_dir / "processingjobconfig.json"
    request = json.loads(config.read_text(encoding="utf-8")) if config.is_file() else {}
    return dict(request.get("Environment") or {})


def _environment(
    outer: Mapping[str, str], model: Path, scratch: Path, given: set[str]
) -> dict[str, str]:
    """Return the environment of the server: the job's, without what is the job's alone.

    A container may have an `SM_` variable of its own, such as SM_RAYSERVE_APP or SM_VLLM_MODEL.
    """
    kept = {name: v for name, v in outer.items() if name in given or not name.startswith("SM_")}
    paths = [path for path in outer.get("PYTHONPATH", "").split(os.pathsep) if path]
    inside = f"{scratch}{os.sep}"
    kept["PYTHONPATH"] = os.pathsep.join(path for path in paths if not path.startswith(inside))
    return {**kept, "SM_MODEL_DIR": str(model)}
