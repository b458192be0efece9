"""CodePipeline on this machine: a push → the executions that the generated templates make of it.

A bare repository's post-receive hook runs this module. It reads the templates of the account, not
those of the commit; applies the trigger's branches and paths; and runs stages, actions and builds
in their order, each build in a folder of its own with the commit's files, as CODE_ZIP hands them
over: without a history.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from pipelines.json_types import JsonObject
from tests.functional.ci.builds import Machine, build, keep
from tests.functional.ci.templates import Template
from tests.unit.infra.codepipeline_globs import matches

_PIPELINE = "AWS::CodePipeline::Pipeline"


@dataclass(frozen=True, slots=True)
class Ran:
    """An action that ran: which, how it ended, what it printed."""

    stage: str
    action: str
    code: int
    log: str


@dataclass(frozen=True, slots=True)
class Push:
    """What a hook is told.

    Args:
        repository: the bare repository.
        old: the commit before, zeros for none.
        new: the commit that was pushed.
        branch: the branch.
    """

    repository: Path
    old: str
    new: str
    branch: str

    @property
    def changed(self) -> list[str]:
        """The paths that the push changes; all for a new branch."""
        if set(self.old) == {"0"}:
            return self._git("ls-tree", "-r", "--name-only", self.new).split("\n")[:-1]
        return self._git("diff", "--name-only", self.old, self.new).split("\n")[:-1]

    def unpack(self, folder: Path) -> Path:
        """Write the files of the commit into a new folder."""
        folder.mkdir(parents=True)
        archive = folder.with_suffix(".zip")
        self._git("archive", "--format", "zip", "--output", str(archive), self.new)
        shutil.unpack_archive(archive, folder)
        return folder

    def _git(self, *words: str) -> str:
        command = ("git", *words)
        done = subprocess.run(
            command, cwd=self.repository, capture_output=True, text=True, check=True
        )
        return done.stdout


@dataclass(frozen=True, slots=True)
class Cloud:
    """What a hook finds of the account.

    Args:
        templates: the stacks' templates, as they were deployed.
        executions: where each execution writes what ran.
        variables: with which AWS is reached.
        repository: the name of the repository at its host.
    """

    templates: Path
    executions: Path
    variables: dict[str, str]
    repository: str

    def receive(self, push: Push) -> None:
        """Run every pipeline that the push starts."""
        for path in sorted(self.templates.glob("*.yaml")):
            template = Template(path)
            for _, pipeline in template.of_type(_PIPELINE):
                if self._is_of(pipeline) and starts(pipeline, push.branch, push.changed):
                    self._execute(template, pipeline, push)

    def _is_of(self, pipeline: JsonObject) -> bool:
        """Return whether the source of a pipeline is this repository."""
        source = pipeline["Stages"][0]["Actions"][0]["Configuration"]
        return bool(source["FullRepositoryId"] == self.repository)

    def _execute(self, template: Template, pipeline: JsonObject, push: Push) -> None:
        number = len(list(self.executions.glob("*.json"))) + 1
        folder = self.executions / f"{number}"
        ran: list[Ran] = []
        for one in Execution(template, push, folder, self.variables).run(pipeline):
            ran.append(one)
            sys.stdout.write(f"{pipeline['Name']}: {one.stage}/{one.action}: {one.code}\n")
        result = {"pipeline": pipeline["Name"], "actions": [asdict(one) for one in ran]}
        (self.executions / f"{number}.json").write_text(json.dumps(result))


def starts(pipeline: JsonObject, branch: str, changed: Iterable[str]) -> bool:
    """Return whether a push starts a pipeline, by the filters of its triggers."""
    pushes = [
        one
        for trigger in pipeline["Triggers"]
        for one in trigger["GitConfiguration"].get("Push", ())
    ]
    return any(_passes(one, branch, list(changed)) for one in pushes)


def _passes(push: JsonObject, branch: str, changed: list[str]) -> bool:
    assert push.keys() == {"Branches", "FilePaths"}
    branches, paths = push["Branches"]["Includes"], push["FilePaths"]["Includes"]
    return any(matches(one, branch) for one in branches) and any(
        matches(pattern, path) for pattern in paths for path in changed
    )


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of a pipeline.

    Args:
        template: that the pipeline and its projects are in.
        push: what started it.
        folder: of its own.
        variables: with which AWS is reached.
        artifacts: what its builds have kept so far, by name.
    """

    template: Template
    push: Push
    folder: Path
    variables: dict[str, str]
    artifacts: dict[str, Path] = field(default_factory=dict)

    def run(self, pipeline: JsonObject) -> Iterator[Ran]:
        """Run the stages until an action fails; those of one run order run all."""
        source, *stages = pipeline["Stages"]
        assert source["Actions"][0]["Configuration"]["DetectChanges"] is False
        for stage in stages:
            actions = sorted(stage["Actions"], key=_order)
            for _, group in groupby(actions, key=_order):
                ended = [self._act(stage["Name"], action) for action in group]
                yield from ended
                if any(one.code for one in ended):
                    return

    def _act(self, stage: str, action: JsonObject) -> Ran:
        assert action["ActionTypeId"]["Provider"] == "CodeBuild"
        project: dict[str, Any] = self.template.project(action["Configuration"]["ProjectName"])
        here = self.folder / project["Name"]
        source = self.push.unpack(here / "source")
        more = {"CODEBUILD_RESOLVED_SOURCE_VERSION": self.push.new}
        names = [given["Name"] for given in action["InputArtifacts"]]
        for name in self.artifacts.keys() & names:
            more[f"CODEBUILD_SRC_DIR_{name}"] = str(self.artifacts[name])
        code, log = build(project, source, Machine(here, self.variables), more)
        for made in action.get("OutputArtifacts", ()):
            self.artifacts[made["Name"]] = here / made["Name"]
            keep(project["BuildSpec"], source, self.artifacts[made["Name"]])
        return Ran(stage, action["Name"], code, log)


def _order(action: JsonObject) -> int:
    return int(action["RunOrder"])


def main() -> None:
    """Take what git tells a post-receive hook."""
    cloud = json.loads(Path(sys.argv[1]).read_text())
    paths = Path(cloud["templates"]), Path(cloud["executions"])
    received = Cloud(*paths, cloud["variables"], cloud["repository"])
    for line in sys.stdin:
        old, new, ref = line.split()
        if ref.startswith("refs/heads/"):
            received.receive(Push(Path.cwd(), old, new, ref.removeprefix("refs/heads/")))


if __name__ == "__main__":
    main()
