"""Variables of the deploying job, written by the kind and read by the program."""

from __future__ import annotations

GROUP, ENDPOINT, EXECUTION = "DEPLOY_GROUP", "DEPLOY_ENDPOINT", "DEPLOY_EXECUTION"
"""What may be a parameter of the pipeline, and who deploys."""

STEP, JOB = "DEPLOY_STEP", "DEPLOY_JOB"
"""Of a batch, instead of the endpoint: its step, and what its jobs and models are called after."""

INPUT, OUTPUT = "DEPLOY_INPUT", "DEPLOY_OUTPUT"
VALUE = "DEPLOY_VALUE_"
"""Of a batch: where its input and its output are; other values of its request, by number."""

PREDICTIONS = "predictions"
"""What the output of a batch is called."""

VOLUMES_WITHOUT_KEY = "volumes_without_key"
"""The key of the configuration that says that instances encrypt storage of their own."""

VARIABLE = "Variable"
"""The only member of what stands in a request for the value of a variable, which it names."""
