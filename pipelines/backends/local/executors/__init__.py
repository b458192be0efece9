"""What carries out a step: one module per SageMaker step Type, found by its name."""
