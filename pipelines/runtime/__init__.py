"""The job runtime: bundled into every job, it starts the user's code. Standard library only."""

PYTHON = (3, 7)
"""The oldest Python that it runs on; `start.py`, which reads nothing else, repeats it."""
