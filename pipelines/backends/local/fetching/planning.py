"""Inputs in S3, and what is here of them → what there is to fetch. Lists objects, reads none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import field
from typing import TYPE_CHECKING

from pipelines.backends.local.fetching.records import FetchRecords
from pipelines.backends.local.fetching.wanted import WantedInput
from pipelines.backends.local.object_uris import S3Location, parse_uri
from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from pipelines.account.account import Account
    from pipelines.backends.local.objects import ObjectStore


@frozen
class RemoteObject:
    """An object in S3, as it was listed."""

    bucket: str
    key: str
    size: int
    etag: str

    @property
    def uri(self) -> str:
        """Its URI."""
        return f"s3://{self.bucket}/{self.key}"


@frozen
class PlannedInput:
    """An input and what becomes of it.

    Args:
        wanted: the input.
        objects: what it consists of in S3.
        lacking: those of them that are not here, or are here as they were before.
        gone: URIs of objects that were fetched and are not in S3 any more.
        edited: URIs of objects that were fetched and then changed here: they stay.
    """

    wanted: WantedInput
    objects: tuple[RemoteObject, ...]
    lacking: tuple[RemoteObject, ...] = ()
    gone: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all its objects."""
        return sum(one.size for one in self.objects)


@frozen
class FetchPlan:
    """What there is to fetch."""

    inputs: tuple[PlannedInput, ...] = field(default=())

    @property
    def lacking(self) -> tuple[RemoteObject, ...]:
        """All objects that there are to read, each once."""
        return tuple({one.uri: one for each in self.inputs for one in each.lacking}.values())

    @property
    def gone(self) -> tuple[str, ...]:
        """All objects that there are to remove."""
        return tuple({uri: None for each in self.inputs for uri in each.gone})

    @property
    def size(self) -> int:
        """Bytes that there are to read."""
        return sum(one.size for one in self.lacking)


class Planner:
    """Looks at S3 and at the store.

    Args:
        account: whose credentials are used.
        store: the object store.
    """

    def __init__(self, account: Account, store: ObjectStore) -> None:
        self._account = account
        self._store = store
        self._records: dict[str, FetchRecords] = {}

    def plan(self, inputs: Iterable[WantedInput]) -> FetchPlan:
        """Return what there is to fetch of inputs.

        An input is left out where something of it is here that was never fetched: it stands for
        what is in S3.

        Raises:
            UsageError: there is nothing at a place in S3 either, or it cannot be stored here.
            CallRefusedError: S3 cannot be read.
        """
        planned = (self._planned(one) for one in inputs)
        return FetchPlan(tuple(one for one in planned if one is not None))

    def records(self, bucket: str) -> FetchRecords:
        """Return the records of a bucket."""
        if bucket not in self._records:
            self._records[bucket] = FetchRecords(self._store.root, bucket)
        return self._records[bucket]

    def _planned(self, wanted: WantedInput) -> PlannedInput | None:
        place = parse_uri(wanted.uri)
        if self._is_own(place):
            return None
        objects = tuple(self._listed(place))
        if not objects:
            raise UsageError(
                f"there is no object at {wanted.uri} in S3, which step `{wanted.readers[0]}` reads",
                f"put what it reads at {self._store.path_of(wanted.uri)}, or correct the URI",
            )
        return self._compared(wanted, place, objects)

    def _is_own(self, place: S3Location) -> bool:
        """Return whether something is here that was not fetched, and nothing that was."""
        fetched = self.records(place.bucket).below(place.key)
        return not fetched and self._store.holds(place.uri)

    def _listed(self, place: S3Location) -> Iterator[RemoteObject]:
        """List a prefix; one that is an object is that object, as jobs here see it."""
        request = {"Bucket": place.bucket, "Prefix": place.key}
        try:
            found = [
                RemoteObject(place.bucket, one["Key"], int(one["Size"]), str(one["ETag"]))
                for one in self._account.pages("s3", "list_objects_v2", "Contents", **request)
            ]
        except CallRefusedError as error:
            if error.code == "NoSuchBucket":
                return
            raise
        # The console makes a folder as an empty object with a slash at its end.
        found = [one for one in found if one.size or not one.key.endswith("/")]
        for one in [one for one in found if one.key == place.key] or found:
            parse_uri(one.uri)
            yield one

    def _compared(
        self, wanted: WantedInput, place: S3Location, objects: tuple[RemoteObject, ...]
    ) -> PlannedInput:
        records = self.records(place.bucket)
        lacking, edited = list[RemoteObject](), list[str]()
        for one in objects:
            known = records.find(one.key)
            is_here = self._store.exists(one.uri)
            if is_here and not records.is_untouched(one.key):
                edited.append(one.uri)
            elif not is_here or known is None or known.etag != one.etag:
                lacking.append(one)
        there = {one.key for one in objects}
        fetched = () if place.key in there else records.below(place.key)
        gone = (key for key in fetched if key not in there)
        return PlannedInput(
            wanted,
            objects,
            tuple(lacking),
            tuple(f"s3://{place.bucket}/{key}" for key in gone if records.is_untouched(key)),
            tuple(edited),
        )


def named_by_manifest(wanted: WantedInput, content: bytes) -> tuple[WantedInput, ...]:
    """Return what a manifest names, each object as an input of its own; nothing for a damaged one.

    The job that reads it says what is wrong with it.
    """
    try:
        first, *relatives = json.loads(content)
        prefix = str(first["prefix"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ()
    uris = dict.fromkeys(f"{prefix}{one}" for one in relatives)
    return tuple(WantedInput(uri, wanted.readers) for uri in uris)
