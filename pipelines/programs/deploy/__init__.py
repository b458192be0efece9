"""Make an endpoint match its model package group: the registry alone says what is live.

`observe.py` reads registry, endpoint and history; `decide.py` returns the next action, and does
nothing; `carry_out.py` does it; `reconcile.py` repeats that until nothing is left to do, and lets
the endpoint scale as `scaling.py` says. `modes/` holds what is known of each way of serving.
`main.py` starts the job; commands call `reconcile`.
"""

from __future__ import annotations

from pipelines.programs import Declaration
from pipelines.programs.deploy.variables import ENDPOINT, GROUP, INPUT, JOB, STEP

_ENDPOINT = f"endpoint/{{{ENDPOINT}}}"
_CONFIG, _MODEL = (f"{noun}/{{{ENDPOINT}:.50}}-*" for noun in ("endpoint-config", "model"))
_BATCH_MODEL, _BATCH_JOB = f"model/{{{JOB}}}-*", f"transform-job/{{{JOB}}}-*"
_PACKAGE = f"model-package/{{{GROUP}}}/*"
_HISTORY, _BATCH_HISTORY = (f"deployments/{{{name}}}/" for name in (ENDPOINT, STEP))

_SCALABLE = "application-autoscaling:scalable-target/*"  # ARNs that the service makes up
_WAKING = f"cloudwatch:alarm:{{{ENDPOINT}}}-backlog-without-capacity"
_TRACKING = f"cloudwatch:alarm:TargetTracking-endpoint/{{{ENDPOINT}}}/*"
_SCALES = (
    "iam:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)

_OF_EVERY_MODE: dict[str, tuple[str, ...]] = {
    "iam:PassRole": ("role",),  # the model runs with it
    # Archives are compared with what was registered: of packaging, or as training left them.
    "s3:GetObject": ("packages/", "runs/"),
    "sagemaker:DescribeModelPackage": (_PACKAGE,),
    "sagemaker:ListModelPackageGroups": (),
    "sagemaker:ListModelPackages": (f"model-package-group/{{{GROUP}}}", _PACKAGE),
    "sagemaker:ListModels": (),
}
_OF_ENDPOINTS: dict[str, tuple[str, ...]] = {
    "s3:GetObject": (_HISTORY,),
    "s3:ListBucket": (_HISTORY,),
    "s3:PutObject": (_HISTORY,),
    "sagemaker:AddTags": (_MODEL, _CONFIG, _ENDPOINT),
    # It goes back to what served before, too, which somebody else may have made.
    "sagemaker:CreateEndpoint": (_ENDPOINT, "endpoint-config/*"),
    "sagemaker:CreateEndpointConfig": (_CONFIG,),
    "sagemaker:CreateModel": (_MODEL,),
    "sagemaker:DeleteEndpoint": (_ENDPOINT,),
    "sagemaker:DescribeEndpoint": (_ENDPOINT,),
    "sagemaker:DescribeEndpointConfig": ("endpoint-config/*",),
    "sagemaker:DescribeModel": ("model/*",),
    "sagemaker:InvokeEndpoint": (_ENDPOINT,),
    "sagemaker:ListEndpointConfigs": (),
    "sagemaker:ListEndpoints": (),
    "sagemaker:UpdateEndpoint": (_ENDPOINT, "endpoint-config/*"),
    # What no longer scales has to be deregistered, whatever the spec says today.
    "application-autoscaling:DescribeScalableTargets": (),
    "application-autoscaling:DescribeScalingPolicies": (),
    "application-autoscaling:DeleteScalingPolicy": (_SCALABLE,),
    "application-autoscaling:DeregisterScalableTarget": (_SCALABLE,),
    "cloudwatch:DeleteAlarms": (_WAKING, _TRACKING),
}
_OF_BATCHES: dict[str, tuple[str, ...]] = {
    "s3:GetObject": (_BATCH_HISTORY, f"<{INPUT}>"),  # of the input, what a manifest names
    "s3:ListBucket": (_BATCH_HISTORY, f"<{INPUT}>"),
    "s3:PutObject": (_BATCH_HISTORY,),
    "sagemaker:AddTags": (_BATCH_MODEL, _BATCH_JOB),
    "sagemaker:CreateModel": (_BATCH_MODEL,),
    "sagemaker:CreateTransformJob": (_BATCH_JOB,),
    "sagemaker:DescribeTransformJob": (_BATCH_JOB,),
    "sagemaker:ListTransformJobs": (),
}

DECLARATION = Declaration(
    python=(3, 9),
    actions=_OF_EVERY_MODE,
    extra="serve",  # it calls the local SageMaker by its API
    endpoint=ENDPOINT,
    batch=JOB,
    further={
        "variant": _OF_ENDPOINTS,
        "TransformInput": _OF_BATCHES,
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
