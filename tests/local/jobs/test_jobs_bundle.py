from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.executors import processing
from pipelines.backends.local.jobs.launcher import preloaded
from pipelines.execution.status import StepStatus
from tests.bundles import make_bundle
from tests.local.jobs.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.json_types import JsonObject
    from pipelines.runtime.bundle import BundleFile
    from tests.local.jobs.conftest import Local

URI = "s3://bucket/flights/code/s/0123/bundle.pyz"
PLACE = "/opt/ml/processing/input/code/bundle.pyz"


def archive(
    script: str, changed: Callable[[BundleFile], BundleFile] = lambda one: one, **job: object
) -> bytes:
    """Make a bundle of a processing job with this script, or one that was changed."""
    keys = {"step": "s", "job": "processing", "script": "x.py", **job}
    return make_bundle(keys, {"x.py": script.encode()}, changed)


def put_bundle(
    local: Local,
    script: str,
    changed: Callable[[BundleFile], BundleFile] = lambda one: one,
    **job: object,
) -> str:
    """Store such a bundle; return its URI."""
    local.store.put_bytes(URI, archive(script, changed, **job))
    return URI


def request_of(local: Local, uri: str, *inputs: JsonObject) -> JsonObject:
    """Write the request that compile writes for a processing step."""
    return local.processing(
        "python3", PLACE,
        ProcessingInputs=[local.s3_input("code", uri), *inputs],
        ProcessingOutputConfig={"Outputs": [local.s3_output("o", "s3://bucket/runs/o")]},
    )  # fmt: skip


def test_a_bundle_runs_from_its_input(local: Local) -> None:
    """The runtime finds /opt/ml in both ways and gives the script its SM_* variables."""
    script = "import os; open(os.environ['SM_OUT_O'] + '/x', 'w').write(os.environ['SM_CHANNEL_D'])"
    uri = put_bundle(local, script, outputs=["o"])
    local.store.put_bytes("s3://bucket/d/x", b"")
    call = local.call(request_of(local, uri, local.s3_input("d", "s3://bucket/d/")))
    assert processing.execute(call).status is StepStatus.SUCCEEDED, local.log(call)
    assert local.store.get_bytes("s3://bucket/runs/o/x").endswith(b"/opt/ml/processing/input/d")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("path", "starter"),
    [(None, "launcher"), ("__main__.py", PLACE), ("tool/pipelines/runtime/layout.py", PLACE)],
)
def test_only_a_bundle_of_the_same_runtime_is_run_by_the_launcher(
    local: Local, path: str | None, starter: str
) -> None:
    """One that another version compiled runs the runtime that it brings, in an interpreter."""

    def changed(one: BundleFile) -> BundleFile:
        if one.path != path:
            return one
        return one._replace(content=one.content + b"\nprint('of the bundle')\n")

    script = "import os; print('PARENT', open(f'/proc/{os.getppid()}/cmdline').read())"
    call = local.call(request_of(local, put_bundle(local, script, changed)))
    assert processing.execute(call).status is StepStatus.SUCCEEDED, local.log(call)
    assert starter.removeprefix("/opt/ml") in local.log(call).partition("PARENT")[2]
    assert ("of the bundle" in local.log(call)) == (path == "tool/pipelines/runtime/layout.py")


def test_the_runtime_looks_where_the_job_has_python_look(local: Local) -> None:
    """A requirement that lies on the job's PYTHONPATH is met, whoever starts the runtime."""
    metadata = local.home / "lib/found_there-1.0.dist-info/METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Metadata-Version: 2.1\nName: found-there\nVersion: 1.0\n", "utf-8")
    wanted = {"mode": "index", "lines": ["found-there==1.0"], "index_url": None}
    request = request_of(local, put_bundle(local, "print('ran')", requirements=wanted))
    request["Environment"] = {"PYTHONPATH": str(local.home / "lib")}
    request["NetworkConfig"] = {"EnableNetworkIsolation": True}
    call = local.call(request)
    outcome = processing.execute(call)
    assert outcome.status is StepStatus.SUCCEEDED, outcome.reason
    assert local.log(call).endswith("ran\n")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_runtime_does_not_hold_the_pipe_of_its_launcher(local: Local) -> None:
    """A launcher that is killed is seen to have gone, whatever lives on of its job."""
    script = (
        "import os, pathlib; fds = pathlib.Path(f'/proc/{os.getppid()}/fd').iterdir();"
        "print(len({to for fd in fds if (to := os.readlink(fd)).startswith('pipe:')}))"
    )
    call = local.call(request_of(local, put_bundle(local, script)))
    assert processing.execute(call).status is StepStatus.SUCCEEDED
    assert local.log(call) == "2\n", "the script's output and the runtime's own signals"


@pytest.mark.parametrize("name", ["bundle.pyz", "bundle.py"])
def test_a_bundle_with_this_runtime_needs_no_interpreter_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Also one that an image's toolkit starts; another file is started."""
    for variable in [one for one in os.environ if one.startswith("PYTHON")]:
        monkeypatch.delenv(variable)
    bundle = tmp_path / name
    bundle.write_bytes(archive("print(1)"))
    assert preloaded.members_of([sys.executable, str(bundle)])
    assert not preloaded.members_of([sys.executable, str(bundle.rename(tmp_path / "own.py"))])


UPGRADED = """
import shutil, sys
folder, bundle = sys.argv[1:]
sys.path.insert(0, folder)
from pipelines.backends.local.jobs.launcher import preloaded
shutil.rmtree(folder)
sys.exit(preloaded.run([bundle], preloaded.members_of([sys.executable, bundle])))
"""


def test_a_bundle_runs_though_the_tool_was_replaced_meanwhile(tmp_path: Path) -> None:
    """While `serve` runs, say: what the runtime imports late is not the new version's."""
    for package in ("runtime", "backends/local/jobs/launcher"):
        shutil.copytree(ROOT / "pipelines" / package, tmp_path / "tool/pipelines" / package)
    bundle = tmp_path / "bundle.pyz"
    bundle.write_bytes(archive("raise KeyError('dep_delay')"))
    done = subprocess.run(
        [sys.executable, "-P", "-c", UPGRADED, str(tmp_path / "tool"), str(bundle)],
        env={"PIPELINES_OPT_ML": str(tmp_path / "ml")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done
    assert (tmp_path / "ml/output/message").read_text().startswith("KeyError: 'dep_delay'"), done


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_runtime_ignores_the_signals_that_python_ignores(local: Local) -> None:
    """A full disk quota or a peer that has gone is an exception there, not its end."""
    script = (
        "import os, signal; status = open(f'/proc/{os.getppid()}/status').read();"
        "ignored = int(status.partition('SigIgn:')[2].split()[0], 16);"
        "print([ignored >> s - 1 & 1 for s in (signal.SIGPIPE, signal.SIGXFSZ)])"
    )
    call = local.call(request_of(local, put_bundle(local, script)))
    assert processing.execute(call).status is StepStatus.SUCCEEDED
    assert local.log(call) == "[1, 1]\n"


def test_an_exception_of_the_script_is_the_reason(local: Local) -> None:
    """The runtime writes the message file; the step's reason holds the exception."""
    call = local.call(request_of(local, put_bundle(local, "raise KeyError('dep_delay')")))
    outcome = processing.execute(call)
    assert outcome.status is StepStatus.FAILED
    assert "KeyError: 'dep_delay'" in str(outcome.reason)
    assert "KeyError: 'dep_delay'" in outcome.properties["ExitMessage"]


@pytest.mark.parametrize("name", ["../../escaped", "/escaped"])
def test_a_malicious_model_archive_upstream_is_refused(local: Local, name: str) -> None:
    """A model that would write outside its folder fails the step and writes nothing."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        packed.addfile(tarfile.TarInfo(name))
    local.store.put_bytes("s3://bucket/models/m/output/model.tar.gz", buffer.getvalue())
    uri = put_bundle(local, "print('ran')", model_input="model")
    model = local.s3_input("model", "s3://bucket/models/m/output/model.tar.gz")
    call = local.call(request_of(local, uri, model))
    outcome = processing.execute(call)
    assert outcome.status is StepStatus.FAILED
    assert "leads out of the archive" in str(outcome.reason)
    assert "ran" not in local.log(call)
