"""Which framework an image brings, and which requirements replace it."""

from __future__ import annotations

import pytest

from pipelines.images import Image, resolve
from pipelines.images.frameworks import Framework, frameworks_of
from pipelines.images.table import Scope


def _image(name: str, scope: Scope = "training") -> Image:
    found = resolve(name, "us-east-1", "ml.g5.xlarge" if "gpu" in name else "ml.m5.large", scope)
    assert isinstance(found, Image), found
    return found


@pytest.mark.parametrize(
    ("name", "scope", "expected"),
    [
        ("pytorch-2.13-cpu", "training", {"torch": "2.13"}),
        ("pytorch-2.5.1-cpu", "training", {"torch": "2.5.1"}),
        ("tensorflow-2.21-cpu", "training", {"tensorflow": "2.21"}),
        ("tensorflow-1.15.5-py37-cpu", "training", {"tensorflow": "1.15.5"}),
        ("tensorflow-2.20-cpu", "inference", {}),
        ("sklearn-1.9-cpu", "processing", {"scikit-learn": "1.9"}),
        ("sklearn-1.4-2-py312", "training", {"scikit-learn": "1.4"}),
        ("xgboost-3.2", "training", {"xgboost": "3.2"}),
        ("xgboost-1", "training", {}),
        ("spark-3.5", "processing", {"pyspark": "3.5"}),
        (
            "huggingface-pytorch-2.9-transformers-5.3-gpu",
            "training",
            {"torch": "2.9", "transformers": "5.3.0"},
        ),
    ],
)
def test_an_image_brings_the_frameworks_of_its_name(
    name: str, scope: Scope, expected: dict[str, str]
) -> None:
    """Hugging Face images bring two; TensorFlow Serving has none in its Python."""
    found = {one.distribution: one.version for one in frameworks_of(_image(name, scope))}
    assert found == expected


def test_nothing_is_known_of_another_image() -> None:
    """By its URI alone nobody knows what it brings."""
    assert frameworks_of(Image("111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:1")) == ()


@pytest.mark.parametrize(
    "line",
    [
        "torch==2.9",
        "torch == 2.9.1",
        "torch===2.9.0",
        "Torch==2.9.*",
        "torch==2",
        "torch~=2.9.0",
        "torch~=2.14",
        "torch<2.13",
        "torch<=2.12",
        "torch<=2.12.9",
        "torch>2.14",
        "torch>=2.14",
        "torch>=2.13.1,<2.13",
        "torch>=2,!=2.13.*",
        "torch (==2.9)",
        "torch[opt]==2.9 --hash=sha256:00",
        "torch==2.9.0+cu128",
        "torch @ https://example.org/torch.tar.gz",
        "torch @ https://example.org/torch-2.9.0-cp312-cp312-linux_x86_64.whl",
        "https://example.org/torch-2.9.0-cp312-cp312-linux_x86_64.whl",
        "wheels/torch-2.9.0-cp312-cp312-linux_x86_64.whl",
    ],
)
def test_a_requirement_that_no_version_of_the_image_meets_replaces_it(line: str) -> None:
    """Whatever the form: a pin, a range, an archive."""
    assert Framework("torch", "2.13").is_replaced_by(line)


@pytest.mark.parametrize(
    "line",
    [
        "torch",
        "torch[opt]",
        "torch==2.13",
        "torch==2.13.*",
        "torch==2.13.1",
        "torch==2.13.0+cpu",
        "torch==2.*",
        "torch~=2.9",
        "torch~=2.13.0",
        "torch>=2.9",
        "torch>2.13",
        "torch>=2.13.1",
        "torch<3",
        "torch<=2.13",
        "torch!=2.13.0",
        "torch!=2.9.*",
        "torch>=2.9,<3",
        "torch==2.9; python_version < '3.9'",
        "torch @ https://example.org/torch-2.13.0-cp312-cp312-linux_x86_64.whl",
        "torchvision==0.20",
        "numpy<2",
        "--extra-index-url https://example.org/torch==2.9",
        "git+https://example.org/torch.git",
        "torch=2.9",
    ],
)
def test_a_requirement_that_the_image_may_meet_replaces_nothing(line: str) -> None:
    """Patch numbers that the image's name lacks may be any; a condition may not hold."""
    assert not Framework("torch", "2.13").is_replaced_by(line)


@pytest.mark.parametrize(
    "line", ["torch>2.5.1", "torch==2.5.0", "torch<2.5.1", "torch>=2.5.2", "torch!=2.5.1,>2"]
)
def test_a_version_with_its_patch_number_is_exact(line: str) -> None:
    """There is only this one."""
    assert Framework("torch", "2.5.1").is_replaced_by(line)


@pytest.mark.parametrize(
    "line", ["tensorflow-cpu==2.20", "tensorflow_gpu<2.20", "tensorflow==2.20"]
)
def test_other_distributions_of_the_same_modules_count(line: str) -> None:
    """They install over the image's own files."""
    assert Framework("tensorflow", "2.21").is_replaced_by(line)


def test_an_installed_version_is_compared_as_far_as_the_name_goes() -> None:
    """With the local part of a build left out."""
    framework = Framework("torch", "2.13")
    assert framework.matches("2.13.1+cpu")
    assert not framework.matches("2.12.0+cpu")
