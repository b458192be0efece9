"""The floor: an interpreter that imports yaml and defines one pydantic model."""

import pydantic
import yaml


class Model(pydantic.BaseModel):
    """One model."""

    number: int


Model.model_validate(yaml.safe_load("number: 1"))
