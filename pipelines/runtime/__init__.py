"""The job runtime: bundled into every job, it starts the user's code. Python 3.9, stdlib only."""
