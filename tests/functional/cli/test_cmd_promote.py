"""`promote --local`: two projects stand in for two accounts, each with its local SageMaker."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.cli.target import open_sagemaker
from pipelines.json_types import JsonObject
from tests.functional.cli.in_process import Answer
from tests.functional.cli.multiplying_project import Project, write_project

STORE = "s3://pipelines-000000000000"
REPORT = b'{"auc": 0.75}'


@dataclass(frozen=True)
class Pair:
    """Two projects, each with a local SageMaker of its own: staging and prod."""

    staging: Project
    prod: Project

    def promote(self, name: str, *more: str) -> Answer:
        """Promote a version of staging to prod."""
        return self.staging.run("promote", "--local", name, "--to-file", self.file, *more)

    @property
    def file(self) -> str:
        """The spec file of prod."""
        return str(self.prod.folder / "pipeline.yaml")

    def sagemaker(self, project: Project) -> LocalSageMaker:
        """Open the local SageMaker of one of them."""
        return open_sagemaker(project.folder / "pipeline.yaml")

    def package(self, project: Project, number: int) -> JsonObject:
        """Describe a version of one of them."""
        arn = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/tiny/{number}"
        with self.sagemaker(project) as sagemaker:
            described: JsonObject = sagemaker.describe_model_package(ModelPackageName=arn)
        return described

    def versions(self) -> list[tuple[int, str]]:
        """Return the versions of prod: number and approval."""
        listed = json.loads(self.prod.good("models", "--local", "--format", "json"))
        return [(one["ModelPackageVersion"], one["ModelApprovalStatus"]) for one in listed]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Make both: staging has an approved version that is live, prod has only a group."""
    folder = tmp_path_factory.mktemp("accounts")
    for name in ("staging", "prod"):
        (folder / name).mkdir()
    pair = Pair(write_project(folder / "staging"), write_project(folder / "prod"))
    pair.staging.register(21)
    pair.staging.good("approve", "--local", "tiny/1", "--reason", "good enough")
    pair.prod.good("upsert", "--local")
    return pair


@pytest.fixture
def pair(once: Pair, tmp_path: Path) -> Pair:
    """Copy both."""
    folder = once.staging.folder.parent
    copied = shutil.copytree(folder, tmp_path / "accounts", symlinks=True)
    return Pair(Project(copied / "staging"), Project(copied / "prod"))


def snapshot(folder: Path) -> dict[str, bytes]:
    """Read every object of a store."""
    files = (file for file in (folder / ".pipelines" / "s3").rglob("*") if file.is_file())
    return {str(file): file.read_bytes() for file in files}


def test_a_version_goes_from_one_account_through_the_gate_of_the_other(pair: Pair) -> None:
    """Approved in staging, pending in prod, approved there, answering there; staging untouched."""
    before, package = snapshot(pair.staging.folder), pair.package(pair.staging, 1)
    promoted = pair.promote("tiny/latest")
    assert promoted.code == 0, promoted.err
    assert "tiny/1 was promoted as tiny/1 of the local SageMaker in" in promoted.out
    assert f"approve -f {pair.file} --local tiny/1" in promoted.out
    assert pair.versions() == [(1, "PendingManualApproval")]
    assert "waiting for approval of tiny/1" in pair.prod.good("deploy", "--local", "--dry-run")
    assert "tiny: tiny/1 is live" in pair.prod.good("approve", "--local", "tiny/1")
    assert pair.prod.answer() == 42
    assert snapshot(pair.staging.folder) == before
    assert pair.package(pair.staging, 1) == package
    shown = pair.prod.good("models", "--local", "show", "tiny/1")
    assert f"from {package['ModelPackageArn']}" in shown


def test_what_is_registered_is_what_was_evaluated(pair: Pair) -> None:
    """The archive has the same bytes, its SHA-256 and the source's ARN are in the metadata."""
    assert pair.promote("tiny/1").code == 0
    source, made = pair.package(pair.staging, 1), pair.package(pair.prod, 1)
    (before,) = source["InferenceSpecification"]["Containers"]
    (after,) = made["InferenceSpecification"]["Containers"]
    assert after["ModelDataUrl"].startswith(f"{STORE}/tiny/packages/promoted/")
    with pair.sagemaker(pair.staging) as staging, pair.sagemaker(pair.prod) as prod:
        archive = staging.objects.get_bytes(before["ModelDataUrl"])
        assert prod.objects.get_bytes(after["ModelDataUrl"]) == archive
    properties = made["CustomerMetadataProperties"]
    assert properties["promoted.from"] == source["ModelPackageArn"]
    assert properties["promoted.model"] == f"sha256:{hashlib.sha256(archive).hexdigest()}"
    kept = ("Image", "Environment")
    assert {name: before[name] for name in kept} == {name: after[name] for name in kept}
    assert made["MetadataProperties"] == source["MetadataProperties"]


def test_promoting_twice_makes_one_version(pair: Pair) -> None:
    """Also when it was decided on in the meantime; another version makes another one."""
    for _ in range(2):
        assert pair.promote("tiny/1").code == 0
    assert pair.versions() == [(1, "PendingManualApproval")]
    pair.prod.good("approve", "--local", "tiny/1")
    again = pair.promote("tiny/1")
    assert again.code == 0
    assert "tiny/1 is there already: tiny/1 of" in again.out
    assert "tiny/1 is Approved" in again.out
    pair.staging.register(5, "-p", "approval_status=Approved")
    assert pair.promote("tiny/2").code == 0
    assert pair.versions() == [(2, "PendingManualApproval"), (1, "Approved")]


def test_two_promotions_at_the_same_time_make_one_version(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one registers it between this one's last look and its own registration."""
    from botocore.client import BaseClient  # noqa: PLC0415 - costs botocore

    send = getattr(BaseClient, "_make_api_call")  # noqa: B009 - the stubs leave it out
    others: list[int] = []

    def overtaken(self: object, operation: str, request: object) -> object:
        if operation == "CreateModelPackage" and not others:
            others.append(0)
            others.append(pair.promote("tiny/1").code)
            assert pair.versions() == [(1, "PendingManualApproval")]
        return send(self, operation, request)

    monkeypatch.setattr(BaseClient, "_make_api_call", overtaken)
    promoted = pair.promote("tiny/1")
    assert promoted.code == 0, promoted.err
    assert others == [0, 0]
    assert "was promoted as tiny/1" in promoted.out
    assert pair.versions() == [(1, "PendingManualApproval")]


@pytest.mark.no_cover
def test_a_promotion_that_is_killed_at_each_call_in_turn_makes_one_version(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first attempt ends at its first call, the second at its second, until one gets through.

    None of them leaves anything behind that the next one stumbles over.
    """
    from botocore.client import BaseClient  # noqa: PLC0415 - costs botocore

    class KilledError(BaseException):
        """The process was killed here."""

    send, left = getattr(BaseClient, "_make_api_call"), [0]  # noqa: B009 - the stubs leave it out

    def killed(self: object, *words: object) -> object:
        left[0] -= 1
        if left[0] == 0:
            raise KilledError
        return send(self, *words)

    monkeypatch.setattr(BaseClient, "_make_api_call", killed)
    for attempt in range(1, 100):
        left[0] = attempt
        try:
            assert pair.promote("tiny/1").code == 0
            break
        except KilledError:
            assert len(pair.versions()) <= 1
    left[0] = 0
    assert attempt > 10, "calls of both sides were cut off"
    assert pair.versions() == [(1, "PendingManualApproval")]
    assert "tiny: tiny/1 is live" in pair.prod.good("approve", "--local", "tiny/1")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ModelApprovalStatus": "PendingManualApproval"}, "tiny/1 is PendingManualApproval: only"),
        ({"CustomerMetadataProperties": {"a": "b"}}, "tiny/1 was changed while it was promoted"),
    ],
)
def test_a_version_that_changes_while_it_is_copied_is_not_registered(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, change: JsonObject, said: str
) -> None:
    """An approval that is withdrawn in the meantime counts; so does any other content."""
    from pipelines.backends.aws.gateway import Gateway  # noqa: PLC0415 - costs botocore

    upload, arn = Gateway.upload, pair.package(pair.staging, 1)["ModelPackageArn"]

    def changed(self: Gateway, bucket: str, key: str, body: bytes | Path) -> None:
        upload(self, bucket, key, body)
        with pair.sagemaker(pair.staging) as sagemaker:
            sagemaker.update_model_package(ModelPackageArn=arn, **change)

    monkeypatch.setattr(Gateway, "upload", changed)
    refused = pair.promote("tiny/1")
    assert refused.code == 2
    assert said in refused.err
    assert pair.versions() == []


def test_a_version_jumps_over_no_gate(pair: Pair) -> None:
    """A pending or a rejected one stays where it is."""
    pair.staging.register(5)
    for status in ("PendingManualApproval", "Rejected"):
        refused = pair.promote("tiny/2")
        assert refused.code == 2
        assert f"tiny/2 is {status}: only an approved version can be promoted" in refused.err
        pair.staging.good("reject", "--local", "tiny/2")
    assert pair.versions() == []


def test_an_archive_that_was_swapped_after_its_registration_is_not_promoted(pair: Pair) -> None:
    """What was approved is no longer there: its ETag differs from what was registered."""
    (container,) = pair.package(pair.staging, 1)["InferenceSpecification"]["Containers"]
    with pair.sagemaker(pair.staging) as staging:
        staging.objects.put_bytes(container["ModelDataUrl"], b"another model")
    refused = pair.promote("tiny/1")
    assert refused.code == 2
    assert "is not what was registered: it has been overwritten since" in refused.err
    assert pair.versions() == []


def test_files_of_a_notebooks_version_come_along(pair: Pair) -> None:
    """Metrics, an uncompressed prefix, and the code that a variable names; text is kept."""
    where = "s3://notebook/x"
    source = {"S3Uri": f"{where}/model/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    with pair.sagemaker(pair.staging) as staging:
        for name, content in (("model/a", b"1"), ("model/b/c", b"2"), ("q.json", REPORT)):
            staging.objects.put_bytes(f"{where}/{name}", content)
        staging.objects.put_bytes(f"{where}/sourcedir.tar.gz", b"code")
        staging.create_model_package(
            ModelPackageGroupName="tiny",
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [
                    {
                        "Image": "111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1",
                        "ModelDataSource": {"S3DataSource": source},
                        "Environment": {
                            "SAGEMAKER_SUBMIT_DIRECTORY": f"{where}/sourcedir.tar.gz",
                            "ProductId": "7",
                        },
                    }
                ]
            },
            ModelMetrics={
                "ModelQuality": {
                    "Statistics": {"ContentType": "application/json", "S3Uri": f"{where}/q.json"}
                }
            },
            CustomerMetadataProperties={"team": "notebook"},
        )
    assert pair.promote("tiny/2").code == 0
    made = pair.package(pair.prod, 1)
    assert "s3://notebook" not in json.dumps(made, default=str)
    (container,) = made["InferenceSpecification"]["Containers"]
    statistics = made["ModelMetrics"]["ModelQuality"]["Statistics"]
    assert statistics["ContentDigest"] == f"sha256:{hashlib.sha256(REPORT).hexdigest()}"
    assert container["Environment"]["ProductId"] == "7"
    assert made["CustomerMetadataProperties"]["team"] == "notebook"
    prefix = container["ModelDataSource"]["S3DataSource"]["S3Uri"]
    with pair.sagemaker(pair.prod) as prod:
        assert prod.objects.get_bytes(f"{prefix}b/c") == b"2"
        assert prod.objects.get_bytes(statistics["S3Uri"]) == REPORT
        code = container["Environment"]["SAGEMAKER_SUBMIT_DIRECTORY"]
        assert prod.objects.get_bytes(code) == b"code"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("tiny/9",), "the group tiny has no version 9"),
        (("none/1",), "there is no model package group `none`"),
        (("tiny",), "write GROUP/NUMBER or GROUP/latest"),
    ],
)
def test_a_mistake_is_told_before_anything_changes(
    once: Pair, words: tuple[str, ...], said: str
) -> None:
    """A version that is not there, and a name that is none."""
    refused = once.promote(*words)
    assert refused.code == 2
    assert said in refused.err


def test_an_account_that_was_not_set_up_is_named_with_the_way_out(
    once: Pair, tmp_path: Path
) -> None:
    """Nothing would deploy the version there."""
    write_project(tmp_path)
    file = str(tmp_path / "pipeline.yaml")
    refused = once.staging.run("promote", "--local", "tiny/1", "--to-file", file)
    assert refused.code == 2
    assert "there is no model package group `tiny`" in refused.err
    assert f"python -m pipelines upsert -f {file} --local" in refused.err


def test_one_place_is_not_two(once: Pair) -> None:
    """One folder has one local SageMaker, one environment one registry."""
    for words, said in (
        (("--local",), "both specs are in one"),
        ((), "the target is where the version is already"),
        (("--env", "x", "--to", "x"), "`--to x` is where the version is already"),
    ):
        refused = once.staging.run("promote", *words, "tiny/1")
        assert refused.code == 2
        assert said in refused.err
