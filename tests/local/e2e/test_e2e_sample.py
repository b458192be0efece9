"""A registration with `sample:` asks the packaged model first; serving code shares modules."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.local.e2e.tiny_project import Project

SPEC = """\
    spec: 1
    pipeline: tiny
    defaults:
      image: sklearn-1.9-cpu
    steps:
      train:
        kind: training
        script: steps/train.py
        environment: {RAN: "${env.RAN}"}
      register:
        kind: registration
        group: tiny
        model: ${steps.train.model}
        serving:
          source: serving/
          image: sklearn-1.9-cpu
          include: [data/words.json]
          environment: {GREETING: hello}
        sample: {file: data/ask.txt, content_type: text/csv}
      of-my-own:
        kind: registration
        group: mine
        model: ${steps.train.model}
        serving: {as_is: true, image: "111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:1"}
        sample: {file: data/ask.txt, content_type: text/csv}
"""
INFERENCE = """\
    import json
    import os
    from pathlib import Path
    from shared.words import WORD
    from texts.marks import MARK

    def model_fn(folder):
        words = json.loads(Path(__file__).with_name("data").joinpath("words.json").read_text())
        return Path(folder, "model.txt").read_text() + words["more"]

    def input_fn(body, content_type):
        return body.strip()

    def predict_fn(data, model):
        return " ".join([os.environ["GREETING"], WORD, model, data]) + MARK

    def output_fn(prediction, accept):
        return prediction
"""
SERVE = """\
    #!{python}
    import http.server, os

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.reply(b"")
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with open(os.environ["SM_MODEL_DIR"] + "/model.txt", "rb") as model:
                self.reply(model.read() + b" from my own: " + body)
        def reply(self, body):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    port = int(os.environ["SAGEMAKER_BIND_TO_PORT"])
    http.server.HTTPServer(("127.0.0.1", port), Answer).serve_forever()
"""


def test_a_model_is_registered_only_if_it_answers_the_sample(tmp_path: Path) -> None:
    """With the code, the shared modules and the files that its archive has; or by its own server.

    What is not in the archive, or does not run in the image, does not reach the registry.
    """
    serve = tmp_path / "bin" / "serve"
    path = f"{serve.parent}:{sys.prefix}/bin:/usr/bin:/bin"
    project = Project(tmp_path / "project", {"PATH": path}).make()
    project.write("pipeline.yaml", SPEC)
    project.script("train", 'Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text("dear")\n')
    project.write("serving/inference.py", INFERENCE)
    project.write("shared/words.py", "WORD = 'my'\n")
    project.write("src/texts/marks.py", "MARK = '!'\n")
    project.write("data/words.json", '{"more": "est"}')
    project.write("data/ask.txt", "friend\n")
    project.write("../bin/serve", SERVE.format(python=sys.executable))
    serve.chmod(0o755)
    ended = project.run("run")
    assert ended.code == 0, ended.text
    logs = "".join(log.read_text() for log in project.home.rglob("algo-1.log"))
    assert "HTTP 200, application/json: hello my dearest friend!" in logs
    assert "not tried: the image itself, whose model server is stood in for here" in logs
    assert "HTTP 200, application/octet-stream: dear from my own: friend" in logs
    assert not project.leftovers()

    project.edit("WORD = 'my'", "import nowhere_to_be_found", "shared/words.py")
    failed = project.run("run")
    assert failed.code == 5, failed.text
    assert "The packaged model does not answer the sample request: the server ended" in failed.text
    assert "ModuleNotFoundError: No module named 'nowhere_to_be_found'" in failed.text
    assert len([one for one in project.models() if one["ModelPackageGroupName"] == "tiny"]) == 1
