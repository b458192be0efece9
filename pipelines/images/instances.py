"""Instance types: what they compute with, and whether an image fits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal

from pipelines.diagnostics import Severity
from pipelines.images.image import Image, ImageProblem

# m6g, c7gn, t4g, g5g: a digit, then a `g` that stands for Graviton
_GRAVITON: Final = re.compile(r"[a-z]+\d+g[a-z]*")
# p6e-gb200: NVIDIA's Grace beside its GPUs
_GRACE: Final = re.compile(r"-gb\d+$")


def accelerator_of(instance_type: str) -> Literal["cpu", "gpu"] | None:
    """Return what an instance type computes with; None for Graviton, Trainium and Inferentia."""
    family = instance_type.removeprefix("ml.").partition(".")[0]
    if not family or family.startswith(("trn", "inf")) or _GRAVITON.fullmatch(family):
        return None
    return "gpu" if family[0] in "gp" else "cpu"


def is_neuron(instance_type: str) -> bool:
    """Return whether an instance type computes with Inferentia or Trainium."""
    return instance_type.removeprefix("ml.").startswith(("trn", "inf"))


def architecture_of(instance_type: str) -> Literal["x86_64", "arm64"]:
    """Return the architecture of an instance type's processor."""
    family = instance_type.removeprefix("ml.").partition(".")[0]
    return "arm64" if _GRAVITON.fullmatch(family) or _GRACE.search(family) else "x86_64"


def first_unlike(types: Sequence[str]) -> tuple[str, str] | None:
    """Return what is wrong with a list of types that no one image runs on, and what to write."""
    first, *others = types
    for other in others:
        if _computes_with(other) != _computes_with(first):
            message = f"`instance_type` holds `{first}` and `{other}`, and no image runs on both"
            return message, "name types of one architecture and one accelerator"
    return None


def _computes_with(instance_type: str) -> tuple[str, str]:
    family = instance_type.removeprefix("ml.").partition(".")[0]
    accelerator = accelerator_of(instance_type) or family[:3]
    return architecture_of(instance_type), "" if accelerator == "cpu" else accelerator


def check_instance(image: Image, instance_type: str | None) -> ImageProblem | None:
    """Return what is odd about running an image on an instance, or None."""
    if image.accelerator is None or instance_type is None:
        return None
    available = accelerator_of(instance_type)
    if available == image.accelerator:
        return _check_cuda(image, instance_type)
    if available is None:
        return None
    if image.accelerator == "cpu":
        return ImageProblem(
            "SP404",
            f"`{instance_type}` has a GPU, which a CPU image cannot use",
            f"use the `-gpu` image of `{image.framework}`, or an instance without a GPU",
            Severity.WARNING,
        )
    return ImageProblem(
        "SP404",
        f"the image is built for a GPU, but `{instance_type}` has none",
        f"use the `-cpu` image of `{image.framework}`, or an instance with a GPU",
        Severity.WARNING,
    )


def check_instances(
    image: Image, instance_type: str | None, others: Iterable[str]
) -> Iterator[ImageProblem]:
    """Yield what is odd about running an image on an instance, and on others that it may get.

    A heterogeneous cluster may have CPU instances beside an image for GPUs: of others only the
    GPUs are looked at.
    """
    found = check_instance(image, instance_type)
    if found is not None:
        yield found
    for other in others:
        odd = _check_cuda(image, other) if other != instance_type else None
        if odd is not None:
            yield odd


def _check_cuda(image: Image, instance_type: str) -> ImageProblem | None:
    if image.cuda is None:
        return None
    from pipelines.images.gpus import check_cuda  # noqa: PLC0415 - most steps have no GPU

    return check_cuda(image, instance_type)
