"""The local SageMaker: executes definition JSON with no Docker and no AWS."""
