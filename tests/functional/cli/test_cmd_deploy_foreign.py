"""Versions that others registered in the group: deployed as they are, or refused with a reason."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from pipelines.cli.target import open_sagemaker
from pipelines.json_types import JsonObject
from tests.functional.cli.multiplying_project import SERVE, Project, write_project

STORE = "s3://pipelines-000000000000/theirs"
OWN_IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/mlflow-pyfunc:3"
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


def source(uri: str, data: str, compression: str) -> JsonObject:
    """Write a ModelDataSource."""
    where = {"S3Uri": uri, "S3DataType": data, "CompressionType": compression}
    return {"ModelDataSource": {"S3DataSource": where}}


PLAIN = source(f"{STORE}/plain/", "S3Prefix", "None")
ARCHIVE = source(f"{STORE}/model.tar.gz", "S3Object", "Gzip")
LONE = source(f"{STORE}/plain/factor", "S3Object", "None")
CODE = {"Environment": {"SAGEMAKER_SUBMIT_DIRECTORY": f"{STORE}/code.tar.gz"}}


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Give a project whose first version, which multiplies by 21, is live; store other models."""
    project = write_project(tmp_path_factory.mktemp("foreign"))
    project.register(21, "-p", "approval_status=Approved")
    with open_sagemaker(project.folder / "pipeline.yaml") as sagemaker:
        objects = sagemaker.objects
        objects.put_bytes(f"{STORE}/plain/factor", b"5")
        objects.put_bytes(f"{STORE}/plain/code/inference.py", SERVE.encode())
        objects.put_bytes(f"{STORE}/code.tar.gz", packed({"inference.py": SERVE}))
        content = {"factor": "5", "code/inference.py": SERVE}
        objects.put_bytes(f"{STORE}/model.tar.gz", packed(content))
        objects.put_bytes(f"{STORE}/damaged.tar.gz", b"no archive")
    return project


def packed(files: dict[str, str]) -> bytes:
    """Make a model archive."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return made.getvalue()


def register(project: Project, *containers: JsonObject, image: str = OWN_IMAGE) -> str:
    """Register a version as a notebook does, with nothing of ours; return its name."""
    given = [{"Image": image, **one} for one in containers]
    what = {"InferenceSpecification": {"Containers": given}} if given else {}
    with open_sagemaker(Path(project.folder, "pipeline.yaml")) as sagemaker:
        made = sagemaker.create_model_package(ModelPackageGroupName="tiny", **what)
    return "tiny/" + str(made["ModelPackageArn"]).rpartition("/")[2]


@pytest.mark.parametrize(
    "container",
    [{"ModelDataUrl": f"{STORE}/model.tar.gz"}, ARCHIVE, PLAIN, {**LONE, **CODE}],
    ids=["archive", "archive by source", "prefix", "object and code beside it"],
)
def test_a_version_of_others_is_deployed_as_it_is(group: Project, container: JsonObject) -> None:
    """Without our metadata, in somebody's own image, compressed or not."""
    name = register(group, container)
    said = group.good("approve", "--local", name)
    assert f"tiny: {name} is live" in said
    assert group.answer() == 10
    assert STORE in group.good("models", "--local", "show", name)
    assert "tiny: tiny/1 is live" in group.good("reject", "--local", name)
    assert group.answer() == 42


@pytest.mark.parametrize(
    ("containers", "reason"),
    [
        ((), "it was registered without a container that could serve it"),
        ((PLAIN, PLAIN), "it has 2 containers, and a serverless endpoint serves only one"),
        (({"ModelDataUrl": f"{STORE}/none.tar.gz"},), "there is no object at"),
        (({"ModelDataUrl": f"{STORE}/damaged.tar.gz"},), "cannot be used"),
        ((source(f"{STORE}/none/", "S3Prefix", "None"),), "does not exist"),
        (({"Image": SKLEARN},), "the model has no serving code"),
        (({**LONE, "Image": SKLEARN},), "the model has no serving code"),
    ],
)
def test_a_version_that_cannot_be_served_is_refused_with_a_reason(
    group: Project, containers: tuple[JsonObject, ...], reason: str
) -> None:
    """The command says why and fails; the version below goes on answering, whoever deploys."""
    name = register(group, *containers)
    failed = group.run("approve", "--local", name)
    assert failed.code == 5
    assert f"version {name.rpartition('/')[2]} failed on tiny" in failed.err
    assert reason in failed.err
    assert "tiny: tiny/1 is live" in group.good("deploy", "--local")
    assert group.answer() == 42
    group.good("reject", "--local", name)


@pytest.mark.parametrize("container", [{}, LONE], ids=["no model", "an object"])
def test_a_stub_in_the_place_of_somebodys_own_server_is_told(
    group: Project, container: JsonObject
) -> None:
    """No container is run here: the version goes live, and what answers is told."""
    name = register(group, container)
    done = group.run("approve", "--local", name)
    assert done.code == 0, done.err
    assert "tiny: a stub answers in its place: " in done.err
    assert "tiny: tiny/1 is live" in group.good("reject", "--local", name)


def test_a_package_without_a_group_is_no_version(group: Project) -> None:
    """Its ARN is refused by each command that takes a version, with the way out."""
    with open_sagemaker(group.folder / "pipeline.yaml") as sagemaker:
        arn = sagemaker.create_model_package(ModelPackageName="lone")["ModelPackageArn"]
    for words in (("approve", "--local"), ("reject", "--local"), ("models", "--local", "show")):
        refused = group.run(*words, arn)
        assert refused.code == 2
        assert "is a package by itself, not a version of a group" in refused.err
