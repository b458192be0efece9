from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from pipelines.testing.data import Content, put
from pipelines.testing.environments import environment
from pipelines.testing.errors import JobSetupError


def test_data_may_be_a_folder_a_file_a_frame_or_contents(tmp_path: Path, project: Path) -> None:
    """Everything lands as files in the channel's folder."""
    (project / "data" / "deep").mkdir(parents=True)
    (project / "data" / "deep" / "x.txt").write_text("x")
    frame = pd.DataFrame({"a": [1]})
    put("data", tmp_path / "folder", project)
    put(project / "data" / "deep" / "x.txt", tmp_path / "file", project)
    put(frame, tmp_path / "frame", project)
    many: dict[str, Content] = {
        "t": "text",
        "b": b"\0",
        "j": {"k": 1},
        "f.parquet": frame,
        "d": Path("data"),
    }
    put(many, tmp_path / "many", project)
    assert (tmp_path / "folder" / "deep" / "x.txt").read_text() == "x"
    assert (tmp_path / "file" / "x.txt").read_text() == "x"
    assert (tmp_path / "frame" / "data.parquet").exists()
    assert (tmp_path / "many" / "j").read_text() == '{"k": 1}'
    assert (tmp_path / "many" / "f.parquet").exists()
    assert (tmp_path / "many" / "d" / "deep" / "x.txt").exists()
    with pytest.raises(TypeError, match=r"\.csv or \.parquet"):
        put({"f.xlsx": frame}, tmp_path / "odd", project)
    with pytest.raises(TypeError, match="not int"):
        put(7, tmp_path / "odd", project)  # type: ignore[arg-type]


def test_a_folder_that_holds_the_jobs_own_folder_is_copied_once(tmp_path: Path) -> None:
    """Nor is a link to a folder above followed: data is what `compile` would upload."""
    (tmp_path / "x.txt").write_text("x")
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").touch()
    inside = tmp_path / "jobs" / "raw"
    put(tmp_path, inside, tmp_path)
    assert [one.name for one in inside.iterdir()] == ["x.txt"]


def test_data_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """With the whole path, whether it is an input or a file of one."""
    for data in ("data/a", {"b": Path("data/a")}):
        with pytest.raises(JobSetupError, match=r"data/a does not exist"):
            put(data, tmp_path / "into", tmp_path)


def test_variables_are_set_in_this_process_and_put_back(tmp_path: Path, project: Path) -> None:
    """For a function under test; nothing is left behind."""
    before = dict(os.environ)
    options = {"channels": {"train": {"a.txt": "1"}}, "outputs": ["out-put"]}
    with environment(tmp_path / "ml", project, hyperparameters={"lr": 0.1}, **options) as job:  # type: ignore[arg-type]
        assert os.environ["SM_CHANNEL_TRAIN"] == str(job.channels["train"])
        assert os.environ["SM_OUT_OUT_PUT"] == str(job.outputs["out-put"])
        assert os.environ["SM_MODEL_DIR"] == str(job.model)
        assert os.environ["SM_HP_LR"] == "0.1"
        assert job.outputs["out-put"].is_dir()
    assert dict(os.environ) == before


@pytest.mark.parametrize("name", ["../rows.csv", "a/../../rows.csv", "", "."])
def test_a_file_name_cannot_lead_out_of_the_input(tmp_path: Path, name: str) -> None:
    """A name that is really a path would overwrite a file of the project."""
    with pytest.raises(JobSetupError, match="is not the name of a file in the input"):
        put({name: "a,b"}, tmp_path / "channel", tmp_path)
    assert not list(tmp_path.rglob("rows.csv"))


def test_an_absolute_file_name_is_refused_and_its_file_stays(tmp_path: Path) -> None:
    """What stands on the machine is never written by a test's input."""
    precious = tmp_path / "rows.csv"
    precious.write_text("precious", "utf-8")
    with pytest.raises(JobSetupError, match="write it relative"):
        put({str(precious): "a,b"}, tmp_path / "channel", tmp_path)
    assert precious.read_text("utf-8") == "precious"
