"""Make an endpoint match its model package group: the registry alone says what is live.

`observe.py` reads registry, endpoint and history; `decide.py` returns the next action, and does
nothing; `carry_out.py` does it; `reconcile.py` repeats that until nothing is left to do. `modes/`
holds what is known of each way of serving. `main.py` starts the job; commands call `reconcile`.
"""

from __future__ import annotations

from pipelines.programs import Declaration

_SAGEMAKER = {
    "AddTags": ("model", "endpoint-config", "endpoint"),
    "CreateEndpoint": ("endpoint", "endpoint-config"),
    "CreateEndpointConfig": ("endpoint-config",),
    "CreateModel": ("model",),
    "DeleteEndpoint": ("endpoint",),
    "DescribeEndpoint": ("endpoint",),
    "DescribeEndpointConfig": ("endpoint-config",),
    "DescribeModel": ("model",),
    "DescribeModelPackage": ("model-package",),
    "InvokeEndpoint": ("endpoint",),
    "ListEndpointConfigs": (),
    "ListEndpoints": (),
    "ListModelPackageGroups": (),
    "ListModelPackages": ("model-package-group",),
    "ListModels": (),
    "UpdateEndpoint": ("endpoint", "endpoint-config"),
}

DECLARATION = Declaration(
    python=(3, 9),
    actions={
        **{f"sagemaker:{action}": resources for action, resources in _SAGEMAKER.items()},
        "iam:PassRole": ("role",),  # the model runs with it
        "s3:GetObject": ("deployments/",),
        "s3:ListBucket": ("bucket",),
        "s3:PutObject": ("deployments/",),
    },
    extra="serve",  # it calls the local SageMaker by its API
)
