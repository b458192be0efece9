"""An account in memory: what an upsert reads and changes, and a connection that can be cut."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.execution.caller import CallRefusedError
from pipelines.json_types import JsonObject

ACCOUNT = "123456789012"
_READS = ("describe", "list", "head", "get")


@dataclass
class Contents:
    """All that is kept: objects by bucket and key, pipelines and groups by name, tags by ARN."""

    objects: dict[str, dict[str, bytes]] = field(default_factory=dict)
    pipelines: dict[str, JsonObject] = field(default_factory=dict)
    groups: dict[str, JsonObject] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    updates: int = 0


@dataclass
class MemoryAccount:
    """An account; every call is counted.

    Attributes:
        contents: all that is kept.
        calls: the operations that were called, in order.
        cut_at: the call, counted from 0, with which the connection is cut for good; None for never.
            Where `is_done`, only calls that change something count, and that one is still carried
            out: its answer alone is lost.
        is_done: see `cut_at`.
    """

    contents: Contents
    calls: list[str] = field(default_factory=list)
    cut_at: int | None = None
    is_done: bool = False
    is_local: bool = False
    region: str = "us-east-1"
    partition: str = "aws"
    kms_key: str | None = None
    _counted: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def copy(self, cut_at: int | None = None, *, is_done: bool = False) -> MemoryAccount:
        """Make an account of its own with the same contents."""
        return MemoryAccount(deepcopy(self.contents), cut_at=cut_at, is_done=is_done)

    def changes(self) -> list[str]:
        """Name the operations that were called and change something."""
        return [name for name in self.calls if not name.startswith(_READS)]

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a resource, to be changed."""
        return self.contents.tags.setdefault(arn, {})

    def account_id(self) -> str:
        """Return the account's id."""
        return ACCOUNT

    def owned(self) -> dict[str, str]:
        """Return what `Gateway` adds to calls of S3."""
        return {"ExpectedBucketOwner": ACCOUNT}

    def clients(self, *services: str) -> AbstractContextManager[tuple[Any, ...]]:
        """Lend nothing: an upsert borrows no clients."""
        return nullcontext(services)

    def call(self, service: str, operation: str, **request: Any) -> JsonObject:
        """Carry out a call."""
        del service
        answer: JsonObject = self._carried_out(
            operation, lambda: getattr(self, f"_{operation}")(**request)
        )
        return answer

    def pages(
        self, service: str, operation: str, member: str, **request: Any
    ) -> Iterator[JsonObject]:
        """Yield the entries of a list operation."""
        yield from self.call(service, operation, **request)[member]

    def upload(self, bucket: str, key: str, body: bytes | Path) -> None:
        """Write an object."""
        content = body if isinstance(body, bytes) else body.read_bytes()
        self._carried_out(
            "put_object", lambda: self.contents.objects[bucket].update({key: content})
        )

    def download(self, bucket: str, key: str, last: int | None = None) -> bytes:
        """Read an object, or its end."""
        found: bytes = self._carried_out("get_object", lambda: self._object(bucket, key))
        return found if last is None else found[-last:]

    def _carried_out(self, operation: str, carry_out: Callable[[], Any]) -> Any:
        """Carry out a call, unless the connection is cut before; lose its answer where after."""
        with self._lock:
            self.calls.append(operation)
            is_counted = not self.is_done or not operation.startswith(_READS)
            number, self._counted = self._counted, self._counted + is_counted
            is_cut = self.cut_at is not None and number >= self.cut_at and is_counted
            is_down = self.cut_at is not None and number > self.cut_at
            if is_down or (is_cut and not self.is_done):
                raise _connection_closed(operation)
            answer = carry_out()
            if is_cut:
                raise _connection_closed(operation)
            return answer

    def _object(self, bucket: str, key: str) -> bytes:
        if key not in self.contents.objects[bucket]:
            raise CallRefusedError(f"no {key}", code="NoSuchKey", operation="get_object")
        return self.contents.objects[bucket][key]

    def _head_bucket(self, **_: Any) -> JsonObject:
        return {"BucketRegion": self.region}

    def _head_object(self, Bucket: str, Key: str, **_: Any) -> JsonObject:  # noqa: N803 - boto3's names
        return {"ContentLength": len(self._object(Bucket, Key))}

    def _list_objects_v2(self, Bucket: str, Prefix: str, **_: Any) -> JsonObject:  # noqa: N803 - boto3's names
        objects = self.contents.objects[Bucket]
        found = [
            {"Key": key, "Size": len(content), "ETag": '"-"'}
            for key, content in sorted(objects.items())
            if key.startswith(Prefix)
        ]
        return {"Contents": found, "KeyCount": len(found)}

    def _list_rule_names_by_target(self, **_: Any) -> JsonObject:
        return {"RuleNames": []}

    def _list_tags(self, ResourceArn: str) -> JsonObject:  # noqa: N803 - boto3's names
        return {"Tags": [{"Key": k, "Value": v} for k, v in self.tags(ResourceArn).items()]}

    def _add_tags(self, ResourceArn: str, Tags: list[JsonObject]) -> JsonObject:  # noqa: N803 - boto3's names
        self.tags(ResourceArn).update({tag["Key"]: tag["Value"] for tag in Tags})
        return {}

    def _delete_tags(self, ResourceArn: str, TagKeys: list[str]) -> JsonObject:  # noqa: N803 - boto3's names
        for key in TagKeys:
            self.tags(ResourceArn).pop(key, None)
        return {}

    def _describe_model_package_group(self, ModelPackageGroupName: str) -> JsonObject:  # noqa: N803 - boto3's names
        return _found(self.contents.groups, ModelPackageGroupName)

    def _create_model_package_group(
        self,
        ModelPackageGroupName: str,  # noqa: N803 - boto3's names
        Tags: list[JsonObject],  # noqa: N803 - boto3's names
    ) -> JsonObject:
        arn = self._arn(f"model-package-group/{ModelPackageGroupName}")
        self.contents.groups[ModelPackageGroupName] = {"ModelPackageGroupArn": arn}
        return self._add_tags(arn, Tags)

    def _describe_pipeline(self, PipelineName: str) -> JsonObject:  # noqa: N803 - boto3's names
        return _found(self.contents.pipelines, PipelineName)

    def _create_pipeline(
        self,
        PipelineName: str,  # noqa: N803 - boto3's names
        Tags: list[JsonObject],  # noqa: N803 - boto3's names
        **request: Any,
    ) -> JsonObject:
        if PipelineName in self.contents.pipelines:
            raise CallRefusedError("Pipeline names must be unique.", code="ValidationException")
        arn = self._arn(f"pipeline/{PipelineName}")
        self.contents.pipelines[PipelineName] = {"PipelineArn": arn}
        self._add_tags(arn, Tags)
        return self._update_pipeline(PipelineName, **request)

    def _update_pipeline(self, PipelineName: str, **request: Any) -> JsonObject:  # noqa: N803 - boto3's names
        place = request.pop("PipelineDefinitionS3Location", None)
        if place is not None:
            content = self._object(place["Bucket"], place["ObjectKey"])
            request["PipelineDefinition"] = content.decode()
        self.contents.updates += 1
        request["LastModifiedTime"] = self.contents.updates
        _found(self.contents.pipelines, PipelineName).update(request)
        return {}

    def _arn(self, resource: str) -> str:
        return f"arn:aws:sagemaker:{self.region}:{ACCOUNT}:{resource}"


def _found(known: dict[str, JsonObject], name: str) -> JsonObject:
    if name not in known:
        raise CallRefusedError(f"{name} does not exist", code="ResourceNotFound")
    return known[name]


def _connection_closed(operation: str) -> CallRefusedError:
    return CallRefusedError(
        "AWS was not reached", code="ConnectionClosedError", operation=operation
    )
