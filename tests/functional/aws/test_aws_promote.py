"""`promote` between two regions of moto's account, and images in ECR, which nothing local has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipelines.json_types import JsonObject
from tests.functional.aws.account import ACCOUNT, Account
from tests.functional.aws.command import Answer as Left
from tests.functional.aws.command import Command
from tests.functional.aws.project import BUCKET, GROUP, edit
from tests.functional.aws.proxy import Answer, Fault, Forward, refusal
from tests.functional.aws.seen import Seen

THERE = "eu-central-1"
ENVIRONMENT = f"""\
environments:
  europe:
    aws:
      region: {THERE}
      bucket: europe-bucket
      kms_key: arn:aws:kms:{THERE}:{ACCOUNT}:key/europe
"""
ARCHIVE = b"a model"
REPOSITORY = "own/model-server"
DOCKER = "application/vnd.docker.distribution.manifest"


def digest(content: bytes) -> str:
    """Return how a registry names content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Layers:
    """Answers GetDownloadUrlForLayer, which moto has not, and the URLs that it names."""

    account: Account
    blobs: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, seen: Seen, forward: Forward) -> Answer | None:
        """Answer what is about layers."""
        del forward
        if seen.operation == "GetDownloadUrlForLayer":
            url = f"{self.account.proxy.url}/layers/{seen.json()['layerDigest']}"
            return Answer(200, json.dumps({"downloadUrl": url}).encode())
        if "/layers/" in seen.path:
            blob = self.blobs.get(seen.path.rpartition("/")[2])
            return Answer(404) if blob is None else Answer(200, blob)
        return None


@dataclass(frozen=True)
class Regions:
    """A registry in each of two regions: the version is in one, the group in both."""

    account: Account
    layers: Layers
    run: Command

    def register(
        self, image: str, more: Mapping[str, str] | None = None, status: str = "Approved"
    ) -> None:
        """Register a version, as a notebook does; `more` are members of its container."""
        archive = f"s3://{BUCKET}/theirs/model.tar.gz"
        container = {"Image": image, "ModelDataUrl": archive, **(more or {})}
        self.account.client("sagemaker").create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus=status,
            InferenceSpecification={"Containers": [container]},
        )

    def promote(self, *more: str) -> Left:
        """Promote the first version."""
        return self.run("promote", f"{GROUP}/1", "--to", "europe", *more)

    def promoted(self) -> list[JsonObject]:
        """Describe the versions of the other region."""
        sagemaker = self.account.client("sagemaker", THERE)
        listed = sagemaker.list_model_packages(ModelPackageGroupName=GROUP)
        return [
            sagemaker.describe_model_package(ModelPackageName=one["ModelPackageArn"])
            for one in listed["ModelPackageSummaryList"]
        ]

    def push(self, *, repository_there: bool = True) -> str:
        """Push an image of two platforms into the first region; return its digest."""
        ecr = self.account.client("ecr")
        ecr.create_repository(repositoryName=REPOSITORY)
        if repository_there:
            self.account.client("ecr", THERE).create_repository(repositoryName=REPOSITORY)
        platforms = [self._push_platform(ecr, name) for name in (b"amd64", b"arm64")]
        index = {
            "schemaVersion": 2,
            "mediaType": f"{DOCKER}.list.v2+json",
            "manifests": [{"digest": one} for one in platforms],
        }
        return self._put(ecr, index, "2")

    def _push_platform(self, ecr: object, name: bytes) -> str:
        parts = []
        for blob in (b"base", b"code of " + name, b"config of " + name):
            self.layers.blobs[digest(blob)] = blob
            parts.append({"digest": digest(blob), "size": len(blob)})
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{DOCKER}.v2+json",
            "layers": parts[:-1],
            "config": parts[-1],
        }
        return self._put(ecr, manifest, name.decode())

    def _put(self, ecr: object, manifest: JsonObject, tag: str) -> str:
        text = json.dumps(manifest)
        ecr.put_image(  # type: ignore[attr-defined]
            repositoryName=REPOSITORY,
            imageManifest=text,
            imageManifestMediaType=manifest["mediaType"],
            imageTag=tag,
            imageDigest=digest(text.encode()),
        )
        return digest(text.encode())


@pytest.fixture
def regions(account: Account, project: Path, pipelines: Command) -> Regions:
    """Make buckets and groups, and an archive."""
    edit(project / "pipeline.yaml", "environments:\n", ENVIRONMENT)
    account.make_bucket("europe-bucket", THERE)
    account.client("s3").put_object(Bucket=BUCKET, Key="theirs/model.tar.gz", Body=ARCHIVE)
    for region in ("us-east-1", THERE):
        sagemaker = account.client("sagemaker", region)
        sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    layers = Layers(account)
    account.proxy.mends = (layers, *account.proxy.mends)
    return Regions(account, layers, pipelines)


SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
STRANGER = "111111111111.dkr.ecr.us-east-1.amazonaws.com"
OWN = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{REPOSITORY}"


def test_a_version_goes_into_another_region(regions: Regions) -> None:
    """Archive and image are those of the region, its key encrypts, twice makes one version."""
    regions.register(SKLEARN)
    asked = regions.promote()
    assert asked.code == 2
    assert f"in account {ACCOUNT}, region {THERE}" in asked.err
    assert regions.account.proxy.changes() == []
    assert regions.promote("--yes").code == 0
    (made,) = regions.promoted()
    assert made["ModelApprovalStatus"] == "PendingManualApproval"
    (container,) = made["InferenceSpecification"]["Containers"]
    assert container["Image"].startswith(f"492215442770.dkr.ecr.{THERE}.amazonaws.com/")
    key = container["ModelDataUrl"].removeprefix("s3://europe-bucket/")
    assert key.startswith("churn/packages/promoted/")
    stored = regions.account.client("s3", THERE).get_object(Bucket="europe-bucket", Key=key)
    assert stored["Body"].read() == ARCHIVE
    assert stored["SSEKMSKeyId"] == f"arn:aws:kms:{THERE}:{ACCOUNT}:key/europe"
    assert made["CustomerMetadataProperties"]["promoted.model"] == digest(ARCHIVE)
    regions.account.proxy.seen.clear()
    again = regions.promote()
    assert again.code == 0, again.err
    assert regions.account.proxy.changes() == []


@pytest.mark.parametrize("reference", [":2", "@digest"])
def test_an_image_of_ones_own_is_copied_by_its_digest(regions: Regions, reference: str) -> None:
    """All platforms, each layer once; the version names what was approved, not a tag."""
    pushed = regions.push()
    regions.register(OWN + reference.replace("@digest", f"@{pushed}"))
    left = regions.promote("--yes")
    assert left.code == 0, left.err
    (container,) = regions.promoted()[0]["InferenceSpecification"]["Containers"]
    host = f"{ACCOUNT}.dkr.ecr.{THERE}.amazonaws.com"
    assert container["Image"] == f"{host}/{REPOSITORY}@{pushed}"
    there = regions.account.client("ecr", THERE)
    found = there.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageDigest": pushed}])[
        "images"
    ]
    assert digest(found[0]["imageManifest"].encode()) == pushed
    layers = there.batch_check_layer_availability(
        repositoryName=REPOSITORY, layerDigests=list(regions.layers.blobs)
    )["layers"]
    assert len(layers) == len(regions.layers.blobs) == 5
    assert regions.account.proxy.operations().count("InitiateLayerUpload") == 5
    regions.account.proxy.seen.clear()
    assert regions.promote("--yes").code == 0
    assert regions.account.proxy.changes() == []


@pytest.mark.parametrize("skip", [0, 1, 3])
@pytest.mark.parametrize(
    "operation", ["UploadLayerPart", "CompleteLayerUpload", "PutImage", "PutObject"]
)
def test_a_copy_that_was_refused_goes_on_where_it_ended(
    regions: Regions, operation: str, skip: int
) -> None:
    """The version is created last: until then there is none."""
    regions.register(f"{OWN}@{regions.push()}")
    denied = refusal("AccessDeniedException", "not authorized", 403)
    fault = Fault(operation, denied, skip=skip, times=1)
    regions.account.proxy.faults = [fault]
    left = regions.promote("--yes")
    if fault.times == 0:
        assert left.code == 4, left.err
        assert regions.promoted() == []
    assert regions.promote("--yes").code == 0
    assert len(regions.promoted()) == 1
    assert regions.account.proxy.operations().count("CompleteLayerUpload") <= 6


def test_a_layer_that_is_not_what_its_digest_says_is_not_registered(regions: Regions) -> None:
    """Neither is one that cannot be downloaded."""
    regions.register(f"{OWN}@{regions.push()}")
    kept = dict(regions.layers.blobs)
    regions.layers.blobs[digest(b"base")] = b"something else"
    left = regions.promote("--yes")
    assert left.code == 2
    assert "is not what its digest says" in left.err
    del regions.layers.blobs[digest(b"base")]
    left = regions.promote("--yes")
    assert left.code == 4
    assert "cannot be downloaded" in left.err
    assert regions.promoted() == []
    regions.layers.blobs = kept
    assert regions.promote("--yes").code == 0


def test_a_missing_repository_is_told_before_anything_is_copied(regions: Regions) -> None:
    """With the command that makes it: its policy and scanning are its owner's decision."""
    regions.register(f"{OWN}@{regions.push(repository_there=False)}")
    left = regions.promote("--yes")
    assert left.code == 2
    assert f"create-repository --repository-name {REPOSITORY} --region {THERE}" in left.err
    assert regions.account.proxy.changes() == []


@pytest.mark.parametrize(
    ("image", "more", "said"),
    [
        (f"{OWN}:gone", {}, f"there is no image {OWN}:gone"),
        (SKLEARN, {"ModelDataUrl": f"s3://{BUCKET}/none.tar.gz"}, "where there is nothing"),
        (SKLEARN, {"ModelDataETag": "0" * 32}, "it has been overwritten since"),
        (SKLEARN, {"ProductId": "p"}, "is a product of AWS Marketplace"),
        (f"{STRANGER}/shared:1", {}, "there is no image"),
    ],
)
def test_a_version_that_cannot_be_brought_over_whole_is_refused(
    regions: Regions, image: str, more: dict[str, str], said: str
) -> None:
    """With the reason, and before anything is changed."""
    regions.register(image, more)
    left = regions.promote("--yes")
    assert left.code in {2, 4}
    assert said in left.err
    assert "Traceback" not in left.err
    assert regions.account.proxy.changes() == []


def test_a_pending_version_is_refused(regions: Regions) -> None:
    """It must not jump over its gate."""
    regions.register(SKLEARN, status="PendingManualApproval")
    left = regions.promote("--yes")
    assert left.code == 2
    assert "only an approved version can be promoted" in left.err
