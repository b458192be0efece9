"""A validation job's folders, shared by the tests of the validate program."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from pipelines.json_types import JsonObject
from pipelines.programs.validate.main import main
from pipelines.runtime.errors import JobError
from pipelines.runtime.layout import Layout


class Project:
    """A job's folders: data in, suites in the working directory, report and docs out."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.layout = Layout(root / "opt", "processing")

    def data(self, table: str, file: str, frame: pd.DataFrame) -> Path:
        """Write a data file of a table by the suffix of its name."""
        path = self.layout.input(table) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            frame.to_parquet(path)
        else:
            frame.to_csv(path, index=False)
        return path

    def suite(self, table: str, *expectations: JsonObject) -> None:
        """Write the suite of a table."""
        document = {"name": table, "expectations": list(expectations), "meta": {}}
        (self.root / f"{table}.json").write_text(json.dumps(document))

    def run(self, *tables: str, fail_on: str = "critical") -> int:
        """Run the program over these tables."""
        suites = {table: f"{table}.json" for table in tables}
        return main({"suites": suites, "fail_on": fail_on}, self.layout)

    def failure(self, *tables: str, fail_on: str = "critical") -> str:
        """Run the program, which must fail, and return the text of its failure."""
        with pytest.raises(JobError) as caught:
            self.run(*tables, fail_on=fail_on)
        text = str(caught.value)
        assert "Traceback" not in text
        assert "pydantic" not in text
        assert len(text.encode()) <= 1024
        return text

    def report(self) -> JsonObject:
        """Return the report."""
        text = (self.layout.output("report") / "report.json").read_text(encoding="utf-8")
        report: JsonObject = json.loads(text)
        return report
