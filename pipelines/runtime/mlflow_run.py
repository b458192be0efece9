"""`python -m pipelines.runtime.mlflow_run`: log the run that standard input describes, as JSON."""

from __future__ import annotations

import importlib
import json
import os
import sys
from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator


def main() -> int:
    """Log it; without the client, or where the place is not reached, say so in one line."""
    run = json.load(sys.stdin)
    try:
        mlflow = importlib.import_module("mlflow")
    except ImportError:
        return _said("mlflow is not installed in the Python of the job")
    try:
        mlflow.set_experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME") or "Default")
        with mlflow.start_run(run_name=run["name"], tags=run["tags"]):
            for what, log in _parts(mlflow, run):
                _try(what, log)
    except Exception as error:  # noqa: BLE001 - the job has ended well, whatever MLflow says
        return _said(_text(error))
    return 0


def _parts(mlflow: Any, run: dict[str, Any]) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what there is to log: its name, and how. One may be refused, and the others not."""
    for name, value in run["parameters"].items():
        yield "the parameter %s" % name, partial(mlflow.log_params, {name: value})
    for name, values in run["metrics"].items():
        yield "the metric %s" % name, partial(_log_metric, mlflow, name, values)
    if os.path.isdir(run["model"]) and os.listdir(run["model"]):  # noqa: PTH112, PTH208 - text
        yield "the model", partial(mlflow.log_artifacts, run["model"], "model")


def _log_metric(mlflow: Any, name: str, values: list[float]) -> None:
    for step, value in enumerate(values):
        mlflow.log_metric(name, value, step=step)


def _try(what: str, log: Callable[[], object]) -> None:
    try:
        log()
    except Exception as error:  # noqa: BLE001 - one is refused, the others are logged
        text = "pipelines: %s was not logged to MLflow: %s" % (what, _text(error))
        print(text, file=sys.stderr, flush=True)


def _text(error: Exception) -> str:
    lines = str(error).splitlines() or [""]
    return "%s: %s" % (type(error).__name__, lines[0])


def _said(why: str) -> int:
    print("pipelines: nothing was logged to MLflow: %s" % why, file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
