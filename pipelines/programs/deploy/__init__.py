"""Make an endpoint match its model package group: the registry alone says what is live.

`observe.py` reads registry, endpoint and history; `decide.py` returns the next action, and does
nothing; `carry_out.py` does it; `reconcile.py` repeats that until nothing is left to do, and lets
the endpoint scale as `scaling.py` says. `modes/` holds what is known of each way of serving.
`main.py` starts the job; commands call `reconcile`.
"""

from __future__ import annotations

from pipelines.programs import Declaration
from pipelines.programs.deploy.variables import ENDPOINT, GROUP

_ENDPOINT = f"endpoint/{{{ENDPOINT}}}"
_CONFIG, _MODEL = (f"{noun}/{{{ENDPOINT}:.50}}-*" for noun in ("endpoint-config", "model"))
_PACKAGE = f"model-package/{{{GROUP}}}/*"
_HISTORY = f"deployments/{{{ENDPOINT}}}/"

_SAGEMAKER = {
    "AddTags": (_MODEL, _CONFIG, _ENDPOINT),
    # It goes back to what served before, too, which somebody else may have made.
    "CreateEndpoint": (_ENDPOINT, "endpoint-config/*"),
    "CreateEndpointConfig": (_CONFIG,),
    "CreateModel": (_MODEL,),
    "DeleteEndpoint": (_ENDPOINT,),
    "DescribeEndpoint": (_ENDPOINT,),
    "DescribeEndpointConfig": ("endpoint-config/*",),
    "DescribeModel": ("model/*",),
    "DescribeModelPackage": (_PACKAGE,),
    "InvokeEndpoint": (_ENDPOINT,),
    "ListEndpointConfigs": (),
    "ListEndpoints": (),
    "ListModelPackageGroups": (),
    "ListModelPackages": (f"model-package-group/{{{GROUP}}}", _PACKAGE),
    "ListModels": (),
    "UpdateEndpoint": (_ENDPOINT, "endpoint-config/*"),
}

_SCALABLE = "application-autoscaling:scalable-target/*"  # ARNs that the service makes up
_WAKING = f"cloudwatch:alarm:{{{ENDPOINT}}}-backlog-without-capacity"
_TRACKING = f"cloudwatch:alarm:TargetTracking-endpoint/{{{ENDPOINT}}}/*"
_SCALES = (
    "iam:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)

DECLARATION = Declaration(
    python=(3, 9),
    actions={
        **{f"sagemaker:{action}": resources for action, resources in _SAGEMAKER.items()},
        "iam:PassRole": ("role",),  # the model runs with it
        # Archives are compared with what was registered: of packaging, or as training left them.
        "s3:GetObject": (_HISTORY, "packages/", "runs/"),
        "s3:ListBucket": (_HISTORY,),
        "s3:PutObject": (_HISTORY,),
        # What no longer scales has to be deregistered, whatever the spec says today.
        "application-autoscaling:DescribeScalableTargets": (),
        "application-autoscaling:DescribeScalingPolicies": (),
        "application-autoscaling:DeleteScalingPolicy": (_SCALABLE,),
        "application-autoscaling:DeregisterScalableTarget": (_SCALABLE,),
        "cloudwatch:DeleteAlarms": (_WAKING, _TRACKING),
    },
    extra="serve",  # it calls the local SageMaker by its API
    endpoint=ENDPOINT,
    further={
        # The sample request and its answer are objects where the endpoint is asynchronous.
        "AsyncInferenceConfig": {
            "sagemaker:InvokeEndpointAsync": (_ENDPOINT,),
            "s3:GetObject": ("<S3OutputPath>", "<S3FailurePath>"),
            "s3:ListBucket": ("<S3OutputPath>", "<S3FailurePath>"),
            "s3:PutObject": ("<S3OutputPath>",),
        },
        # Application Auto Scaling looks and changes as who registers (its user guide,
        # "Identity-based policy examples"), and makes its role on first use.
        "ScalableDimension": {
            "application-autoscaling:PutScalingPolicy": (_SCALABLE,),
            "application-autoscaling:RegisterScalableTarget": (_SCALABLE,),
            "cloudwatch:DescribeAlarms": (_WAKING, _TRACKING),
            "cloudwatch:PutMetricAlarm": (_WAKING, _TRACKING),
            "iam:CreateServiceLinkedRole": (_SCALES,),
            "sagemaker:UpdateEndpointWeightsAndCapacities": (_ENDPOINT,),
        },
    },
)
