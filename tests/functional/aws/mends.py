"""Where moto is not SageMaker (measured with 5.2.5), and what the service does instead.

- A pipeline that is not there: moto says ValidationException, the service ResourceNotFound.
- LastModifiedTime: moto leaves it when a pipeline is updated; the service sets it.
- A definition from S3: moto gives it back as Python's repr; the service as the JSON it read.
- ClientRequestToken: moto refuses a repeated CreatePipeline; the service answers it as before.
- ListPipelineVersions, DescribePipeline of a version: moto has neither.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pipelines.json_types import JsonObject
from tests.functional.aws.proxy import Answer, Forward
from tests.functional.aws.seen import Seen


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a pipeline's definition."""

    number: int
    definition: str
    created: float


class PipelineMends:
    """The service's own behaviour around pipelines; one for each test."""

    def __init__(self) -> None:
        self.versions: dict[str, list[Version]] = {}
        self.modified: dict[str, float] = {}
        self.created: dict[str, bytes] = {}

    def __call__(self, seen: Seen, forward: Forward) -> Answer | None:
        """Answer the operations on pipelines."""
        if seen.service != "sagemaker" or "Pipeline" not in seen.operation:
            return None
        known = {
            "CreatePipeline": self._create,
            "UpdatePipeline": self._update,
            "DescribePipeline": self._describe,
            "ListPipelineVersions": self._list_versions,
        }
        answer = known.get(seen.operation, lambda asked, ask: ask(asked))(seen, forward)
        if answer.status == 400 and b"Could not find pipeline" in answer.body:
            return no("ResourceNotFound", "Pipeline does not exist.")
        return answer

    def _create(self, seen: Seen, forward: Forward) -> Answer:
        token = seen.json()["ClientRequestToken"]
        if token in self.created:
            return Answer(200, self.created[token])
        answer = forward(_inline(seen, forward))
        if answer.status == 200:
            self.created[token] = answer.body
            self._keep(_inline(seen, forward).json())
        return answer

    def _update(self, seen: Seen, forward: Forward) -> Answer:
        inline = _inline(seen, forward)
        answer = forward(inline)
        if answer.status != 200:
            return answer
        number = self._keep(inline.json())
        said = {**json.loads(answer.body), "PipelineVersionId": number}
        return Answer(200, json.dumps(said).encode())

    def _describe(self, seen: Seen, forward: Forward) -> Answer:
        answer = forward(seen)
        if answer.status != 200:
            return answer
        said = json.loads(answer.body)
        name, wanted = said["PipelineName"], seen.json().get("PipelineVersionId")
        said["LastModifiedTime"] = self.modified.get(name, said["LastModifiedTime"])
        if wanted is not None:
            found = [v for v in self.versions.get(name, ()) if v.number == wanted]
            if not found:
                return no("ResourceNotFound", f"Pipeline version {wanted} does not exist.")
            said["PipelineDefinition"] = found[0].definition
        return Answer(200, json.dumps(said).encode())

    def _list_versions(self, seen: Seen, forward: Forward) -> Answer:
        asked = replace(
            seen, body=json.dumps({"PipelineName": seen.json()["PipelineName"]}).encode()
        )
        headers = {**seen.headers, "x-amz-target": "SageMaker.DescribePipeline"}
        described = forward(replace(asked, headers=headers))
        if described.status != 200:
            return described
        said = json.loads(described.body)
        summaries = [
            {
                "PipelineArn": said["PipelineArn"],
                "PipelineVersionId": version.number,
                "CreationTime": version.created,
            }
            for version in reversed(self.versions.get(said["PipelineName"], ()))
        ]
        return Answer(200, json.dumps({"PipelineVersionSummaries": summaries}).encode())

    def _keep(self, request: JsonObject) -> int:
        name, now = request["PipelineName"], datetime.now(UTC).timestamp()
        self.modified[name] = now
        versions = self.versions.setdefault(name, [])
        if request.get("PipelineDefinition"):
            versions.append(Version(len(versions) + 1, request["PipelineDefinition"], now))
        return len(versions)


def no(code: str, message: str) -> Answer:
    """Refuse as SageMaker does."""
    said = json.dumps({"__type": code, "Message": message})
    return Answer(400, said.encode(), {"content-type": "application/x-amz-json-1.1"})


def _inline(seen: Seen, forward: Forward) -> Seen:
    """Put a definition that lies in S3 into the request itself."""
    request = seen.json()
    place = request.pop("PipelineDefinitionS3Location", None)
    if place is None:
        return seen
    path = f"/{place['Bucket']}/{place['ObjectKey']}"
    scope = seen.headers["authorization"].replace("/sagemaker/", "/s3/")
    headers = {"host": f"s3.{seen.region}.amazonaws.com", "authorization": scope}
    found = forward_get(forward, Seen("GET", "s3", seen.region, "GetObject", path, headers, b""))
    request["PipelineDefinition"] = found.decode()
    return replace(seen, body=json.dumps(request).encode())


def forward_get(forward: Forward, seen: Seen) -> bytes:
    """Read an object from moto.

    Raises:
        AssertionError: moto has none.
    """
    answer = forward(seen)
    assert answer.status == 200, answer
    return answer.body
