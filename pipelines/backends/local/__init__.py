"""The local SageMaker: executes definition JSON without Docker and without AWS."""
