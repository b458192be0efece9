from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import images
from pipelines.diagnostics import Severity
from pipelines.images import Image, ImageProblem, Scope, check_instance, resolve
from pipelines.images.table import table

CPU, GPU = "ml.m5.xlarge", "ml.g5.xlarge"


def _uri(name: str, scope: Scope = "training", instance: str | None = None) -> str:
    image = resolve(name, "us-east-1", instance, scope)
    assert isinstance(image, Image), image
    return image.uri.partition("/")[2]


def _problem(name: str, scope: Scope = "training", **where: str) -> ImageProblem:
    found = resolve(name, where.get("region", "us-east-1"), where.get("instance"), scope)
    assert isinstance(found, ImageProblem), found
    return found


@pytest.mark.parametrize(
    ("name", "scope", "uri"),
    [
        ("pytorch-2.13-cpu", "training", "pytorch:2.13-cpu-amzn2023-sagemaker"),
        ("pytorch-2.13-gpu", "training", "pytorch:2.13-cu133-amzn2023-sagemaker"),
        ("pytorch-2.8-gpu", "training", "pytorch-training:2.8-gpu-py312"),
        ("pytorch-2.8.0-gpu", "training", "pytorch-training:2.8.0-gpu-py312"),
        ("pytorch-2.6-cpu", "inference", "pytorch-inference:2.6-cpu-py312"),
        ("tensorflow-2.21-gpu", "training", "tensorflow-training:2.21-gpu-py312"),
        ("tensorflow-2.20-cpu", "inference", "tensorflow-inference:2.20-cpu-py312"),
        ("sklearn-1.9-cpu", "processing", "sagemaker-scikit-learn:1.9-0-cpu-py3"),
        ("sklearn-1.9-0", "inference", "sagemaker-scikit-learn:1.9-0-cpu-py3"),
        ("sklearn-1.4", "inference", "sagemaker-scikit-learn:1.4-2-py312-cpu-py3"),
        ("xgboost-3.2", "training", "sagemaker-xgboost:3.2-0"),
        ("spark-3.5", "processing", "sagemaker-spark-processing:3.5-cpu-py312"),
        ("spark-3.5-py39", "processing", "sagemaker-spark-processing:3.5-cpu-py39"),
        (
            "huggingface-pytorch-2.6-transformers-4.49-gpu",
            "inference",
            "huggingface-pytorch-inference:2.6-transformers4.49.0-gpu-py312-cu124-ubuntu22.04",
        ),
    ],
)
def test_a_short_name_has_the_tag_of_its_version(name: str, scope: Scope, uri: str) -> None:
    """FACTS 4; every other combination is compared with the SDK in tests/conformance."""
    assert _uri(name, scope) == uri


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", "763104351884.dkr.ecr.us-east-1.amazonaws.com"),
        ("cn-north-1", "727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "442386744353.dkr.ecr.us-gov-west-1.amazonaws.com"),
        ("us-iso-east-1", "886529160074.dkr.ecr.us-iso-east-1.c2s.ic.gov"),
    ],
)
def test_each_partition_has_its_own_domain(region: str, host: str) -> None:
    """China and the isolated regions are not below amazonaws.com."""
    image = resolve("pytorch-2.2-cpu", region, None, "training")
    assert isinstance(image, Image)
    assert image.uri.startswith(f"{host}/")


@pytest.mark.parametrize(
    ("instance", "tag"),
    [(CPU, "cpu"), (GPU, "cu133"), ("ml.p5.48xlarge", "cu133"), ("ml.c7i.large", "cpu")],
)
def test_without_a_processor_the_instance_decides(instance: str, tag: str) -> None:
    """Families g and p have GPUs, Graviton apart."""
    assert f"-{tag}-" in _uri("pytorch-2.13", instance=instance)


def test_an_image_says_what_is_known_of_it() -> None:
    """Wheels are chosen by the Python, pictures of the plan name framework and version."""
    image = resolve("sklearn-1.9-cpu", "us-east-1", CPU, "processing")
    assert isinstance(image, Image)
    assert image.facts == {
        "python": "3.12",
        "framework": "sklearn",
        "version": "1.9-0",
        "accelerator": "cpu",
        "architecture": "x86_64",
        "serving": "sagemaker-toolkit",
    }


@pytest.mark.parametrize(
    ("name", "scope", "python", "serving"),
    [
        ("sklearn-1.2", "inference", "3.9", "sagemaker-toolkit"),
        ("xgboost-1.7", "inference", "3.8", "sagemaker-toolkit"),
        ("xgboost-1", "training", None, "own"),
        ("pytorch-2.6-cpu", "inference", "3.12", "sagemaker-toolkit"),
        ("pytorch-1.8.1-py3-cpu", "training", "3.6", None),
        ("pytorch-2.13-cpu", "training", "3.12", None),
        ("tensorflow-2.1-cpu", "inference", "3.6", "tensorflow-serving"),
        ("tensorflow-2.19-cpu", "inference", "3.12", "tensorflow-serving"),
        ("tensorflow-1.10-cpu", "training", "2.7", None),
        (
            "huggingface-pytorch-2.6-transformers-4.49-cpu",
            "inference",
            "3.12",
            "sagemaker-toolkit",
        ),
    ],
)
def test_the_table_knows_python_and_serving_contract(
    name: str, scope: Scope, python: str | None, serving: str | None
) -> None:
    """FACTS 12.12; what no source says is None, and so is the server of an image without one."""
    image = resolve(name, "us-east-1", None, scope)
    assert isinstance(image, Image), image
    assert (image.python, image.serving) == (python, serving)


def test_few_images_have_an_unknown_python() -> None:
    """Those whose Dockerfile takes the Miniconda of the day, and the oldest."""
    unknown = {
        f"{family}-{version}"
        for family in images.families()
        for found in table(family)["scopes"].values()
        for version, row in found["versions"].items()
        if row["python"] is None
    }
    assert unknown == {
        "pytorch-1.0",
        "pytorch-1.0-py3",
        "pytorch-1.0.0",
        "pytorch-1.0.0-py3",
        "sklearn-0.20.0",
        "xgboost-0.90-1",
        "xgboost-0.90-2",
        "xgboost-1",
    }


@pytest.mark.parametrize(
    ("uri", "python", "framework", "version"),
    [
        (
            "pytorch-training:2.8.0-gpu-py312-cu129-ubuntu22.04-sagemaker",
            "3.12",
            "pytorch",
            "2.8.0",
        ),
        ("pytorch-training:2.8-gpu-py312", "3.12", "pytorch", "2.8"),
        ("tensorflow-inference:2.4.1-cpu", "3.7", "tensorflow", "2.4.1"),
    ],
)
def test_an_image_of_aws_is_known_by_its_uri_too(
    uri: str, python: str, framework: str, version: str
) -> None:
    """A definition names URIs, and so may a spec: a full tag goes on behind the short one."""
    uri = f"763104351884.dkr.ecr.us-east-1.amazonaws.com/{uri}"
    image = images.describe(uri)
    assert (image.uri, image.python, image.framework, image.version) == (
        uri,
        python,
        framework,
        version,
    )


@pytest.mark.parametrize(
    "uri",
    [
        "111122223333.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.8-gpu-py312",
        "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.8-gpu-py999",
        "111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1",
        "public.ecr.aws/deep-learning-containers/pytorch:2.13",
        "python/own",
    ],
)
def test_a_uri_passes_through(uri: str) -> None:
    """Nobody but the user knows what is in it."""
    assert resolve(uri, "nowhere-1", "ml.trn1.2xlarge", "training") == Image(uri)


@pytest.mark.parametrize(
    ("problem", "code", "help_text"),
    [
        (_problem("pytroch-2.13"), "SP401", "did you mean `pytorch-"),
        (_problem("sklearn"), "SP401", "did you mean `sklearn-1.9`?"),
        (_problem("quux-1"), "SP401", "the families are"),
        (_problem("pytorch-2.31"), "SP402", "did you mean `pytorch-2.3`?"),
        (_problem("pytorch-2.13", "inference"), "SP402", "it is an image for training"),
        (_problem("pytorch-latest-cpu"), "SP402", "the newest training image is"),
        (_problem("spark-3.5"), "SP402", None),
        (_problem("sklearn-1.9-gpu"), "SP402", "it has cpu"),
        (_problem("sklearn-1.9", region="ap-southeast-7"), "SP403", "URI"),
        (_problem("pytorch-2.13", instance="ml.trn1.2xlarge"), "SP405", "URI"),
        (_problem("pytorch-2.13-cpu", instance="ml.m7g.large"), "SP405", "URI"),
        (_problem("pytorch-2.13"), "SP406", "`pytorch-2.13-cpu` or `pytorch-2.13-gpu`"),
    ],
    ids=lambda value: value.message if isinstance(value, ImageProblem) else None,
)
def test_a_name_without_an_image_says_why(
    problem: ImageProblem, code: str, help_text: str | None
) -> None:
    """With the nearest name, or the newest."""
    assert (problem.code, problem.severity) == (code, Severity.ERROR)
    assert help_text is None or help_text in (problem.help or "")


@pytest.mark.parametrize(
    ("name", "instance", "warned"),
    [
        ("pytorch-2.13-cpu", GPU, True),
        ("pytorch-2.13-gpu", CPU, True),
        ("pytorch-2.13-gpu", GPU, False),
        ("sklearn-1.9", CPU, False),
        ("sklearn-1.9", GPU, True),
        ("xgboost-3.2", GPU, False),
    ],
)
def test_an_image_and_an_instance_that_do_not_fit_are_a_warning(
    name: str, instance: str, *, warned: bool
) -> None:
    """SageMaker takes both; the bill shows it."""
    image = resolve(name, "us-east-1", instance, "training")
    assert isinstance(image, Image)
    found = check_instance(image, instance)
    assert (found is not None) is warned
    assert found is None or (found.code, found.severity) == ("SP404", Severity.WARNING)
    assert check_instance(image, None) is None


def test_every_table_is_small_enough_to_be_read_by_each_command() -> None:
    """One file a family, so that a name reads no other: its time is its size."""
    for path in (Path(images.__file__).parent / "tables").glob("*.json"):
        assert path.stat().st_size < 80_000, path.name


def test_the_names_of_a_family_all_have_an_image() -> None:
    """They are offered when a name is not found."""
    scopes: tuple[Scope, ...] = ("training", "inference", "processing")
    for family in images.families():
        for scope in scopes:
            for name in images.short_names(family, scope):
                found = resolve(name, "us-west-2", CPU, scope)
                assert isinstance(found, Image), found
