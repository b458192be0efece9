"""What `prune --local` removes of `.pipelines`: executions, and what nothing needs any more."""
