"""What the SDK writes for each step Type is accepted (sagemaker 3.27, mlops/workflow/*.py)."""

from __future__ import annotations

import pytest

from pipelines.definition import check_definition
from pipelines.json_types import JsonObject
from pipelines.steptypes import names

ROLE = "arn:aws:iam::111122223333:role/r"
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/i:1"
CLUSTER = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
JOB = {
    "RoleArn": ROLE,
    "AppSpecification": {"ImageUri": IMAGE},
    "ProcessingResources": {"ClusterConfig": CLUSTER},
}
TRAINING = {
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://b/k"},
    "ResourceConfig": CLUSTER,
    "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
    "RoleArn": ROLE,
}
CHECK = {
    "ModelPackageGroupName": None,
    "SkipCheck": {"Get": "Parameters.skip"},
    "FailOnViolation": False,
    "RegisterNewBaseline": True,
    "SuppliedBaselineConstraints": None,
}
OUTPUTS = [{"OutputName": "done", "OutputType": "Boolean"}]

STEPS: dict[str, JsonObject] = {
    "Training": {
        "Arguments": {
            **TRAINING,
            "ExperimentConfig": {"TrialComponentDisplayName": "t"},
            "HyperParameters": {"sagemaker_program": '"train.py"'},
            "DebugHookConfig": {"S3OutputPath": "s3://b/d", "CollectionConfigurations": []},
            "ProfilerConfig": {"DisableProfiler": True},
        },
        "CacheConfig": {"Enabled": False},
    },
    "Processing": {"Arguments": JOB},
    "Transform": {
        "Arguments": {
            "ModelName": {"Get": "Steps.Model.ModelName"},
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/k"}}
            },
            "TransformOutput": {"S3OutputPath": "s3://b/k"},
            "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
        }
    },
    "Tuning": {
        "Arguments": {
            "HyperParameterTuningJobConfig": {
                "Strategy": "Bayesian",
                "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
                "TrainingJobEarlyStoppingType": "Off",
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
                "ParameterRanges": {
                    "ContinuousParameterRanges": [
                        {"Name": "lr", "MinValue": "0", "MaxValue": "1", "ScalingType": "Auto"}
                    ],
                    "CategoricalParameterRanges": [],
                    "IntegerParameterRanges": [],
                },
            },
            "TrainingJobDefinition": {**TRAINING, "StaticHyperParameters": {"a": "1"}},
        }
    },
    "AutoML": {
        "Arguments": {
            "AutoMLJobConfig": {"Mode": "ENSEMBLING"},
            "InputDataConfig": [{"TargetAttributeName": "y"}],
            "OutputDataConfig": {"S3OutputPath": "s3://b/k"},
            "RoleArn": ROLE,
        }
    },
    "Model": {
        "Arguments": {
            "ExecutionRoleArn": ROLE,
            "PrimaryContainer": {
                "Image": IMAGE,
                "Environment": {},
                "ModelDataUrl": {"Get": "Steps.Training.ModelArtifacts.S3ModelArtifacts"},
            },
        }
    },
    "RegisterModel": {
        "Arguments": {
            "ModelPackageGroupName": "g",
            "ModelApprovalStatus": {"Get": "Parameters.approval"},
            "ModelMetrics": {
                "ModelQuality": {"Statistics": {"ContentType": "a/j", "S3Uri": "s3://b/k"}}
            },
            "InferenceSpecification": {
                "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://b/m.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        },
        "RetryPolicies": [
            {
                "BackoffRate": 2.0,
                "IntervalSeconds": 1,
                "MaxAttempts": 5,
                "ExceptionType": ["Step.SERVICE_FAULT", "Step.THROTTLING"],
            }
        ],
    },
    "Condition": {
        "Arguments": {
            "Conditions": [
                {
                    "Type": "Or",
                    "Conditions": [
                        {
                            "Type": "In",
                            "QueryValue": {"Get": "Parameters.approval"},
                            "Values": ["a"],
                        },
                        {
                            "Type": "Not",
                            "Condition": {
                                "Type": "Equals",
                                "LeftValue": {
                                    "Std:JsonGet": {
                                        "S3Uri": {"Std:Join": {"On": "/", "Values": ["s3:/", "b"]}},
                                        "Path": "a[0].b",
                                    }
                                },
                                "RightValue": True,
                            },
                        },
                    ],
                }
            ],
            "IfSteps": [],
            "ElseSteps": [],
        }
    },
    "Fail": {"Arguments": {"ErrorMessage": ""}},
    "Lambda": {
        "Arguments": {"a": 1, "b": {"Get": "Steps.Condition.Outcome"}},
        "FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:f",
        "OutputParameters": OUTPUTS,
    },
    "Callback": {
        "Arguments": {"a": {"Get": "Steps.Lambda.OutputParameters['done']"}},
        "SqsQueueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/q",
        "OutputParameters": OUTPUTS,
    },
    "QualityCheck": {
        "Arguments": JOB,
        "CheckType": "DATA_QUALITY",
        "SuppliedBaselineStatistics": None,
        **CHECK,
    },
    "ClarifyCheck": {"Arguments": JOB, "CheckType": "MODEL_BIAS", "ModelName": "m", **CHECK},
    "EMR": {
        "Arguments": {
            "ClusterConfig": {
                "Instances": {
                    "InstanceGroups": [
                        {"InstanceRole": "MASTER", "InstanceCount": 1, "InstanceType": "m5.xlarge"}
                    ]
                },
                "ReleaseLabel": "emr-7.5.0",
                "JobFlowRole": "EMR_EC2_DefaultRole",
                "ServiceRole": "EMR_DefaultRole",
            },
            "StepConfig": {
                "HadoopJarStep": {
                    "Jar": "command-runner.jar",
                    "Args": ["spark-submit", {"Get": "Parameters.approval"}],
                    "Properties": [{"Key": "a", "Value": "b"}],
                }
            },
        },
        "RetryPolicies": [
            {
                "BackoffRate": 1.5,
                "IntervalSeconds": 5,
                "MaxAttempts": 5,
                "ExceptionType": ["Step.THROTTLING", "Emr.RESOURCE_LIMIT"],
            }
        ],
    },
    "EMRServerless": {
        "Arguments": {
            "ExecutionRoleArn": ROLE,
            "ApplicationId": "00f1abcdef",
            "JobConfig": {
                "applicationId": "00f1abcdef",
                "executionRoleArn": ROLE,
                "jobDriver": {"sparkSubmit": {"entryPoint": "s3://b/a.py"}},
                "executionTimeoutMinutes": 60,
                "tags": {"a": "b"},
            },
        }
    },
    "EndpointConfig": {
        "Arguments": {
            "EndpointConfigName": "c",
            "ProductionVariants": [
                {
                    "VariantName": "AllTraffic",
                    "ModelName": {"Get": "Steps.Model.ModelName"},
                    "InitialInstanceCount": 1,
                    "InstanceType": "ml.m5.large",
                }
            ],
        }
    },
    "Endpoint": {
        "Arguments": {
            "EndpointName": "e",
            "EndpointConfigName": {"Get": "Steps.EndpointConfig.EndpointConfigName"},
            "Tags": [],
        }
    },
    "InferenceComponent": {
        "Arguments": {
            "InferenceComponentName": "i",
            "EndpointName": "e",
            "VariantName": "AllTraffic",
            "Specification": {"ModelName": "m"},
            "RuntimeConfig": {"CopyCount": 1},
        }
    },
    "Lineage": {
        "Arguments": {
            "Actions": [
                {
                    "ActionName": "a",
                    "ActionType": "Action",
                    "Source": {"SourceUri": "s3://b/k", "SourceType": "S3"},
                }
            ],
            "Associations": [
                {
                    "Source": {"Name": "a", "Type": "Action"},
                    "Destination": {"Arn": {"Get": "Steps.RegisterModel.ModelPackageArn"}},
                    "AssociationType": "Produced",
                }
            ],
        }
    },
    "Job": {
        "Arguments": {
            "JobCategory": "AgentRFT",
            "RoleArn": ROLE,
            "JobConfigSchemaVersion": "1.0.0",
            "JobConfigDocument": {"Std:Join": {"On": "", "Values": ['{"a": "', "b", '"}']}},
        }
    },
    "Cleanup": {
        "Arguments": {"Resources": {"S3": [{"StepName": "Training"}]}},
        "DependsOn": ["Training", {"Step": "Tuning", "Trigger": "Any"}],
    },
    "ForEach": {
        "Arguments": {
            "IterableItems": {"Get": "Parameters.approval"},
            "MaxConcurrency": 2,
            "Selector": {
                "Pick": "MaxBy",
                "Field": {"Get": "IterationOutput.body.OutputParameters['done']"},
            },
            "ForEachBody": [
                {
                    "Name": "body",
                    "Type": "Lambda",
                    "FunctionArn": "f",
                    "OutputParameters": OUTPUTS,
                    "Arguments": {"item": {"Get": "ForEach.CurrentItem.name"}},
                }
            ],
        }
    },
}


def _definition() -> JsonObject:
    steps = [{"Name": name, "Type": name, **step} for name, step in STEPS.items()]
    return {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [
            {"Name": "skip", "Type": "Boolean", "DefaultValue": False},
            {"Name": "approval", "Type": "String"},
        ],
        "PipelineExperimentConfig": None,
        "MlflowConfig": {"MlflowResourceArn": "arn:x", "MlflowExperimentName": "e"},
        "Steps": steps,
    }


def test_there_is_an_example_of_every_type() -> None:
    """A new Type wants its example here."""
    assert set(STEPS) == set(names())


def test_what_the_sdk_writes_for_every_type_has_no_finding() -> None:
    """Keys, nulls and spellings as the SDK's step classes write them."""
    found = check_definition(_definition())
    assert [(f.code, f.path, f.message) for f in found] == []


@pytest.mark.parametrize("name", sorted(STEPS))
def test_a_wrong_key_in_the_arguments_of_every_type_is_found(name: str) -> None:
    """Lambda and Callback apart, whose arguments are free."""
    definition = _definition()
    step = next(step for step in definition["Steps"] if step["Name"] == name)
    step["Arguments"] = {**step["Arguments"], "Nonsense": 1}
    assert bool(check_definition(definition)) is (name not in ("Lambda", "Callback"))


@pytest.mark.parametrize("name", sorted(STEPS))
def test_only_lambda_and_callback_may_stand_without_arguments(name: str) -> None:
    """The service's published schema requires them of every other Type; Terraform leaves them."""
    definition = _definition()
    step = next(step for step in definition["Steps"] if step["Name"] == name)
    del step["Arguments"]
    found = {finding.message for finding in check_definition(definition)}
    missing = "`Arguments` is missing in a step"
    assert (missing in found) is (name not in ("Lambda", "Callback"))
    assert name not in ("Lambda", "Callback") or not found


def test_a_channel_that_a_training_step_does_not_have_is_found_by_its_name() -> None:
    """References enter `InputDataConfig` by ChannelName, as inputs and outputs of processing."""
    definition = _definition()
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/k"}}
    by_name = {step["Name"]: step for step in definition["Steps"]}
    training, reader = by_name["Training"], by_name["Lambda"]
    channels = [{"ChannelName": "train", "DataSource": source}]
    training["Arguments"] = {**training["Arguments"], "InputDataConfig": channels}
    for name, helped in (("train", []), ("trian", ["did you mean `train`?"])):
        path = f"InputDataConfig['{name}'].DataSource.S3DataSource.S3Uri"
        reader["Arguments"] = {"uri": {"Get": f"Steps.Training.{path}"}}
        assert [finding.help for finding in check_definition(definition)] == helped
