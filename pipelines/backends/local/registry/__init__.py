"""Model package groups, model packages, models and tags, shaped as SageMaker's API."""
