"""EMR: one Hadoop step on a running cluster, or on one that is made for it."""

from __future__ import annotations

from pipelines.steptypes.steptype import EMR_FAULT, STEP_FAULTS, Cache, StepType

STEP_TYPE = StepType(
    name="EMR",
    request="EMRArguments",
    describe="EMRProperties",
    cache=Cache(key=("ClusterId", "StepConfig")),
    # SDK PR 5281 makes it a step with retry policies of any class; the guide's list is older.
    retry_types=(*STEP_FAULTS, "SageMaker.JOB_INTERNAL_ERROR", EMR_FAULT),
    permissions={
        "elasticmapreduce:RunJobFlow": ("*",),
        **dict.fromkeys(
            (
                "elasticmapreduce:AddJobFlowSteps",
                "elasticmapreduce:CancelSteps",
                "elasticmapreduce:DescribeStep",
                "elasticmapreduce:DescribeCluster",
                "elasticmapreduce:TerminateJobFlows",
                "elasticmapreduce:ListSteps",
            ),
            ("elasticmapreduce:cluster/*",),
        ),
        "iam:PassRole": ("role",),
    },
    passes_to=("elasticmapreduce.amazonaws.com", "ec2.amazonaws.com"),
    service="emr",
    billed_for="the EMR cluster",
    own_shapes={
        "EMRArguments": {
            "type": "structure",
            "required": ["StepConfig"],
            "members": {
                "ClusterId": {"shape": "String"},
                "ClusterConfig": {"shape": "ClusterConfig"},
                "StepConfig": {"shape": "EMRStepConfig"},
                "ExecutionRoleArn": {"shape": "ArnType"},
            },
        },
        # The service names the cluster and ends it (SDK EMRStep._validate_cluster_config).
        "ClusterConfig": {
            "type": "structure",
            "like": "RunJobFlowInput",
            "without": ["Name", "Steps", "AutoTerminationPolicy"],
        },
        "EMRStepConfig": {
            "type": "structure",
            "required": ["HadoopJarStep"],
            "members": {"HadoopJarStep": {"shape": "HadoopJarStepConfig"}},
        },
        "EMRProperties": {
            "type": "structure",
            "like": "Step",
            "members": {"ClusterId": {"shape": "String"}},
        },
    },
    one_of=(("", ("ClusterId", "ClusterConfig")),),
)
