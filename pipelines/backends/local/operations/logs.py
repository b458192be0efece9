"""CloudWatch Logs: the jobs' log files, as streams.

A stream is `<job name>/<host>`. The logs of a step's job lie in the folder of its execution, where
the file `job` beside them holds the job's name; those of a client's job in a folder of its name.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from glob import escape
from pathlib import Path

from pipelines import steptypes
from pipelines.backends.local.engine.folders import execution_folder
from pipelines.backends.local.errors import invalid, missing
from pipelines.backends.local.kept import JOB_FILE, client_logs, openable
from pipelines.backends.local.operations.operation import operation
from pipelines.backends.local.operations.requests import SortKey, page
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_EXECUTION = re.compile(r"(?:pipelines-)?([a-z0-9]+)-")
_TOKEN = re.compile(r"([fb])/([0-9]{1,18})")
_MOST = 10_000
_PAGE_BYTES = 1 << 20
_WINDOWS = (1 << 14, _PAGE_BYTES)
"""How much of the end of a log is read for its last lines: a little, or a page."""


@frozen
class _LogStream:
    name: str
    file: Path

    @property
    def modified(self) -> int:
        return int(self.file.stat().st_mtime * 1000)


@frozen
class LogOperations:
    """The operations; a group that no jobs have a name of has no streams.

    Args:
        home: the `.pipelines` folder.
    """

    home: Path

    @operation("DescribeLogStreams", "logs")
    def describe_log_streams(self, **request: Json) -> JsonObject:
        """List the streams whose names begin with a prefix, which names a job."""
        prefix = str(request.get("logStreamNamePrefix") or "")
        paging = {"MaxResults": request.get("limit"), "NextToken": request.get("nextToken")}
        order = SortKey[_LogStream](lambda stream: (stream.name,))
        streams, token = page(list(self._streams(request, prefix)), order, paging)
        listed = [{"logStreamName": s.name, "lastEventTimestamp": s.modified} for s in streams]
        return {
            "logStreams": listed,
            **({"nextToken": token["NextToken"]} if token else {}),
        }

    @operation("GetLogEvents", "logs")
    def get_log_events(self, **request: Json) -> JsonObject:
        """Read lines of a stream: from a token, from the head, or the last ones.

        A token is a position in bytes; a line that is still being written is left for later.
        """
        name = str(request["logStreamName"])
        stream = next((s for s in self._streams(request, name) if s.name == name), None)
        if stream is None:
            raise missing("The specified log stream does not exist.")
        most = int(request.get("limit") or _MOST)
        token, from_head = request.get("nextToken"), bool(request.get("startFromHead"))
        modified = stream.modified
        if token is None and not from_head:
            lines, begin, end = _last_lines(stream.file, most)
        else:
            begin = _position(str(token)) if token is not None else 0
            lines, end = _lines_from(stream.file, begin, most)
        return {
            "events": [
                {"timestamp": modified, "ingestionTime": modified, "message": line}
                for line in map(openable(stream.file.parent), lines)
            ],
            "nextForwardToken": f"f/{end}",
            "nextBackwardToken": f"b/{begin}",
        }

    def _streams(self, request: JsonObject, prefix: str) -> Iterator[_LogStream]:
        for name, folder in (*self._of_steps(prefix), *self._of_clients(request, prefix)):
            for log in folder.glob("*.log"):
                if f"{name}/{log.stem}".startswith(prefix):
                    yield _LogStream(f"{name}/{log.stem}", log)

    def _of_steps(self, prefix: str) -> Iterator[tuple[str, Path]]:
        """Yield name and log folder of each job of the execution that a prefix names."""
        named = _EXECUTION.match(prefix)
        if named is not None:
            folder = execution_folder(self.home, named[1])
            for job in folder.glob(f"*/*/{JOB_FILE}"):
                name = job.read_text(encoding="utf-8")
                if f"{name}/".startswith(prefix.partition("/")[0]):
                    yield name, job.parent

    def _of_clients(self, request: JsonObject, prefix: str) -> Iterator[tuple[str, Path]]:
        """Yield name and log folder of each job of a group that no step has created."""
        if not client_logs(self.home).is_dir():
            return  # there are none: spare the import of every Type
        name = escape(prefix.partition("/")[0])
        for noun in _nouns(request["logGroupName"]):
            for folder in client_logs(self.home).glob(f"{noun}/{name}*/1"):
                yield folder.parent.name, folder


def _nouns(group: Json) -> set[str]:
    """Return the nouns of the jobs whose logs are in a group."""
    resources = filter(None, (one.resource for one in steptypes.every()))
    return {one.noun for one in resources if one.log_group == group}


def _position(token: str) -> int:
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise invalid("The specified nextToken is invalid.")
    return int(found[2])


def _lines_from(file: Path, begin: int, most: int) -> tuple[list[str], int]:
    with file.open("rb") as log:
        log.seek(begin)
        data = log.read(_PAGE_BYTES)
        is_all = not log.read(1)
    pieces = io.BytesIO(data).readlines()[:most]
    if pieces and not pieces[-1].endswith(b"\n") and not (is_all and _has_ended(file)):
        partial = pieces.pop()
        if not pieces and len(partial) >= _PAGE_BYTES:
            pieces = [partial]
    return [_text(piece) for piece in pieces], begin + sum(map(len, pieces))


def _last_lines(file: Path, most: int) -> tuple[list[str], int, int]:
    """Return the last lines, where they begin, and where the lines that are whole end."""
    size = file.stat().st_size
    pieces, begin = list[bytes](), size
    for window in _WINDOWS:
        begin = max(0, size - window)
        with file.open("rb") as log:
            log.seek(begin)
            pieces = io.BytesIO(log.read(size - begin)).readlines()
        if begin == 0 or len(pieces) > most:
            break
    kept = pieces[-most:]
    is_partial = bool(kept) and not kept[-1].endswith(b"\n") and not _has_ended(file)
    end = size - len(kept[-1]) if is_partial else size
    return [_text(piece) for piece in kept], size - sum(map(len, kept)), end


def _has_ended(file: Path) -> bool:
    """Return whether the job that wrote a log has ended: its lock is removed then."""
    name = (file.parent / JOB_FILE).read_text(encoding="utf-8")
    home = file.parents[4]
    return not (home / "jobs" / f"{name}.lock").exists()


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").removesuffix("\n")
