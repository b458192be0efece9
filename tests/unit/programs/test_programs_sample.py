"""The sample program, run in this process as the runtime runs it, with servers written here."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pipelines.programs.sample.main import main
from pipelines.runtime.errors import JobError
from pipelines.runtime.layout import Layout

SERVER = """\
import http.server, os, pathlib, sys

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply(200, b"")
    def do_POST(self):
        self.reply({status}, b"said " + pathlib.Path(os.environ["SM_MODEL_DIR"], "m").read_bytes())
    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

assert not [name for name in os.environ if name.startswith("SM_CHANNEL")]
print("listening", os.environ["PYTHONPATH"], flush=True)
port = int(os.environ["SAGEMAKER_BIND_TO_PORT"])
http.server.HTTPServer(("127.0.0.1", port), Answer).serve_forever()
"""


class Job:
    """A job of the program: an unpacked model, the request, and what is on the PATH."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.layout = Layout(root / "opt", "processing")
        self.bin = root / "bin"
        code = root / "scratch" / "code"
        for folder in (root / "model", self.bin, code):
            folder.mkdir(parents=True)
        (root / "model" / "m").write_text("the model")
        (code / "ask.csv").write_text("1,2\n")
        monkeypatch.chdir(code)
        monkeypatch.setenv("SM_MODEL_DIR", str(root / "model"))
        monkeypatch.setenv("SM_CHANNEL_MODEL", "x")
        monkeypatch.setenv("PATH", str(self.bin))
        monkeypatch.setenv("PYTHONPATH", f"{code}:{root / 'scratch' / 'tool'}:/opt/ml/model/vendor")

    def serve(self, code: str) -> None:
        """Write the image's `serve`."""
        serve = self.bin / "serve"
        serve.write_text(f"#!{sys.executable}\n{code}")
        serve.chmod(0o755)

    def run(self) -> int:
        """Run the program."""
        return main({"path": "ask.csv", "content_type": "text/csv"}, self.layout)


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Return a job without a server."""
    return Job(tmp_path, monkeypatch)


def test_the_images_server_answers_with_the_model_where_it_looks_for_it(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of the job's own is in its environment, and its output is in the log."""
    job.serve(SERVER.format(status=200))
    assert job.run() == 0
    told = capsys.readouterr().out
    assert "listening /opt/ml/model/vendor\n" in told
    assert "the model answered ask.csv with HTTP 200, text/plain: said the model" in told
    assert "not tried: the endpoint's instance type" in told
    assert (job.layout.root / "model" / "m").read_text() == "the model"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (SERVER.format(status=415), "refuses the sample request `ask.csv`: HTTP 415: said the mod"),
        ("import sys\nprint('no weights')\nsys.exit(3)", "ended with exit code 3: no weights"),
        ("import os\nos.kill(os.getpid(), 9)", "killed by signal 9 .out of memory"),
    ],
)
def test_a_model_that_does_not_answer_fails_the_job(job: Job, code: str, reason: str) -> None:
    """With what the server said last."""
    job.serve(code)
    with pytest.raises(JobError, match=reason):
        job.run()


def test_where_no_server_can_be_started_the_log_says_so(
    job: Job, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is code called that an unknown image's archive does not have."""
    stand_in = {"server": "", "words": ["nothing"]}
    monkeypatch.setenv("PIPELINES_MODEL_SERVER", json.dumps(stand_in))
    assert job.run() == 0
    assert "NOT TRIED: there is no server to start" in capsys.readouterr().out


def test_the_entrypoint_of_a_newer_image_goes_before_a_command_of_that_name(
    job: Job, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`serve` is Ray's in the image of Ray Serve; and the container's own `SM_` variables stay."""
    job.serve("import sys\nsys.exit('a command of Ray')")
    server = job.bin / "server"
    server.write_text(f"#!{sys.executable}\n{SERVER.format(status=200)}")
    server.chmod(0o755)
    entrypoint = job.bin / "sagemaker_entrypoint.sh"
    entrypoint.write_text(f'echo "starting $1 $SM_RAYSERVE_APP"\nexec {server}\n')
    monkeypatch.setattr("pipelines.programs.sample.main._ENTRYPOINT", str(entrypoint))
    config = job.layout.config_dir / "processingjobconfig.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"Environment": {"SM_RAYSERVE_APP": "app:main"}}))
    assert job.run() == 0
    told = capsys.readouterr().out
    assert "starting serve app:main\n" in told
    assert "the model answered ask.csv with HTTP 200" in told
