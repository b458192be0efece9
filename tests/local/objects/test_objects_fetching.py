"""What a fetch reads of S3, and what it leaves alone: a fake account with objects."""

from __future__ import annotations

import io
import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from pipelines.account.account import Account
from pipelines.backends.local.fetching import fetch
from pipelines.backends.local.fetching.fetch import Fetcher
from pipelines.backends.local.fetching.planning import (
    FetchPlan,
    Planner,
    RemoteObject,
    named_by_manifest,
)
from pipelines.backends.local.fetching.wanted import WantedInput, wanted_inputs
from pipelines.backends.local.objects import ObjectStore
from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError
from pipelines.json_types import JsonObject


@dataclass
class Body:
    """The body of an answer."""

    content: bytes

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        """Yield it in pieces."""
        stream = io.BytesIO(self.content)
        while piece := stream.read(size):
            yield piece


@dataclass
class Lake:
    """An account with one bucket, as far as a fetch looks at it.

    Args:
        objects: key → content.
        read: the keys that were read, each with the byte that it was read from.
    """

    objects: dict[str, bytes] = field(default_factory=dict)
    read: list[tuple[str, int]] = field(default_factory=list)

    def pages(
        self, _service: str, operation: str, _member: str, **request: str
    ) -> list[JsonObject]:
        """List the objects of a prefix."""
        assert operation == "list_objects_v2"
        return [
            {"Key": key, "Size": len(content), "ETag": _etag(content)}
            for key, content in sorted(self.objects.items())
            if key.startswith(request["Prefix"])
        ]

    @contextmanager
    def clients(self, *services: str) -> Iterator[tuple[Lake, ...]]:
        """Lend the client of S3."""
        assert services == ("s3",)
        yield (self,)

    def get_object(self, **request: str) -> dict[str, Any]:
        """Read an object, or the rest of one."""
        content = self.objects[request["Key"]]
        if _etag(content) != request["IfMatch"]:
            raise CallRefusedError("changed", code="PreconditionFailed")
        start = int(request.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self.read.append((request["Key"], start))
        return {"Body": Body(content[start:])}


def _etag(content: bytes) -> str:
    return f'"{hash(content)}"'


@dataclass(frozen=True)
class Fetching:
    """A lake and a store."""

    lake: Lake
    store: ObjectStore

    def planner(self) -> Planner:
        """Return what plans with what is recorded by now."""
        return Planner(cast("Account", self.lake), self.store)

    def plan(self, *uris: str) -> FetchPlan:
        """Plan."""
        return self.planner().plan(WantedInput(uri, ("step",)) for uri in uris)

    def run(self, plan: FetchPlan) -> list[str]:
        """Fetch; return the keys that were read."""
        done: list[RemoteObject] = []
        Fetcher(cast("Account", self.lake), self.store, self.planner()).fetch(plan, done.append)
        return sorted(one.key for one in done)


@pytest.fixture
def fetching(tmp_path: Path) -> Fetching:
    """Return an empty lake and an empty store."""
    return Fetching(Lake(), ObjectStore(tmp_path / "s3"))


def test_inputs_that_overlap_are_read_once_and_a_prefix_is_no_folder(fetching: Fetching) -> None:
    """As jobs see them: `train` is also `train_raw`, and an object is itself alone."""
    names = ("train/a", "train/b", "train_raw/c", "x.csv", "x.csv.bak", "train/", "empty")
    fetching.lake.objects |= {name: b"" if name[-1] in "/y" else b"1" for name in names}
    plan = fetching.plan("s3://b/train", "s3://b/train/", "s3://b/x.csv", "s3://b/empty")
    assert [len(one.objects) for one in plan.inputs] == [3, 2, 1, 1]
    assert plan.size == 4
    assert fetching.run(plan) == ["empty", "train/a", "train/b", "train_raw/c", "x.csv"]
    again = fetching.plan("s3://b/train", "s3://b/x.csv", "s3://b/empty")
    assert (again.lacking, again.gone) == ((), ())
    del fetching.lake.objects["train_raw/c"]
    assert fetching.plan("s3://b/train/").gone == ()
    assert fetching.plan("s3://b/x.csv").gone == ()
    left = fetching.plan("s3://b/train")
    assert left.gone == ("s3://b/train_raw/c",)
    fetching.run(left)
    assert not fetching.store.exists("s3://b/train_raw/c")


@pytest.mark.parametrize("key", ["d/../x", "d/./x"])
def test_a_key_that_would_leave_the_store_is_refused(fetching: Fetching, key: str) -> None:
    """S3 knows such keys; nothing is read."""
    fetching.lake.objects |= {"d/a": b"1", key: b"2"}
    with pytest.raises(UsageError, match="leaves its bucket"):
        fetching.plan("s3://b/d")
    assert not fetching.lake.read


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        (("d//x", "d/x"), "s3://b/d/x cannot be stored .* the same file as s3://b/d//x"),
        (("d/a", "d/a/x"), "s3://b/d/a/x cannot be stored .* s3://b/d/a is an object"),
        (("d/a/",), "s3://b/d/a/ cannot be stored .* ends with a slash"),
        (("d/" + "x" * 256,), "has more than 255 bytes"),
    ],
)
def test_keys_that_cannot_all_be_files_are_refused_before_anything_is_read(
    fetching: Fetching, keys: tuple[str, ...], why: str
) -> None:
    """In S3 a key is a text; here it is a path."""
    fetching.lake.objects |= {"d/0": b"1", **dict.fromkeys(keys, b"1")}
    with pytest.raises(UsageError, match=why):
        fetching.run(fetching.plan("s3://b/d/"))
    assert not fetching.lake.read


@pytest.mark.parametrize(("uri", "key"), [("s3://b/", "/l/x"), ("s3://b/l//", "l//x")])
def test_keys_with_empty_parts_are_found_and_what_was_changed_here_stays(
    fetching: Fetching, uri: str, key: str
) -> None:
    """Also where S3 has the object no more."""
    fetching.lake.objects[key] = b"1"
    assert fetching.run(fetching.plan(uri)) == [key]
    file = fetching.store.path_of("s3://b/l/x")
    assert file.read_bytes() == b"1"
    assert fetching.plan(uri).lacking == ()
    file.write_bytes(b"mine")
    assert fetching.plan(uri).inputs[0].edited == (f"s3://b/{key}",)
    fetching.lake.objects |= {f"{key}2": b"1"}
    del fetching.lake.objects[key]
    assert fetching.plan(uri).gone == ()


def test_an_object_that_changes_meanwhile_is_not_mixed(fetching: Fetching) -> None:
    """The part that was read of the old one is of no use for the new one."""
    fetching.lake.objects["d/a"] = b"old"
    plan = fetching.plan("s3://b/d/")
    fetching.lake.objects["d/a"] = b"new"
    with pytest.raises(CallRefusedError, match="s3://b/d/a was changed while it was fetched"):
        fetching.run(plan)
    assert fetching.run(fetching.plan("s3://b/d/")) == ["d/a"]
    assert fetching.store.get_bytes("s3://b/d/a") == b"new"


def test_an_interrupted_fetch_goes_on_inside_of_an_object(
    fetching: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C: what was read stays aside, and nothing of it is an object."""
    monkeypatch.setattr(fetch, "_PIECE", 4)
    fetching.lake.objects["d/a"] = b"0123456789"
    plan = fetching.plan("s3://b/d/")
    fetcher = Fetcher(cast("Account", fetching.lake), fetching.store, fetching.planner())
    read = Body.iter_chunks

    def cut(body: Body, size: int) -> Iterator[bytes]:
        for piece in read(body, size):
            yield piece
            raise KeyboardInterrupt

    monkeypatch.setattr(Body, "iter_chunks", cut)
    with pytest.raises(KeyboardInterrupt):
        fetcher.fetch(plan, lambda _: None)
    monkeypatch.setattr(Body, "iter_chunks", read)
    assert not fetching.store.exists("s3://b/d/a")
    assert fetching.run(fetching.plan("s3://b/d/")) == ["d/a"]
    assert fetching.store.get_bytes("s3://b/d/a") == b"0123456789"
    assert fetching.lake.read == [("d/a", 0), ("d/a", 4)]


def test_a_disk_that_takes_no_more_names_the_object(fetching: Fetching) -> None:
    """What was read before stays aside, as after an interruption."""
    fetching.lake.objects["d/a"] = b"1" * (3 << 20)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, before[1]))
    try:
        with pytest.raises(UsageError, match="s3://b/d/a cannot be written below"):
            fetching.run(fetching.plan("s3://b/d/"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not fetching.store.exists("s3://b/d/a")
    assert fetching.run(fetching.plan("s3://b/d/")) == ["d/a"]
    assert fetching.lake.read == [("d/a", 0), ("d/a", 2 << 20)]


def test_no_room_is_said_before_anything_is_read(
    fetching: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves some of the disk free."""
    fetching.lake.objects["d/a"] = b"1"
    monkeypatch.setattr(fetch, "_SPARE", 1 << 60)
    with pytest.raises(UsageError, match="MiB left"):
        fetching.run(fetching.plan("s3://b/d/"))
    assert not fetching.lake.read


def test_a_manifest_names_what_is_read_and_a_step_what_it_reads() -> None:
    """What an earlier step writes, what is a step's output, and what does not run are left out."""
    listed = {"S3DataType": "ManifestFile", "S3Uri": {"Get": "Parameters.list"}}
    made = {"Get": "Steps.a.ModelArtifacts.S3ModelArtifacts"}
    channels = [
        {"ChannelName": name, "DataSource": {"S3DataSource": source}}
        for name, source in (("train", listed), ("x", {"S3DataType": "S3Prefix", "S3Uri": made}))
    ]
    written = {"Outputs": [{"OutputName": "o", "S3Output": {"S3Uri": "s3://b/made"}}]}
    reads = [
        {"InputName": name, "S3Input": {"S3Uri": f"s3://b/{name}", "S3DataType": "S3Prefix"}}
        for name in ("made/x", "made", "made2")
    ]
    steps = [
        {"Name": "a", "Type": "Training", "Arguments": {"InputDataConfig": channels}},
        {"Name": "b", "Type": "Processing", "Arguments": {"ProcessingOutputConfig": written}},
        {"Name": "c", "Type": "Processing", "Arguments": {"ProcessingInputs": reads}},
    ]
    parameter = {"Name": "list", "Type": "String", "DefaultValue": "s3://b/none"}
    definition = json.dumps({"Parameters": [parameter], "Steps": steps})
    given = {"list": "s3://b/list.json"}
    wanted, beside = wanted_inputs(definition, given, set())
    assert (beside.uri, beside.readers) == ("s3://b/made2", ("c",))
    assert (wanted.uri, wanted.readers, wanted.is_manifest) == ("s3://b/list.json", ("a",), True)
    assert wanted_inputs(definition, given, {"a", "b", "c"}) == ()
    named = named_by_manifest(wanted, b'[{"prefix": "s3://b/d/"}, "a", "b/c", "a"]')
    assert [one.uri for one in named] == ["s3://b/d/a", "s3://b/d/b/c"]
    for damaged in (b"", b"[]", b"{}", b"[1]", b'["x"]'):
        assert named_by_manifest(wanted, damaged) == ()
