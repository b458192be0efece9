"""The job runtime: bundled into every job, it starts the user's code. Python 3.7, stdlib only."""
