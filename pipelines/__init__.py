"""Amazon SageMaker Pipelines from one YAML file."""
