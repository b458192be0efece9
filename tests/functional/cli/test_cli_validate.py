"""`validate`, `compile`, `graph`, `explain`: what they print, where, and how they end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from pipelines.compile.canonical import canonical
from pipelines.diagnostics.codes import all_codes
from tests.functional.cli.in_process import run_in

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command, Processes


def _break(project: Path) -> None:
    file = project / "pipeline.yaml"
    file.write_text(
        file.read_text("utf-8").replace("script: steps/use", "scirpt: steps/use"), "utf-8"
    )


def test_a_right_spec_ends_with_0(project: Path, pipelines: Command) -> None:
    """`validate` says that all is well, and of how many steps."""
    answer = pipelines("validate")
    assert (answer.code, answer.out, answer.err) == (0, "pipeline.yaml: ok (4 steps)\n", "")
    assert not (project / ".pipelines").exists()


def test_one_step_is_counted_as_one(project: Path, pipelines: Command) -> None:
    """The count reads as English."""
    text = "spec: 1\npipeline: one\nsteps:\n  stop: {kind: fail, message: no}\n"
    (project / "pipeline.yaml").write_text(text, "utf-8")
    assert pipelines("validate").out.endswith("pipeline.yaml: ok (1 step)\n")


def test_a_wrong_spec_ends_with_3_and_names_place_and_cure(
    project: Path, processes: Processes
) -> None:
    """The whole process, as a user sees it: no traceback, every finding with its line."""
    _break(project)
    answer = processes("validate")
    assert answer.code == 3
    assert (
        "pipeline.yaml:40:5: error[SP102]: unknown key `scirpt` in a `processing` step"
        in answer.out
    )
    assert "= help: did you mean `script`?" in answer.out
    assert "Traceback" not in answer.out + answer.err


def test_a_warning_does_not_fail(project: Path, pipelines: Command) -> None:
    """Without an account the spec is valid; the placeholder is named."""
    file = project / "pipeline.yaml"
    text = file.read_text("utf-8")
    start, end = text.index("aws:"), text.index("parameters:")
    file.write_text(text[:start] + text[end:], "utf-8")
    answer = pipelines("validate")
    assert answer.code == 0
    assert "warning[SP306]" in answer.out
    assert "ok (4 steps)" in answer.out
    for command in (("graph",), ("run",), ("plan", "--local")):
        assert "SP306" not in pipelines(*command).err, "locally no account is needed"
    assert "SP306" in pipelines("compile").err


def test_every_environment_is_looked_at(project: Path, pipelines: Command) -> None:
    """A typing error in an overlay is found before anybody deploys with it."""
    file = project / "pipeline.yaml"
    text = file.read_text("utf-8")
    overlay = "environments:\n  prod:\n    aws:\n      bucket: ${env.PROD_BUCKET}\n"
    file.write_text(f"{text}\n{overlay}", "utf-8")
    assert pipelines("validate").code == 0
    file.write_text(f"{text}\n{overlay}      regoin: eu-central-1\n", "utf-8")
    answer = pipelines("validate")
    assert answer.code == 3
    assert "error[SP102]: unknown key `regoin` in `aws`" in answer.out
    assert "SP129" not in answer.out
    assert pipelines("compile", "-o", "build/").code == 0


def test_json_is_for_programs(project: Path, pipelines: Command) -> None:
    """`--format json` is one object, also when nothing is wrong."""
    assert json.loads(pipelines("validate", "--format", "json").out)["diagnostics"] == []
    _break(project)
    answer = pipelines("validate", "--format", "json")
    report = json.loads(answer.out)
    assert answer.code == 3
    assert report["errors"] == 1
    codes = [(d["code"], d["line"], d["source"]) for d in report["diagnostics"]]
    assert codes == [("SP102", 40, "pipeline.yaml")]


def test_github_annotates_the_lines(project: Path, pipelines: Command) -> None:
    """`--format github` is workflow commands, and nothing when nothing is wrong."""
    assert pipelines("validate", "--format", "github").out == ""
    _break(project)
    answer = pipelines("validate", "--format", "github")
    assert answer.code == 3
    assert (
        "::error file=pipeline.yaml,line=40,endLine=40,col=5,endColumn=10,title=SP102::"
        in answer.out
    )


def test_sarif_is_for_code_scanning(project: Path, pipelines: Command) -> None:
    """`--format sarif` is a SARIF log with the rules that occur."""
    _break(project)
    log = json.loads(pipelines("validate", "--format", "sarif").out)
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {"SP102"}
    assert {result["level"] for result in run["results"]} == {"error"}


def test_a_file_that_is_not_there_is_a_diagnostic(pipelines: Command, project: Path) -> None:
    """`-f` is named as the user wrote it."""
    answer = pipelines("validate", "-f", "nothing.yaml")
    assert answer.code == 3
    assert "there is no such file" in answer.out
    assert project.exists()


def test_an_environment_that_is_not_there_is_a_usage_error(
    project: Path, pipelines: Command
) -> None:
    """`--env` names what there is."""
    assert "no `environments:`" in pipelines("validate", "--env", "prod").err
    with (project / "pipeline.yaml").open("a", encoding="utf-8") as file:
        file.write("\nenvironments:\n  prod: {}\n")
    answer = pipelines("validate", "--env", "prd")
    assert answer.code == 2
    assert "did you mean `prod`?" in answer.err
    assert pipelines("validate", "--env", "prod").code == 0


def test_compile_prints_the_canonical_definition(project: Path, processes: Processes) -> None:
    """The output is the definition and nothing else, the same bytes as in the folder."""
    printed = processes("compile")
    assert printed.code == 0
    assert printed.err == ""
    assert printed.out == canonical(json.loads(printed.out))
    assert processes("compile", "-o", "-").out == printed.out
    written = processes("compile", "-o", "build")
    assert written.out == "wrote build/small.json\nwrote build/small.assets.json\n"
    assert (project / "build" / "small.json").read_text("utf-8") == printed.out


def test_compile_of_a_wrong_spec_writes_nothing(project: Path, pipelines: Command) -> None:
    """Diagnostics go to stderr, so that a redirected stdout holds no half definition."""
    _break(project)
    answer = pipelines("compile", "-o", "build")
    assert (answer.code, answer.out) == (3, "")
    assert "SP102" in answer.err
    assert not (project / "build").exists()


@pytest.mark.usefixtures("project")
def test_graph_is_a_tree(pipelines: Command) -> None:
    """Each step stands below the last one it waits for; further ones behind an arrow."""
    assert pipelines("graph").out == (
        "small\n"
        "└─ make (processing)\n"
        "   └─ enough (condition)\n"
        "      ├─ then: use (processing)  ← make\n"
        "      └─ else: reject (fail)  ← make\n"
    )


@pytest.mark.usefixtures("project")
def test_graph_is_a_mermaid_flowchart(pipelines: Command) -> None:
    """Documents render it; branches are labelled."""
    assert pipelines("graph", "--format", "mermaid").out == (
        "flowchart TD\n"
        '    s0["make<br/><small>processing</small>"]\n'
        '    s1{"enough<br/><small>condition</small>"}\n'
        '    s2["use<br/><small>processing</small>"]\n'
        '    s3[["reject<br/><small>fail</small>"]]\n'
        "    s0 --> s1\n"
        "    s0 --> s2\n"
        "    s1 -->|then| s2\n"
        "    s0 --> s3\n"
        "    s1 -->|else| s3\n"
    )


@pytest.mark.usefixtures("project")
def test_graph_is_an_svg_that_loads_nothing(pipelines: Command) -> None:
    """The drawing of an execution's page, as a file of its own: well-formed, named, in order."""
    drawn = ET.fromstring(pipelines("graph", "--format", "svg").out)  # noqa: S314 - our own
    titles = [title.text for title in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == [
        "make (processing): processing",
        "enough (condition): condition",
        "use (processing): then: processing",
        "reject (fail): else: fail",
    ]
    links = [key for element in drawn.iter() for key in element.keys() if "href" in key]  # noqa: SIM118 - an Element is no dict
    assert links == []


def test_explain_prints_the_long_form(pipelines: Command) -> None:
    """A code in any case, with what is wrong and the same mended."""
    answer = pipelines("explain", "sp102")
    assert answer.code == 0
    assert answer.out.startswith("SP102: Unknown key\n")
    assert "Wrong:" in answer.out
    assert "Right:" in answer.out


def test_explain_lists_every_code(pipelines: Command) -> None:
    """Without a code: one line for each, and then what else can be explained."""
    codes, _, rest = pipelines("explain").out.partition("\n\n")
    assert [line.split("  ")[0] for line in codes.splitlines()] == all_codes()
    assert rest.startswith("kinds and parts of the file: ")


def test_explain_of_an_unknown_code_names_the_nearest(pipelines: Command) -> None:
    """A usage error, not a crash."""
    answer = pipelines("explain", "SP999")
    assert answer.code == 2
    assert "there is no code `SP999`" in answer.err
    assert "the nearest are" in answer.err


def _import_matplotlib(project: Path) -> None:
    (project / "steps" / "make.py").write_text(
        "import os\n\nimport matplotlib.pyplot as plt\n", "utf-8"
    )


def test_an_import_that_the_image_lacks_is_warned_of_at_its_place(
    project: Path, processes: Processes
) -> None:
    """The script's own line is shown; the command succeeds, as the job would here."""
    _import_matplotlib(project)
    answer = processes("validate")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == (
        "steps/make.py:3:8: warning[SP408]: `matplotlib` is neither in the image "
        "`sklearn-1.9-cpu` nor in the requirements\n"
        "  |\n"
        "3 | import matplotlib.pyplot as plt\n"
        "  |        ^^^^^^^^^^^^^^^^^\n"
        "  = help: list `matplotlib` in a file, and name the file as `requirements:` of the step\n"
        "\n"
        "1 warning\n"
        "pipeline.yaml: ok (4 steps)\n"
    )


def test_every_format_and_command_names_the_script(project: Path, pipelines: Command) -> None:
    """Annotations and code scanning go to the line of the script, wherever the command is given."""
    _import_matplotlib(project)
    (found,) = json.loads(pipelines("validate", "--format", "json").out)["diagnostics"]
    assert (found["source"], found["line"], found["column"]) == ("steps/make.py", 3, 8)
    github = pipelines("validate", "--format", "github").out
    assert github.startswith("::warning file=steps/make.py,line=3,endLine=3,col=8,endColumn=24")
    (result,) = json.loads(pipelines("validate", "--format", "sarif").out)["runs"][0]["results"]
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "steps/make.py"
    assert location["region"]["startLine"] == 3
    above = run_in(project.parent, "validate", "-f", f"{project.name}/pipeline.yaml")
    assert above.out.startswith(f"{project.name}/steps/make.py:3:8: warning[SP408]")
    assert "steps/make.py:3:8: warning[SP408]" in pipelines("compile").err
