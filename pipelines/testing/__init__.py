"""Test the code of your steps as SageMaker would run it: a pytest plugin.

The plugin is installed with the tool. Your code needs nothing of it::

    def test_training_writes_a_model(sagemaker_job):
        result = sagemaker_job.step(
            "train",  # of pipeline.yaml, with all that stands there
            inputs={"train": {"part-0.csv": frame}, "validation": "tests/data/validation"},
            parameters={"epochs": 1},
        ).run()
        assert result.exit_code == 0, result.failure
        assert (result.model / "model.onnx").exists()
        assert result.metrics("auc")[-1] > 0.6

    def test_features_are_complete(sagemaker_job):
        result = sagemaker_job.processing(
            script="steps/features.py",
            inputs={"flights": {"flights.csv": frame}},
            outputs=["train", "test"],
            arguments={"seed": 7},
        ).run()
        assert (result.outputs["train"] / "part-0.parquet").exists()

    def test_one_function(sagemaker_environment):
        with sagemaker_environment(channels={"train": {"a.csv": frame}}) as job:
            train.main([])
        assert (job.model / "model.onnx").exists()

`sagemaker_job` starts the script as a process of its own, through the runtime that is bundled
into real jobs, in a bundle as `compile` makes it: the same files, command line, `SM_*` variables,
working directory, launcher (`hosts=2, distribution="torchrun"`) and failure file.
`sagemaker_environment` only sets the variables, in the process of the test.
"""
