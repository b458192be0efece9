"""Find the best of the members of an experiment, and write what became of each.

`members.py` reads the training jobs through the SageMaker API: nothing can be referred to in a
step that failed. `main.py` chooses and writes; `picture.py` draws.
"""

from __future__ import annotations

from pipelines.programs import Declaration

DECLARATION = Declaration(
    python=(3, 9),
    actions={
        "sagemaker:DescribeTrainingJob": ("training-job/pipelines-*",),
        "sagemaker:ListPipelineExecutionSteps": ("pipeline/*",),
    },
    extra="serve",  # it calls the local SageMaker by its API
)
