"""Report and data docs of a job that is about to fail → S3.

The platform uploads the outputs of a processing job only when it ends well, so that the report of
broken data would be lost with the job that found it. Before it fails, the program uploads report
and docs itself, to where the job's request says that these outputs go.
"""

from __future__ import annotations

import json
import mimetypes
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.runtime.layout import Layout

_SECONDS = 10  # to connect and to answer: without a network this is what a failure costs


def upload(folders: Mapping[str, Path], layout: Layout) -> str:
    """Upload the folders of outputs, and return in one line where they are.

    Args:
        folders: output → its folder.
        layout: where the job's configuration files lie.

    Returns:
        A line for the failure text; where the upload was not possible, it says why.
    """
    targets = _targets(layout)
    if not folders.keys() <= targets.keys():  # a script's test, or a call by hand
        return "See " + " and ".join(str(folder) for folder in folders.values())
    try:
        import boto3  # noqa: PLC0415 - an image may lack it
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    except ImportError:
        return "Report and docs were not kept: boto3 is not installed in this image."
    config = Config(
        connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 2}
    )
    try:
        client = boto3.client("s3", config=config)
        for name, folder in folders.items():
            for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                _put(client, path, f"{targets[name]}/{path.relative_to(folder).as_posix()}")
    except (BotoCoreError, ClientError, OSError) as error:
        return f"Report and docs were not kept: {error}"
    return "Kept: " + " and ".join(f"{targets[name]}/" for name in folders)


def _targets(layout: Layout) -> dict[str, str]:
    """Return the S3 prefix of each output that has one, without a `/` at its end (FACTS 3.4)."""
    file = layout.config_dir / "processingjobconfig.json"
    try:
        request = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    outputs = (request.get("ProcessingOutputConfig") or {}).get("Outputs") or []
    return {
        output["OutputName"]: output["S3Output"]["S3Uri"].rstrip("/")
        for output in outputs
        if (output.get("S3Output") or {}).get("S3Uri")
    }


def _put(client: object, path: Path, uri: str) -> None:
    bucket, _, key = uri[len("s3://") :].partition("/")
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    with path.open("rb") as body:
        client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=kind)  # type: ignore[attr-defined]
