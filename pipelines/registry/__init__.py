"""The model registry of an account, real or local: versions of models and where they come from."""
