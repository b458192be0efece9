"""Runs executions in threads of this process, as the service runs them behind its API."""

from __future__ import annotations

import logging
import threading

from pipelines.backends.local.engine.context import RunOptions
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalApi
from pipelines.errors import PipelinesError

_PATIENCE_SECONDS = 0.2

_log = logging.getLogger("pipelines.api")


class ExecutionRunner:
    """Runs the executions that are started, and stops all of them at the end.

    Args:
        sagemaker: where the executions are recorded.
        api: what their jobs call.
    """

    def __init__(self, sagemaker: LocalSageMaker, api: LocalApi) -> None:
        self._sagemaker = sagemaker
        self._options = RunOptions(api=api)
        self._threads: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()
        self._closed = False
        sagemaker.run_started_by(self._run)

    def close(self) -> None:
        """Stop the running executions and wait for them; they can be resumed."""
        with self._lock:
            self._closed = True
            threads = dict(self._threads)
        for arn, thread in threads.items():
            while thread.is_alive():  # requested again: it may not have been listening yet
                self._sagemaker.request_stop(arn)
                thread.join(_PATIENCE_SECONDS)

    def _run(self, arn: str) -> None:
        """Run an execution, unless it runs: the same client token runs nothing twice."""
        with self._lock:
            known = self._threads.get(arn)
            if not self._closed and (known is None or not known.is_alive()):
                thread = threading.Thread(target=self._execute, args=(arn,), name=f"run {arn}")
                alive = {known: one for known, one in self._threads.items() if one.is_alive()}
                self._threads = {**alive, arn: thread}
                thread.start()

    def _execute(self, arn: str) -> None:
        try:
            self._sagemaker.run(arn, self._options)
        except PipelinesError as error:  # stopped before it began, or run by another process
            _log.info("%s is not run: %s", arn, error.problem)
        except Exception:  # noqa: BLE001 - the outermost frame of this thread
            _log.exception("internal error while running %s", arn)
