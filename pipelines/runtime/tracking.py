"""A training that has ended → a run of MLflow, where the job's Python has the client.

The script finds the place in MLflow's own variables, for what it logs by itself. Nothing here ever
fails a job: what goes wrong is one line of its log.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, Mapping

    from .bundle import Job
    from .container import Container

URI_VARIABLE = "PIPELINES_MLFLOW_URI"
"""Where runs go on a machine that stands for SageMaker: never to the account's server."""

_FOLDERS = "MLFLOW_ALLOW_FILE_STORE"
"""Without it MLflow 3 refuses to keep runs in a folder; a database takes more than its client."""

_SECONDS = 600


def place(job: Job, outer: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that say where runs go; the user's own stay."""
    asked = (job.tracking or {}).get("mlflow") or {}
    here = outer.get(URI_VARIABLE)
    uri = here or asked.get("arn")
    if not asked or not uri:
        return {}
    found = {"MLFLOW_TRACKING_URI": outer.get("MLFLOW_TRACKING_URI") or uri}
    if here:
        found[_FOLDERS] = outer.get(_FOLDERS) or "true"
    return found


def run_of(job: Job, container: Container, model: Path, log: str) -> dict[str, Any] | None:
    """Return what is logged of a training that has ended well; None on all hosts but the first.

    Args:
        job: its static configuration.
        container: the platform's configuration.
        model: the folder of the model.
        log: the end of what the script has printed.
    """
    asked = (job.tracking or {}).get("mlflow") or {}
    if not asked or container.hosts.rank:
        return None
    return {
        "name": container.job_name,
        "parameters": container.hyperparameters,
        "metrics": {name: values_in(log, regex) for name, regex in asked["metrics"].items()},
        "model": str(model),
        "tags": {"pipelines.step": job.step},
    }


def log_run(
    run: dict[str, Any] | None, python: Path, environment: Mapping[str, str], tool: Path
) -> None:
    """Log a run with the Python of the job.

    Args:
        run: what to log; None for nothing.
        python: the interpreter.
        environment: that of the script, which says where to.
        tool: the folder that this package is in.
    """
    if run is None or "MLFLOW_TRACKING_URI" not in environment:
        return
    search = [str(tool), environment.get("PYTHONPATH", "")]
    own = {**environment, "PYTHONPATH": os.pathsep.join(filter(None, search))}
    words = [str(python), "-m", "pipelines.runtime.mlflow_run"]
    try:
        subprocess.run(words, input=json.dumps(run).encode(), env=own, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        print("pipelines: nothing was logged to MLflow: %s" % error, file=sys.stderr, flush=True)


def values_in(log: str, expression: str) -> list[float]:
    """Return the values of a metric; none where Python cannot read its expression."""
    try:
        found = re.findall(expression, log)
    except re.error:
        return []
    texts = (one[0] if isinstance(one, tuple) else one for one in found)
    values = []
    for text in texts:
        try:
            values.append(float(text))
        except ValueError:
            continue
    return values
