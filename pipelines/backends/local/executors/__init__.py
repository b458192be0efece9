"""The executors of steps: one module per SageMaker step Type, found by its name."""
