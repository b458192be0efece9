"""Variables of the deploying job, written by the kind and read by the program."""

from __future__ import annotations

GROUP, ENDPOINT, EXECUTION = "DEPLOY_GROUP", "DEPLOY_ENDPOINT", "DEPLOY_EXECUTION"
"""What may be a parameter of the pipeline, and who deploys."""
