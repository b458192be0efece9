"""Amazon SageMaker Pipelines from one YAML file.

For notebooks: `from pipelines import load, runs`. They are imported where they are first asked
for: this file is part of every job's bundle, and of every start of the tool.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipelines.notebooks import Run, RunStep, frame, load, metrics, runs

__all__ = ["Run", "RunStep", "frame", "load", "metrics", "runs"]

if not TYPE_CHECKING:

    def __getattr__(name):  # noqa: ANN001, ANN202 - checkers read the imports above
        if name not in __all__:
            raise AttributeError("module `pipelines` has no attribute `" + name + "`")
        from importlib import import_module  # noqa: PLC0415 - only for notebooks

        return getattr(import_module("pipelines.notebooks"), name)
