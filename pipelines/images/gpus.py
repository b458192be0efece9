"""Instance types' GPUs, against the CUDA that an image is built with.

A GPU runs what was compiled for its generation. A CUDA that is older than a generation has no code
for it: what it has for older ones may be translated when it is loaded, or not. One that is newer
than the last that knows a generation has none that could be.

Sources: NVIDIA's "CUDA GPU Compute Capability" and the release notes of the CUDA Toolkit: 12.0 ends
Kepler; 13.0 ends Maxwell, Pascal and Volta; 11.8 begins Hopper and Ada; 12.8 begins Blackwell. GPUs
of instances: EC2's DescribeInstanceTypes; of p2, p3 and p6e-gb200 AWS's pages of them, and the AWS
Batch user guide, "Run GPU jobs".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from pipelines.diagnostics import Severity
from pipelines.frozen import frozen
from pipelines.images.image import Image, ImageProblem

Version: TypeAlias = tuple[int, int]


@frozen
class Generation:
    """A generation of GPUs, with the first CUDA that knows it and the first that no longer does."""

    name: str
    first: Version
    end: Version | None = None

    def fits(self, cuda: Version) -> bool:
        """Return whether a CUDA has code for it."""
        return cuda >= self.first and (self.end is None or cuda < self.end)


_KEPLER: Final = Generation("Kepler", (6, 0), (12, 0))
_VOLTA: Final = Generation("Volta", (9, 0), (13, 0))
_TURING: Final = Generation("Turing", (10, 0))
_AMPERE: Final = Generation("Ampere", (11, 0))
_ADA: Final = Generation("Ada", (11, 0))  # runs what is compiled for Ampere
_HOPPER: Final = Generation("Hopper", (11, 8))
_BLACKWELL: Final = Generation("Blackwell", (12, 8))

_GPUS: Final = {
    "p2": ("K80", _KEPLER),
    "p3": ("V100", _VOLTA),
    "p3dn": ("V100", _VOLTA),
    "g4dn": ("T4", _TURING),
    "p4d": ("A100", _AMPERE),
    "p4de": ("A100", _AMPERE),
    "g5": ("A10G", _AMPERE),
    "g6": ("L4", _ADA),
    "gr6": ("L4", _ADA),
    "g6e": ("L40S", _ADA),
    "p5": ("H100", _HOPPER),
    "p5e": ("H200", _HOPPER),
    "p5en": ("H200", _HOPPER),
    "p6-b200": ("B200", _BLACKWELL),
    "p6-b300": ("B300", _BLACKWELL),
    "p6e-gb200": ("GB200", _BLACKWELL),
    "g7": ("RTX PRO 4500", _BLACKWELL),
    "g7e": ("RTX PRO 6000", _BLACKWELL),
}

_FOUR_TO_EIGHT: Final = {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8}
_TWO_TO_EIGHT: Final = {"12xlarge": 2, "24xlarge": 4, "48xlarge": 8}
_COUNTS: Final[Mapping[str, Mapping[str, int]]] = {
    "ml.g4dn": {"12xlarge": 4},
    "ml.g5": _FOUR_TO_EIGHT,
    "ml.g6": _FOUR_TO_EIGHT,
    "ml.g6e": _FOUR_TO_EIGHT,
    "ml.g7": _TWO_TO_EIGHT,
    "ml.g7e": _TWO_TO_EIGHT,
    "ml.p3dn": {"24xlarge": 8},
    "ml.p4d": {"24xlarge": 8},
    "ml.p4de": {"24xlarge": 8},
    "ml.p5": {"48xlarge": 8},
    "ml.p5e": {"48xlarge": 8},
    "ml.p5en": {"48xlarge": 8},
    "ml.p6-b200": {"48xlarge": 8},
    "ml.p6-b300": {"48xlarge": 8},
    "ml.p6e-gb200": {"36xlarge": 4},
    "ml.p2": {"8xlarge": 8, "16xlarge": 16},
    "ml.p3": {"8xlarge": 4, "16xlarge": 8},
}
"""How many GPUs the types of a family have, by size; one where nothing is written."""


def gpus_of(instance_type: str) -> int | None:
    """Return how many GPUs a type has; None where nothing is known of its family."""
    family, _, size = instance_type.rpartition(".")
    return _COUNTS[family].get(size, 1) if family in _COUNTS else None


def gpu_of(instance_type: str) -> str | None:
    """Return the GPU of an instance type; None where it has none, or it is not known."""
    known = _GPUS.get(instance_type.removeprefix("ml.").partition(".")[0])
    return None if known is None else known[0]


def check_cuda(image: Image, instance_type: str) -> ImageProblem | None:
    """Return what is wrong with the CUDA of an image on the GPUs of an instance type, or None."""
    known = _GPUS.get(instance_type.removeprefix("ml.").partition(".")[0])
    if known is None or image.cuda is None:
        return None
    gpu, generation = known
    cuda = _version(image.cuda)
    if generation.fits(cuda):
        return None
    what = f"the {gpu} of `{instance_type}` ({generation.name})"
    if cuda < generation.first:
        needed = ".".join(map(str, generation.first))
        return ImageProblem(
            "SP419",
            f"the image is built with CUDA {image.cuda}, which is older than {what}",
            f"name an image with CUDA {needed} or newer",
            Severity.WARNING,
        )
    return ImageProblem(
        "SP419",
        f"the image is built with CUDA {image.cuda}, which has no code for {what}",
        f"name an image with a CUDA before {_end(generation)}, or a newer instance type",
    )


def _end(generation: Generation) -> str:
    return ".".join(map(str, generation.end or ()))


def _version(text: str) -> Version:
    major, _, minor = text.partition(".")
    return int(major), int(minor or 0)
