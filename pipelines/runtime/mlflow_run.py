"""`python -m pipelines.runtime.mlflow_run`: log the run that standard input describes, as JSON."""

from __future__ import annotations

import importlib
import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def main() -> int:
    """Log it; without the client, or where the place is not reached, say so in one line."""
    run = json.load(sys.stdin)
    try:
        mlflow = importlib.import_module("mlflow")
    except ImportError:
        return _said("mlflow is not installed in the Python of the job")
    try:
        _log(mlflow, run)
    except Exception as error:  # noqa: BLE001 - the job has ended well, whatever MLflow says
        return _said("%s: %s" % (type(error).__name__, error))
    return 0


def _log(mlflow: Any, run: dict[str, Any]) -> None:
    mlflow.set_experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME") or "Default")
    with mlflow.start_run(run_name=run["name"], tags=run["tags"]):
        if run["parameters"]:
            mlflow.log_params(run["parameters"])
        for name, values in run["metrics"].items():
            for step, value in enumerate(values):
                mlflow.log_metric(name, value, step=step)
        if os.path.isdir(run["model"]) and os.listdir(run["model"]):  # noqa: PTH112, PTH208 - text
            mlflow.log_artifacts(run["model"], "model")


def _said(why: str) -> int:
    lines = why.splitlines() or [""]
    print("pipelines: nothing was logged to MLflow: %s" % lines[0], file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
