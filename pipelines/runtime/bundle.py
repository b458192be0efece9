"""bundle.pyz → an unpacked scratch folder and the job's static configuration.

Reads the zip's central directory itself: importing `zipfile` costs as much as half an
interpreter start, in every job. Bundles are written by `pipelines.bundle`, from the records of
this module: stored or deflated files, no zip64, no encryption; anything else is refused.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path

from .errors import JobError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, Iterator, Mapping
    from typing import NamedTuple as Record
else:
    from .record import Record

_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_STORED, _DEFLATED = 0, 8
_MAX_SIZE = 1 << 30

JOB_VERSION = 1
"""The version of job.json that is written and read here."""

JOB = "job.json"
CODE = "code/"
"""Where a bundle holds the static configuration, and the user's files."""

BY_TOOLKIT = "bundle.py"
"""What a bundle is called that an image's toolkit starts, which gives `*.py` to Python."""

IMPORT_ROOTS = (".", "src")
"""Folders of the code that modules are imported from, beside the script's own."""

_REQUIRED = ("step", "job", "script", "program", "config", "requirements", "distribution")


class Job(Record):
    """The static configuration of a job, `job.json`: each field is a key of it.

    Args:
        step: the step's name.
        job: `training` or `processing`.
        script: the user's script, relative to the bundle's `code/`, or None for a program.
        command: the words before the script's path; none where Python runs it.
        program: a program of `pipelines.programs`, or None for a script.
        config: the program's configuration.
        requirements: what has to be installed: mode, lines, index_url or folder.
        distribution: launcher and processes per host of distributed training.
        model_input: the processing input that holds model.tar.gz.
        outputs: the names of the processing outputs.
        image: what is known of the image that the job runs in: python, framework, version,
            accelerator, architecture and serving, each None if unknown; None if the image is
            only known when the pipeline is started.
        checkpoints: `folder`, where the script keeps them, and `resumes`, the execution whose
            checkpoints it goes on with, or None, and where such a one may be done, `anew`; None for
            a job that keeps none.
        source_dir: the folder of the code that the script runs in, or None for all of it.
        tracking: `tensorboard`, the folder of event files, and `mlflow`, with `arn` and
            `metrics`, the expressions by name; None for a job that has neither.
    """

    step: str
    job: str
    script: str | None = None
    program: str | None = None
    config: dict[str, Any] = {}  # noqa: RUF012 - never changed
    requirements: dict[str, Any] | None = None
    distribution: dict[str, Any] | None = None
    model_input: str | None = None
    outputs: tuple[str, ...] = ()
    image: dict[str, Any] | None = None
    command: tuple[str, ...] = ()
    checkpoints: dict[str, Any] | None = None
    tracking: dict[str, Any] | None = None
    source_dir: str | None = None


class BundleFile(Record):
    """A file of a bundle: its path in it, its executable bit, its bytes."""

    path: str
    executable: bool
    content: bytes


def job_json(job: Job) -> str:
    """Write job.json, with every key."""
    keys = {"version": JOB_VERSION, **{name: getattr(job, name) for name in Job._fields}}
    return json.dumps(keys, sort_keys=True, indent=1, ensure_ascii=False)


def parse_job(text: bytes) -> Job:
    """Read job.json; raises JobError if it is not what `job_json` writes."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise JobError(f"the bundle's job.json is not JSON: {error}") from None
    if not isinstance(data, dict) or any(key not in data for key in _REQUIRED):
        raise JobError("the bundle's job.json lacks keys: compile the pipeline again")
    if data.get("version") != JOB_VERSION:
        version = data.get("version")
        raise JobError(f"the bundle's job.json has version {version}, not {JOB_VERSION}")
    if data["job"] not in ("training", "processing"):
        raise JobError(f"the bundle's job.json has the unknown job `{data['job']}`")
    if bool(data["script"]) == bool(data["program"]):
        raise JobError("the bundle's job.json must name either a script or a program")
    known = {key: data[key] for key in Job._fields if key in data}
    lists = {key: tuple(data.get(key) or ()) for key in ("outputs", "command")}
    return Job(**{**known, **lists})


def read_files(bundle: Path, known: Mapping[str, bytes] = {}) -> Iterator[BundleFile]:
    """Yield the files of a bundle, each checked; raises JobError on a damaged one.

    Args:
        bundle: the bundle.
        known: contents by path; one of the same size and checksum is not unpacked.
    """
    try:
        data = bundle.read_bytes()
        yield from _files(data, known)
    except (OSError, struct.error, UnicodeDecodeError, zlib.error, ValueError) as error:
        raise JobError(f"the bundle {bundle} cannot be read: {error}") from None


def write_files(files: Iterable[BundleFile], into: Path) -> None:
    """Write files of a bundle below the existing folder `into`; nothing is written elsewhere."""
    folders = set()
    for one in files:
        target = into / one.path
        if target.parent not in folders:
            target.parent.mkdir(parents=True, exist_ok=True)
            folders.add(target.parent)
        mode = 0o755 if one.executable else 0o644
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(one.content)


def _files(data: bytes, known: Mapping[str, bytes]) -> Iterator[BundleFile]:
    at = data.rfind(b"PK\5\6")
    if at < 0:
        raise ValueError("it is not a zip file")
    _, _, _, _, count, size, offset, _ = _END.unpack_from(data, at)
    start = at - size  # the directory ends where the end record begins, even if data was prepended
    shift = start - offset
    for _ in range(count):
        entry = _ENTRY.unpack_from(data, start)
        if entry[0] != b"PK\1\2":
            raise ValueError("its directory is damaged")
        name_size, extra_size, comment_size = entry[12:15]
        at = start + _ENTRY.size
        name = data[at : at + name_size].decode("utf-8")
        start = at + name_size + extra_size + comment_size
        if not name.endswith("/"):
            yield _file(data, name, entry, shift, known.get(name, b""))


def _file(data: bytes, name: str, entry: Any, shift: int, known: bytes) -> BundleFile:
    flags, method, crc, packed, size = entry[5], entry[6], entry[9], entry[10], entry[11]
    mode, offset = entry[17] >> 16, entry[18] + shift
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or "\0" in name or {"", ".", ".."} & set(parts):
        raise ValueError(f"the path `{name}` leaves the bundle")
    if flags & 1 or method not in (_STORED, _DEFLATED) or size > _MAX_SIZE:
        raise ValueError(f"`{name}` is encrypted, too large, or compressed in an unsupported way")
    if mode & 0o170000 not in (0, 0o100000):
        raise ValueError(f"`{name}` is not a plain file")
    if len(known) == size and zlib.crc32(known) == crc:
        return BundleFile(name, bool(mode & 0o100), known)
    local = _LOCAL.unpack_from(data, offset)
    begin = offset + _LOCAL.size + local[10] + local[11]
    content = data[begin : begin + packed]
    if method == _DEFLATED:
        content = zlib.decompressobj(-15).decompress(content, size + 1)
    if len(content) != size or zlib.crc32(content) != crc:
        raise ValueError(f"`{name}` is damaged")
    return BundleFile(name, bool(mode & 0o100), content)
