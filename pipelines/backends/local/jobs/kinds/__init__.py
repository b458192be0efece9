"""The kinds of jobs, one module for each step Type that creates one: see `jobs/kind.py`."""
