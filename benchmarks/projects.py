"""Small generated projects for the benchmarks."""

from __future__ import annotations

from pathlib import Path

_HEAD = """\
spec: 1
pipeline: {name}
aws:
  role: arn:aws:iam::111122223333:role/flight-delays
  bucket: flight-delays-ml
defaults: {{image: sklearn-1.9-cpu}}
"""

_CHAIN = """\
parameters:
  min_auc: {type: float, default: 0.7}
data:
  raw: s3://b/raw
steps:
  features:
    kind: processing
    script: features.py
    inputs: {raw: "${data.raw}"}
    outputs: [train, test]
  train:
    kind: training
    image: pytorch-2.13-cpu
    script: train.py
    instance_count: 2
    distribution: torchrun
    inputs: {train: "${steps.features.train}"}
    hyperparameters: {epochs: 4}
  evaluate:
    kind: evaluation
    script: evaluate.py
    model: ${steps.train.model}
    inputs: {test: "${steps.features.test}"}
  good-enough:
    kind: condition
    if: steps.evaluate.report.auc >= parameters.min_auc
    else: [reject]
  reject:
    kind: fail
    message: AUC is too low
"""


def chain_project(folder: Path) -> Path:
    """Write the process → train → evaluate → condition chain that `sdk_chain.py` compiles too."""
    for script in ("features.py", "train.py", "evaluate.py"):
        _write(folder / script, "print(1)\n")
    return _write(folder / "pipeline.yaml", _HEAD.format(name="chain") + _CHAIN)


def steps_project(folder: Path, count: int, script: str, *, chained: bool) -> Path:
    """Write `count` processing steps that run one script, one after another or all at once."""
    _write(folder / "step.py", script)
    steps = ["steps:"]
    for number in range(count):
        steps += [
            f"  step-{number}:",
            "    kind: processing",
            "    script: step.py",
            "    outputs: [result]",
        ]
        if chained and number:
            steps.append(f'    inputs: {{last: "${{steps.step-{number - 1}.result}}"}}')
    text = _HEAD.format(name="steps") + "\n".join(steps) + "\n"
    return _write(folder / "pipeline.yaml", text)


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
