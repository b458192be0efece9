"""The paths of a job's container, from its root folder (FACTS 3.4).

The root is /opt/ml; the local SageMaker's path-rewriting mode sets another folder in the variable
PIPELINES_OPT_ML.
"""

from __future__ import annotations

import os
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping
    from typing import NamedTuple as Record
else:
    from .record import Record

OPT_ML = "/opt/ml"
ROOT_VARIABLE = "PIPELINES_OPT_ML"


class Layout(Record):
    """Where a training or a processing job reads and writes its files.

    Args:
        root: the folder that stands for /opt/ml.
        job: `training` or `processing`.
    """

    root: Path
    job: str = "training"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], job: str) -> Layout:
        """Read the root from PIPELINES_OPT_ML; /opt/ml if it is not set."""
        return cls(Path(environment.get(ROOT_VARIABLE) or OPT_ML), job)

    @property
    def processing(self) -> bool:
        """Whether this is a processing job."""
        return self.job == "processing"

    @property
    def config_dir(self) -> Path:
        """The folder of the platform's configuration files."""
        return self.root / "config" if self.processing else self.root / "input" / "config"

    @property
    def input_dir(self) -> Path:
        """The folder above all inputs."""
        return self.root / "processing" / "input" if self.processing else self.root / "input"

    @property
    def data_dir(self) -> Path:
        """The folder that holds one folder per channel or processing input."""
        return self.input_dir if self.processing else self.input_dir / "data"

    @property
    def output_dir(self) -> Path:
        """The folder that holds one folder per processing output; training's `output`."""
        return self.root / "processing" / "output" if self.processing else self.root / "output"

    @property
    def output_data_dir(self) -> Path:
        """Where training writes what becomes output.tar.gz."""
        return self.output_dir if self.processing else self.output_dir / "data"

    @property
    def model_dir(self) -> Path:
        """Where training writes the model."""
        return self.root / "model"

    @property
    def failure(self) -> Path:
        """The failure file: of training `failure`, of processing `message` (FACTS 11.5)."""
        return self.root / "output" / ("message" if self.processing else "failure")

    def input(self, name: str) -> Path:
        """Return the folder of a channel or of a processing input."""
        return self.data_dir / name

    def output(self, name: str) -> Path:
        """Return the folder of a processing output."""
        return self.output_dir / name

    def locate(self, path: str) -> Path:
        """Return the path below this root for a path of a configuration file.

        A path below /opt/ml moves below the root; any other one (already rewritten, or the
        user's own) stays as it is.
        """
        given, root = os.path.normpath(path), str(self.root)
        below = given + "/"
        if below.startswith(root + "/") or not below.startswith(OPT_ML + "/"):
            return Path(given)
        return self.root / given[len(OPT_ML) + 1 :]
