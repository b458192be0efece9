"""Inputs in S3, and what is here of them → what there is to fetch. Lists objects, reads none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pipelines.backends.local.fetching.records import FetchRecords
from pipelines.backends.local.fetching.wanted import WantedInput
from pipelines.backends.local.object_uris import S3Location, parse_uri
from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from pipelines.account.account import Account
    from pipelines.backends.local.objects import ObjectStore


_LONGEST_NAME: Final = 255
"""Bytes that the name of a file may have."""


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

    @property
    def local_key(self) -> str:
        """Its key in the store, which drops empty parts."""
        return parse_uri(self.uri).key


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
        planned = [one for one in map(self._planned, inputs) if one is not None]
        _check_storable(one for each in planned for one in each.objects)
        return FetchPlan(tuple(planned))

    def records(self, bucket: str) -> FetchRecords:
        """Return the records of a bucket."""
        if bucket not in self._records:
            self._records[bucket] = FetchRecords(self._store.root, bucket)
        return self._records[bucket]

    def _planned(self, wanted: WantedInput) -> PlannedInput | None:
        place = parse_uri(wanted.uri)
        if self._is_own(place):
            return None
        objects = tuple(self._listed(place.bucket, _prefix(wanted)))
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

    def _listed(self, bucket: str, prefix: str) -> Iterator[RemoteObject]:
        """List a prefix; one that is an object is that object, as jobs here see it."""
        request = {"Bucket": bucket, "Prefix": prefix}
        try:
            found = [
                RemoteObject(bucket, one["Key"], int(one["Size"]), str(one["ETag"]))
                for one in self._account.pages("s3", "list_objects_v2", "Contents", **request)
            ]
        except CallRefusedError as error:
            if error.code == "NoSuchBucket":
                return
            raise
        # The console makes a folder as an empty object with a slash at its end.
        found = [one for one in found if one.size or not one.key.endswith("/")]
        yield from [one for one in found if one.key == prefix] or found

    def _compared(
        self, wanted: WantedInput, place: S3Location, objects: tuple[RemoteObject, ...]
    ) -> PlannedInput:
        records = self.records(place.bucket)
        lacking, edited = list[RemoteObject](), list[str]()
        for one in objects:
            known = records.find(one.local_key)
            is_here = self._store.exists(one.uri)
            if is_here and not records.is_untouched(one.local_key):
                edited.append(one.uri)
            elif not is_here or known is None or known.etag != one.etag:
                lacking.append(one)
        there = {one.local_key for one in objects}
        # Where the store drops a part of the prefix, other prefixes have keys below it, too.
        is_whole = place.key not in there and place.key == _prefix(wanted)
        fetched = records.below(place.key) if is_whole else ()
        gone = (key for key in fetched if key not in there)
        return PlannedInput(
            wanted,
            objects,
            tuple(lacking),
            tuple(f"s3://{place.bucket}/{key}" for key in gone if records.is_untouched(key)),
            tuple(edited),
        )


def _prefix(wanted: WantedInput) -> str:
    """Return the key of an input's URI as S3 knows it, with empty parts."""
    return wanted.uri.removeprefix("s3://").partition("/")[2]


def _check_storable(objects: Iterable[RemoteObject]) -> None:
    """Refuse objects that cannot all be files of the store, before one of them is read.

    Raises:
        UsageError: two would be the same file, or one the folder of another; or a name is none.
    """
    known: dict[str, RemoteObject] = {}
    for one in objects:
        place = f"{one.bucket}/{one.local_key}"
        if place.endswith("/"):
            raise _not_storable(one, "its key ends with a slash, as a folder's does")
        if any(len(part.encode()) > _LONGEST_NAME for part in place.split("/")):
            raise _not_storable(one, f"a part of its key has more than {_LONGEST_NAME} bytes")
        if known.setdefault(place, one) != one:
            raise _not_storable(one, f"it would be the same file as {known[place].uri}")
    for place, one in known.items():
        above = (known.get(str(folder)) for folder in PurePosixPath(place).parents)
        if folder := next(filter(None, above), None):
            raise _not_storable(one, f"{folder.uri} is an object, and cannot be its folder, too")


def _not_storable(one: RemoteObject, why: str) -> UsageError:
    remedy = "name a prefix in the spec that leaves it out, or give the object another key"
    return UsageError(f"{one.uri} cannot be stored on this machine: {why}", remedy)


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
