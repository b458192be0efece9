"""What the local SageMaker remembers: one SQLite file, `.pipelines/state.db`."""
