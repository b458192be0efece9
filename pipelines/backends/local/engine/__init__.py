"""Definition JSON → an execution: resolves, schedules, caches, retries, resumes."""
