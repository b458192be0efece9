"""Which images have what a launcher of `distribution:` needs.

Sources: SDK v2, `SM_DATAPARALLEL_SUPPORTED_FRAMEWORK_VERSIONS` and
`UNSUPPORTED_DLC_IMAGE_FOR_SM_PARALLELISM`; the developer guide for PyTorch 2.3 (FACTS 3.1); SDK v3,
`pytorch-smp.json`; TensorFlow 2.16, which was the first without the package of Estimators.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from pipelines.images.frameworks import Framework, frameworks_of
from pipelines.images.image import Image

Versions: TypeAlias = tuple[tuple[int, int], tuple[int, int]]

_SMDDP: Final[dict[str, Versions]] = {
    "tensorflow": ((2, 3), (2, 11)),
    "torch": ((1, 6), (2, 3)),
}
"""The first and the last version of each framework whose GPU images have the library."""
_SMDDP_WITHOUT: Final = ("2.0", "12.1")
"""The build of PyTorch that lacks it, by its version and CUDA."""
_SMP: Final = "smdistributed-modelparallel"
"""The repository of the only images with version 2 of the library."""
_ESTIMATORS: Final[Versions] = ((1, 4), (2, 15))


def data_parallel(image: Image) -> str | None:
    """Return which images have SageMaker's data parallel library if this one does not."""
    known = _of(image, tuple(_SMDDP))
    is_gpu = image.accelerator != "cpu"
    found = next((one for one in known if _is_within(one, _SMDDP[one.distribution])), None)
    without = found is not None and (found.version[:3], image.cuda) == _SMDDP_WITHOUT
    if found is not None and is_gpu and not without:
        return None
    return "the GPU images of PyTorch 1.6 to 2.3 and TensorFlow 2.3 to 2.11 have it"


def model_parallel(image: Image) -> str | None:
    """Return which images have SageMaker's model parallel library if this one does not."""
    if f"/{_SMP}:" in image.uri:
        return None
    return f"the images of the repository {_SMP} have it: give the URI of one"


def estimators(image: Image) -> str | None:
    """Return which images have scripts with parameter servers if this one has not."""
    known = _of(image, ("tensorflow",))
    if any(_is_within(one, _ESTIMATORS) for one in known):
        return None
    return "the images of TensorFlow up to 2.15 have them"


def _of(image: Image, names: tuple[str, ...]) -> list[Framework]:
    return [one for one in frameworks_of(image) if one.distribution in names]


def _is_within(framework: Framework, versions: Versions) -> bool:
    major, minor, *_ = map(int, framework.version.split("."))
    first, last = versions
    return first <= (major, minor) <= last
