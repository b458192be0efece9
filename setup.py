"""Build each wheel in an empty folder.

setuptools packs whatever lies in `build/lib`, also modules that an older version left there. Kinds,
checks and commands are found by their files, so that a leftover would be taken for one of them.
Everything else about the package stands in `pyproject.toml`.
"""

import tempfile

from setuptools import setup

with tempfile.TemporaryDirectory() as folder:
    setup(options={"build": {"build_base": folder}})
