"""`ci init`: specs → templates in a folder, and what keeps it from writing any."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests import fast_yaml
from tests.functional.cli.churn import SPEC, git, repository
from tests.functional.cli.in_process import Answer, run_in

_AS = "{{pipeline: {0}, aws: {{role: arn:aws:iam::111122223333:role/{0}}}}}"
_CODES = re.compile(r"(?:error|warning)\[(SP\d{3})\]")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a repository with a spec and its script."""
    return repository(tmp_path)


def _init(project: Path, *words: str) -> Answer:
    return run_in(project, "ci", "init", *words)


def _template(project: Path, name: str) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = fast_yaml.load((project / "infra" / name).read_text())
    return found


def test_templates_are_written_for_the_account_and_for_the_pipeline(project: Path) -> None:
    """One is shared, one is the pipeline's; the repository is that of the remote `origin`."""
    answer = _init(project)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines() == [
        "wrote infra/shared.111122223333.eu-central-1.yaml",
        "wrote infra/churn.yaml",
    ]
    parameters = _template(project, "churn.yaml")["Parameters"]
    assert parameters["Repository"]["Default"] == "acme/churn"  # type: ignore[index]  # of a template
    shared = _template(project, "shared.111122223333.eu-central-1.yaml")["Resources"]
    assert shared["ConnectionGitLab"]["Properties"]["ProviderType"] == "GitLab"  # type: ignore[index]  # of a template


def test_a_second_time_changes_nothing(project: Path) -> None:
    """The same specs give the same bytes, from whichever folder."""
    _init(project)
    before = {path: path.read_bytes() for path in (project / "infra").iterdir()}
    again = run_in(project / "steps", "ci", "init", "-f", "../pipeline.yaml", "-o", "../infra")
    assert again.code == 0
    assert all(line.startswith("unchanged ") for line in again.out.splitlines())
    assert {path: path.read_bytes() for path in (project / "infra").iterdir()} == before
    assert _init(project, "--check").code == 0


def test_a_script_that_changes_changes_no_template(project: Path) -> None:
    """Roles name code by its step: nobody has to set up an account again for a commit."""
    _init(project)
    (project / "steps" / "train.py").write_text('"""Train better."""\n')
    assert _init(project, "--check").code == 0


def test_a_change_is_shown_and_then_written(project: Path) -> None:
    """`--check` shows it and writes nothing, for a build that must find templates current."""
    _init(project)
    (project / "pipeline.yaml").write_text(SPEC.replace("churn-ml", "churn-data"))
    before = (project / "infra" / "churn.yaml").read_bytes()
    checked = _init(project, "--check")
    assert checked.code == 6
    assert "would update infra/churn.yaml" in checked.out
    assert (project / "infra" / "churn.yaml").read_bytes() == before
    written = _init(project)
    assert written.code == 0
    assert "arn:aws:s3:::churn-data" in written.out
    assert "updated infra/churn.yaml" in written.out


def _put_odd_files(folder: Path) -> None:
    """Put what is called like a template and cannot be read as one."""
    (folder / "loop.yaml").symlink_to("loop.yaml")
    (folder / "gone.yaml").symlink_to("nowhere")
    (folder / "folder.yaml").mkdir()
    os.mkfifo(folder / "pipe.yaml")


def test_a_template_that_was_edited_is_not_overwritten(project: Path) -> None:
    """The difference is shown, nothing is written; `--force` writes all the same."""
    _init(project)
    mine, edited = project / "infra" / "mine.yaml", project / "infra" / "churn.yaml"
    mine.write_text("Resources: {}\n")
    _put_odd_files(project / "infra")
    edited.write_text(edited.read_text().replace("RetentionInDays: 90", "RetentionInDays: 30"))
    (project / "pipeline.yaml").write_text(SPEC.replace("churn-ml", "churn-data"))
    before = edited.read_bytes()
    refused = _init(project)
    assert refused.code == 2
    assert "infra/churn.yaml` was edited by hand: nothing was written" in refused.err
    assert "-      RetentionInDays: 30" in refused.out
    assert edited.read_bytes() == before
    assert _init(project, "--force").code == 0
    assert "RetentionInDays: 90" in edited.read_text()
    assert mine.read_text() == "Resources: {}\n"


def test_two_specs_share_a_stack_and_none_is_left_out_unawares(project: Path) -> None:
    """The shared template says which specs it was made from."""
    second = SPEC.replace("churn-ml", "team").replace("churn", "fraud").replace("team", "churn-ml")
    (project / "fraud.yaml").write_text(second)
    both = ("-f", "pipeline.yaml", "-f", "fraud.yaml")
    assert _init(project, *both).code == 0
    shared = (project / "infra" / "shared.111122223333.eu-central-1.yaml").read_text()
    assert "Prefix: churn/runs/" in shared
    assert "Prefix: fraud/runs/" in shared
    refused = _init(project)
    assert refused.code == 2
    assert "add -f fraud.yaml, or --force to leave them out" in refused.err
    forced = _init(project, "--force")
    assert "infra/fraud.yaml is no longer generated: delete its stack" in forced.out


@pytest.mark.parametrize(
    ("change", "words", "code", "advice"),
    [
        (("  bucket: churn-ml\n", ""), (), "SP601", "add `bucket:` under its `aws:`"),
        (("pipeline: churn", f"pipeline: {'c' * 60}"), (), "SP604", "shorten the pipeline's name"),
        (("region: eu-central-1", "region: eu-central-2"), (), "SP603", "add `--source s3`"),
        (("region: eu-central-1", "region: ca-west-1"), (), "SP603", "into another region"),
        (("spec: 1", "spec: 1\nenvironments: {dev: {}}"), (), "SP602", "choose environments"),
        (
            ("spec: 1", "spec: 1\nenvironments: {prod_1: {pipeline: x}}"),
            ("--env", "prod_1"),
            "SP604",
            "use letters, digits and single hyphens",
        ),
        (
            ("spec: 1", f"spec: 1\nenvironments: {{checks: {_AS.format('x')}}}"),
            (),
            "SP602",
            "give it another name",
        ),
        (
            (
                "spec: 1",
                f"spec: 1\nenvironments: {{eu-a: {_AS.format('x')}, eu-A: {_AS.format('y')}}}",
            ),
            (),
            "SP602",
            "give it another name",
        ),
    ],
    ids=["bucket", "long", "connections", "codebuild", "twice", "name", "stage", "ids"],
)
def test_what_cannot_be_set_up_is_found_at_its_line(
    project: Path, change: tuple[str, str], words: tuple[str, ...], code: str, advice: str
) -> None:
    """Each is told with its place and the way out, and nothing is written."""
    (project / "pipeline.yaml").write_text(SPEC.replace(*change))
    answer = _init(project, *words)
    assert answer.code == 3
    assert _CODES.findall(answer.err) == [code]
    assert re.search(r"pipeline\.yaml:\d+:\d+: error", answer.err)
    assert advice in answer.err
    assert not (project / "infra").exists()


def test_two_specs_with_one_role_are_refused(project: Path) -> None:
    """Each stack would make it, with other permissions."""
    (project / "fraud.yaml").write_text(SPEC.replace("pipeline: churn", "pipeline: fraud"))
    answer = _init(project, "-f", "pipeline.yaml", "-f", "fraud.yaml")
    assert _CODES.findall(answer.err) == ["SP602"]
    assert "fraud.yaml:5:9: error[SP602]: the role in 111122223333 `churn`" in answer.err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--branch", "mian"), "has no branch `mian`"),
        (("--connection", "arn:aws:s3:::x"), "is not the ARN of a connection"),
        (
            ("--connection", "arn:aws:codeconnections:eu-central-1:444455556666:connection/1"),
            "the connection is in account 444455556666",
        ),
        (("--source", "s3", "--connection", "x"), "does not go with"),
        (("-f", "/pipeline.yaml"), "lies outside of the repository"),
        (("--repository", "churn"), "`churn` is not the name of a repository"),
        (("--provider", "gitlab", "--repository", "acme/*"), "write --repository GROUP/PROJECT"),
        (("--provider", "github"), "`origin` is at gitlab.com: no workflow of github runs there"),
    ],
    ids=[
        *("branch", "no connection", "other account", "both", "elsewhere"),
        *("no owner", "every project", "other host"),
    ],
)
def test_options_that_lead_nowhere_are_refused(
    project: Path, words: tuple[str, ...], problem: str
) -> None:
    """A branch that no push can match, a connection that the CI cannot use."""
    answer = _init(project, "-f", "pipeline.yaml", *words)
    assert answer.code == 2
    assert problem in answer.err
    assert not (project / "infra").exists()


def test_hosts_of_ones_own_are_refused_where_nothing_could_reach_them(project: Path) -> None:
    """A template makes no connection with a host; GitHub's roles trust github.com's tokens."""
    git(project, "remote", "set-url", "origin", "git@git.corp.example:acme/churn.git")
    refused = _init(project)
    assert "a connection to git.corp.example, a host of one's own" in refused.err
    assert "--connection ARN; or add --source s3" in refused.err
    assert "not those of github.com" in _init(project, "--provider", "github").err
    assert _init(project, "--provider", "gitlab").code == 0
    trusted = "oidc-provider/git.corp.example"
    assert trusted in (project / "infra" / "churn.yaml").read_text()
    git(project, "remote", "set-url", "origin", "work:acme/churn.git")
    assert _init(project, "--provider", "github").code == 0, "an alias of ssh is no host"


def test_a_branch_means_itself_in_every_filter(project: Path) -> None:
    """GitHub reads `+` as a sign; a quotation mark would end what a condition compares."""
    for name in ("release/1+2", "it's", 'a"b', "a{b}", "a$b"):
        git(project, "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet",
             "--allow-empty", "-m", name)  # fmt: skip
        git(project, "branch", name)
    words = ("--provider", "github", "--repository", "acme/churn")
    assert _init(project, *words, "--branch", "release/1+2").code == 0
    workflow = (project / ".github" / "workflows" / "pipelines-churn.yml").read_text()
    assert fast_yaml.load(workflow)["on"]["push"]["branches"] == ["release/1\\+2"]
    assert "github.ref == 'refs/heads/release/1+2'" in workflow
    trusted = "repo:acme/churn:ref:refs/heads/release/1+2"
    assert trusted in (project / "infra" / "churn.yaml").read_text()
    for name in ("it's", 'a"b', "a{b}", "a$b"):
        refused = _init(project, *words, "--branch", name)
        assert refused.code == 2
        assert f"the branch `{name}` has characters that" in refused.err


def test_names_of_roles_are_as_long_as_what_runs_the_stages_needs(project: Path) -> None:
    """CodePipeline's reviews have the longest; an environment that is named twice is one."""
    (project / "pipeline.yaml").write_text(SPEC.replace("pipeline: churn", f"pipeline: {'c' * 50}"))
    assert _CODES.findall(_init(project).err) == ["SP604"]
    words = ("--provider", "gitlab")
    assert _init(project, *words).code == 0
    (project / "pipeline.yaml").write_text(SPEC.replace("pipeline: churn", f"pipeline: {'c' * 54}"))
    refused = _init(project, *words)
    assert "-ci-release` would be the name of a role" in refused.err


def test_pushes_start_the_pipeline_by_what_it_is_made_from(project: Path) -> None:
    """The spec, the steps and the templates; tests belong to pull requests; no README."""
    (project / "tests").mkdir()
    _init(project)
    resources = _template(project, "churn.yaml")["Resources"]
    found = {
        name: resources[name]["Properties"]["Triggers"][0]["GitConfiguration"]  # type: ignore[index]  # of a template
        for name in ("Pipeline", "ReviewPipeline")
    }
    push = found["Pipeline"]["Push"][0]["FilePaths"]["Includes"]
    review = found["ReviewPipeline"]["PullRequest"][0]["FilePaths"]["Includes"]
    assert push == ["infra/**", "pipeline.yaml", "steps/**"]
    assert review == ["infra/**", "pipeline.yaml", "steps/**", "tests/**"]


def test_templates_beside_the_spec_do_not_make_everything_start_it(project: Path) -> None:
    """In the root of the repository the templates' own names are the filter."""
    assert _init(project, "-o", ".").code == 0
    text = (project / "churn.yaml").read_text()
    assert "- churn*.yaml" in text
    assert "- shared.*.yaml" in text
    assert "- '**'" not in text


def test_data_that_git_ignores_is_named(project: Path) -> None:
    """It is here, and in no build; the templates are written all the same."""
    (project / "data").mkdir()
    (project / "data" / "1.csv").write_text("1\n")
    (project / ".gitignore").write_text("/data/\n")
    read = "    inputs: {train: '${data.rows}'}\ndata:\n  rows: data/\n"
    (project / "pipeline.yaml").write_text(SPEC + read)
    answer = _init(project)
    assert answer.code == 0
    assert _CODES.findall(answer.err) == ["SP605"]
    assert "pipeline.yaml:15:3: warning[SP605]: git ignores `data`" in answer.err
    (project / ".gitignore").write_text("")
    assert _init(project, "--check").err == ""


def test_a_folder_that_cannot_be_written_is_told(project: Path) -> None:
    """A file of that name, say."""
    (project / "infra").write_text("")
    answer = _init(project)
    assert answer.code == 2
    assert "infra" in answer.err


def test_a_spec_is_taken_once(project: Path) -> None:
    """Named twice, in two ways."""
    answer = _init(project, "-f", "pipeline.yaml", "-f", "steps/../pipeline.yaml")
    assert (answer.code, answer.err) == (0, "")


def test_an_environment_that_is_not_there_is_a_usage_error(project: Path) -> None:
    """The name that was probably meant is said elsewhere; nothing is written."""
    answer = _init(project, "--env", "prod")
    assert answer.code == 2
    assert "there is no environment `prod`" in answer.err


def test_a_spec_with_mistakes_gets_no_templates(project: Path) -> None:
    """They are printed as `validate` prints them."""
    (project / "pipeline.yaml").write_text(SPEC.replace("script:", "skript:"))
    answer = _init(project)
    assert answer.code == 3
    assert "did you mean `script`?" in answer.err
    assert not (project / "infra").exists()


def test_what_only_an_execution_knows_is_said(project: Path) -> None:
    """A role cannot be allowed to read what a parameter will name: nobody finds it out in a run."""
    read = (
        "    inputs: {train: '${parameters.rows}'}\n"
        "parameters:\n  rows: {type: string, default: 's3://elsewhere/rows/'}\n"
    )
    (project / "pipeline.yaml").write_text(SPEC + read)
    answer = _init(project)
    assert answer.code == 0
    assert "churn in default also needs s3:GetObject (step train) on what only an" in answer.err


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("role: arn:aws:iam::111122223333:role/churn-ci-plan", "`churn-ci-plan` (AWS::IAM::Role)"),
        (
            "bucket: pipelines-artifacts-111122223333-eu-central-1",
            "`pipelines-artifacts-111122223333-eu-central-1` (AWS::S3::Bucket)",
        ),
    ],
    ids=["role", "bucket"],
)
def test_a_name_that_the_tool_gives_to_something_of_its_own_is_refused(
    project: Path, own: str, said: str
) -> None:
    """CloudFormation would find it in the middle of the stack."""
    key = own.partition(":")[0]
    text = (project / "pipeline.yaml").read_text()
    (project / "pipeline.yaml").write_text(
        re.sub(rf"(?<=[ {{]){key}: [^\n,}}]+", own, text, count=1)
    )
    answer = _init(project)
    assert answer.code == 2, answer.err
    assert f"two resources would have one name: {said}" in answer.err
    assert not (project / "infra").exists()


def test_two_schedules_of_one_name_are_refused(project: Path) -> None:
    """`churn` and `a-nightly`, `churn-a` and `nightly`: the account has one of that name."""
    schedule = "schedule: {{{}: {{rate: 1 day}}}}\nspec: 1"
    second = (
        SPEC.replace("churn-ml", "team").replace("churn", "churn-a").replace("team", "churn-ml")
    )
    for file, text, name in (("pipeline", SPEC, "a-nightly"), ("fraud", second, "nightly")):
        (project / f"{file}.yaml").write_text(text.replace("spec: 1", schedule.format(name)))
    answer = _init(project, "-f", "pipeline.yaml", "-f", "fraud.yaml")
    assert _CODES.findall(answer.err) == ["SP602"]
    assert "fraud.yaml:1:12: error[SP602]: the schedule in 111122223333" in answer.err
    assert "`churn-a-nightly` is that of `churn`" in answer.err


def test_two_specs_that_make_one_pipeline_are_refused(project: Path) -> None:
    """`churn` with a deployment makes `churn-deploy`, which is another spec's own."""
    step = (
        "  live:\n    kind: deployment\n    group: churn\n    endpoint: churn\n    serverless: {}\n"
    )
    (project / "pipeline.yaml").write_text(SPEC + step)
    second = SPEC.replace("role/churn", "role/fraud").replace("e: churn\n", "e: churn-deploy\n")
    (project / "fraud.yaml").write_text(second)
    answer = _init(project, "-f", "pipeline.yaml", "-f", "fraud.yaml")
    assert _CODES.findall(answer.err) == ["SP602"]
    assert "the pipeline in 111122223333" in answer.err
    assert "`churn-deploy` is that of `churn`" in answer.err


def test_head_says_how_to_generate_the_template_again(project: Path) -> None:
    """With every option that is no default, and as seen from the repository's root."""
    (project / "models").mkdir()
    (project / "pipeline.yaml").rename(project / "models" / "churn.yaml")
    (project / "steps").rename(project / "models" / "steps")
    words = ("-f", "churn.yaml", "--source", "s3", "-o", "../ci")
    assert run_in(project / "models", "ci", "init", *words).code == 0
    head = (project / "ci" / "churn.yaml").read_text().splitlines()[:5]
    command = "python -m pipelines ci init -f models/churn.yaml --source s3 -o ci"
    assert f"# Generate it again, in the repository's root: {command}" in head
    again = run_in(project, *command.split()[3:], "--check")
    assert again.code == 0, again.err
