"""A tuning job on this machine: what is searched, by Optuna, and the loop of its training jobs."""
