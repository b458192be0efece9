"""A small project whose pipeline goes to the account: four steps, local data, a registration."""

from __future__ import annotations

from pathlib import Path

BUCKET = "team-bucket"
PIPELINE = "churn"
GROUP = "churn-models"

SPEC = """\
spec: 1
pipeline: churn
description: Who leaves?

aws:
  region: us-east-1
  role: arn:aws:iam::123456789012:role/jobs
  bucket: team-bucket
  tags: {team: ml}

data:
  customers: data/

defaults:
  image: sklearn-1.9-cpu
  cache: 30d

steps:
  features:
    kind: processing
    script: steps/features.py
    inputs:
      customers: ${data.customers}
    outputs: [train]

  train:
    kind: training
    image: pytorch-2.13-cpu
    script: steps/train.py
    inputs:
      train: ${steps.features.train}

  register:
    kind: registration
    group: churn-models
    model: ${steps.train.model}
    serving:
      source: serving/
      image: sklearn-1.9-cpu

environments:
  prod:
    aws:
      bucket: prod-bucket
      kms_key: arn:aws:kms:us-east-1:123456789012:key/prod
      tags: {team: ml, stage: prod}
  china:
    aws:
      region: cn-north-1
      role: arn:aws-cn:iam::123456789012:role/jobs
      bucket: china-bucket
  elsewhere:
    aws:
      role: arn:aws:iam::444455556666:role/jobs
"""

FILES = {
    "pipeline.yaml": SPEC,
    "steps/features.py": "import os\n\nprint(os.listdir(os.environ['SM_CHANNEL_CUSTOMERS']))\n",
    "steps/train.py": "print('training')\n",
    "serving/inference.py": "def model_fn(folder):\n    return folder\n",
    "data/a.csv": "id,left\n1,0\n",
    "data/b.csv": "id,left\n2,1\n",
}


def write_project(folder: Path) -> Path:
    """Write the project and return its spec file."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "pipeline.yaml"


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text in a file; it has to be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


DEPLOYMENT = """
  deploy:
    kind: deployment
    group: ${steps.register.group}
    endpoint: churn
    serverless: {memory_size_in_mb: 2048, max_concurrency: 5}

environments:"""


def add_deployment(folder: Path) -> None:
    """Let the project deploy its model: in the pipeline, and in `churn-deploy`."""
    spec, bucket = folder / "pipeline.yaml", "  bucket: team-bucket"
    edit(spec, "\nenvironments:", DEPLOYMENT)
    edit(spec, bucket, f"{bucket}\n  deploy_role: arn:aws:iam::123456789012:role/deployer")
