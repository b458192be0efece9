"""AWS's own images in another region, whose registry is another account's."""

from __future__ import annotations

import pytest

from pipelines.images.image import ImageProblem
from pipelines.images.regions import in_region
from pipelines.images.resolving import resolve
from pipelines.images.table import families, short_names


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"])
@pytest.mark.parametrize("family", [name for name in families() if name != "spark"])
def test_an_image_is_that_which_its_name_means_in_the_other_region(
    family: str, region: str
) -> None:
    """The newest of each family: the URI is the same as if it had been resolved there."""
    name = short_names(family, "inference")[-1]
    if family not in {"sklearn", "xgboost"}:
        name += "-cpu"
    here, there = (resolve(name, one, None, "inference") for one in ("us-east-1", region))
    assert not isinstance(here, ImageProblem)
    found = in_region(here.uri, region)
    if isinstance(there, ImageProblem):
        assert isinstance(found, ImageProblem)
    else:
        assert found == there.uri


def test_an_image_that_no_table_knows_is_in_the_registry_of_the_others() -> None:
    """djl-inference lies beside pytorch-inference, in each region."""
    uri = "763104351884.dkr.ecr.us-east-1.amazonaws.com/djl-inference:0.36@sha256:ab"
    moved = "727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/djl-inference:0.36@sha256:ab"
    assert in_region(uri, "cn-north-1") == moved
    assert in_region(uri, "us-east-1") == uri


def test_an_image_that_the_region_has_not_is_a_problem() -> None:
    """There is no sklearn image in mx-central-1."""
    uri = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
    problem = in_region(uri, "mx-central-1")
    assert isinstance(problem, ImageProblem)
    assert "is not offered in `mx-central-1`" in problem.message


@pytest.mark.parametrize(
    "uri",
    [
        "111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1",
        "683313688378.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3",
        "docker.io/library/python:3.12",
        "registry.example.com:5000/own",
    ],
)
def test_an_image_of_others_is_not_moved(uri: str) -> None:
    """An AWS account of one region is nobody's in another one."""
    assert in_region(uri, "eu-west-1") is None
