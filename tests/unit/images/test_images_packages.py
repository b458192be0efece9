"""Which modules images and requirements bring."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pipelines.images
from pipelines.images import Image, describe, resolve, short_names
from pipelines.images.packages import (
    Modules,
    distribution_of,
    modules_of,
    named_by,
    of_image,
    of_requirements,
)
from pipelines.images.table import Scope, table

FOLDER = Path(pipelines.images.__file__).parent
FAMILIES = sorted(path.stem for path in (FOLDER / "package_lists").glob("*.json"))


def _image(name: str, scope: Scope = "training") -> Image:
    found = resolve(name, "us-east-1", "ml.m5.large", scope)
    assert isinstance(found, Image), found
    return found


@pytest.mark.parametrize(
    ("name", "scope", "brought", "missing"),
    [
        ("sklearn-1.9-cpu", "training", "sklearn pandas pyarrow yaml boto3 PIL", "matplotlib onnx"),
        ("sklearn-1.9-cpu", "inference", "sklearn sagemaker_inference", "onnxruntime torch"),
        ("sklearn-1.2-1", "training", "sklearn pandas pyarrow mlio requests", "matplotlib cv2"),
        ("sklearn-1.4-2-py312", "processing", "sklearn pandas distutils", "matplotlib xgboost"),
        ("xgboost-3.2-0", "training", "xgboost matplotlib dask pynvml", "lightgbm torch"),
        ("xgboost-1.7-1", "training", "xgboost sklearn smdebug", "lightgbm torch"),
        ("pytorch-2.13-cpu", "training", "torch seaborn cv2 onnx bs4 git", "xgboost transformers"),
        ("pytorch-2.14-gpu", "training", "torch flash_attn deepspeed", "optuna lightgbm"),
        (
            "tensorflow-2.21-cpu",
            "training",
            "tensorflow keras seaborn absl",
            "transformers xgboost",
        ),
        ("tensorflow-2.20-cpu", "inference", "grpc falcon pandas google", "tensorflow keras"),
        ("spark-3.5", "processing", "pyspark pandas boto3", "sklearn matplotlib"),
    ],
)
def test_an_image_brings_what_its_list_says(
    name: str, scope: Scope, brought: str, missing: str
) -> None:
    """By the names that are imported, which are not those of the distributions."""
    modules = of_image(_image(name, scope))
    assert modules.complete
    assert [module for module in brought.split() if not modules.may_have(module)] == []
    assert [module for module in missing.split() if modules.may_have(module)] == []


def test_an_image_may_be_named_by_its_uri() -> None:
    """AWS's own are known by repository and tag."""
    image = describe(_image("sklearn-1.9-cpu").uri)
    assert of_image(image) == of_image(_image("sklearn-1.9-cpu"))


@pytest.mark.parametrize(
    "image",
    [
        Image("111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:1"),
        Image("mine", framework="sklearn", version="9.9"),
        _image("pytorch-2.6-cpu"),
        _image("huggingface-pytorch-2.6-transformers-4.49-cpu", "inference"),
    ],
    ids=["own", "version", "old", "family"],
)
def test_of_an_image_without_a_list_nothing_is_known(image: Image) -> None:
    """It may have anything."""
    assert of_image(image) == Modules(frozenset(), complete=False)
    assert of_image(image).may_have("matplotlib")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_list_is_of_an_image_that_there_is(family: str) -> None:
    """Each list has its source, each is used, and each use is a version of the family's table."""
    known = json.loads((FOLDER / "package_lists" / f"{family}.json").read_text("utf-8"))
    used = {name for versions in known["images"].values() for name in versions.values()}
    assert used == set(known["lists"])
    assert all(one["source"] and one["distributions"] for one in known["lists"].values())
    rows = [
        (row["repository"], version)
        for scope in table(family)["scopes"].values()
        for version, row in scope["versions"].items()
    ]
    listed = {(name, v) for name, versions in known["images"].items() for v in versions}
    assert listed <= set(rows)


def test_the_newest_image_of_each_listed_family_is_known() -> None:
    """A new image in the tables wants its packages looked up."""
    unknown = [
        name
        for family in FAMILIES
        for name in short_names(family, "processing")[-1:]
        if not of_image(_image(f"{name}-cpu" if family != "spark" else name, "processing")).complete
    ]
    assert unknown == []


@pytest.mark.parametrize(
    ("line", "modules"),
    [
        ("matplotlib", "matplotlib mpl_toolkits pylab"),
        ("scikit_learn>=1.6", "sklearn scikit_learn"),
        ("Pillow == 12.0 ; python_version < '4'", "pillow pil"),
        ("pandas[parquet]", "pandas"),
        ("opencv-python-headless", "opencv_python_headless cv2"),
        ("google-cloud-storage", "google_cloud_storage google"),
        ("mine @ https://example.org/mine.whl", "mine"),
        ("numpy==2.1 --hash=sha256:00", "numpy"),
        ("git+https://example.org/mine.git", ""),
    ],
)
def test_a_line_names_modules(line: str, modules: str) -> None:
    """In whichever form a requirements file has it."""
    assert named_by([line]) == frozenset(modules.split())


def test_a_requirement_brings_what_it_depends_on() -> None:
    """As far as the installed metadata tell; matplotlib is an extra of pandas."""
    assert of_requirements(["pandas"]).may_have("numpy")
    assert of_requirements(["pandas"]).may_have("dateutil")
    assert not of_requirements(["pandas"]).may_have("matplotlib")
    assert of_requirements(["--no-cache", "matplotlib>=3"]).may_have("PIL")
    assert of_requirements(["pandas[plot]"]).may_have("matplotlib")
    assert of_requirements([]) == Modules(frozenset())
    assert all(map(str.isidentifier, of_requirements(["matplotlib"]).names))


@pytest.mark.parametrize(
    "line", ["no-such-distribution", "git+https://example.org/mine.git", "./mine.whl"]
)
def test_with_a_requirement_that_is_not_installed_anything_may_come(line: str) -> None:
    """What it depends on is in no file of this machine."""
    assert of_requirements(["pandas", line]).may_have("matplotlib")


@pytest.mark.parametrize(
    ("module", "distribution"),
    [
        ("cv2", "opencv-python"),
        ("sklearn", "scikit-learn"),
        ("PIL", "pillow"),
        ("yaml", "pyyaml"),
        ("tensorflow", "tensorflow"),
        ("onnxruntime", "onnxruntime"),
        ("matplotlib", "matplotlib"),
        ("lightgbm", "lightgbm"),
    ],
)
def test_a_module_leads_to_the_distribution_to_install(module: str, distribution: str) -> None:
    """The usual one, where several have it."""
    assert distribution_of(module) == distribution
    assert module.lower() in set(modules_of(distribution))
