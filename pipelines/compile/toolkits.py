"""The images of tuning steps, whose training jobs nothing but a toolkit starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipelines.compile.imports import StepCode
from pipelines.diagnostics import Finding, Severity
from pipelines.images.toolkits import starts_bundles

_WHY = "a tuning job takes no entrypoint, so that the toolkit of the image starts the script"


def check_toolkits(steps: Iterable[StepCode]) -> Iterator[Finding]:
    """Yield a finding for each image that cannot start the code of its step, or may not."""
    for step in steps:
        if not step.need.by_toolkit or step.need.job != "training":
            continue
        place = (*step.step, "image")
        match starts_bundles(step.image):
            case True:
                continue
            case False:
                message = f"`{step.image_name}` cannot start a tuning step: {_WHY}"
                advice = (
                    f"that of {step.image.framework} images installs it as a package, which a"
                    " bundle cannot be; use an image of scikit-learn or PyTorch, with"
                    f" `{step.image.framework}` in the requirements of the step"
                )
                yield Finding("SP417", message, place, help=advice)
            case None:
                message = f"it is not known whether `{step.image_name}` has a toolkit: {_WHY}"
                advice = "install `sagemaker-training` in it, and let it start `train`"
                yield Finding("SP417", message, place, help=advice, severity=Severity.WARNING)
