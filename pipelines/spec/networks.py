"""What lies in a network of one's own: `aws.vpc`, and the file systems of `data:`."""

import posixpath
import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from pipelines.spec.base import SpecModel
from pipelines.spec.values import FixedText, mistake

_FILE_SYSTEM = r"fs-[0-9a-f]{8,18}"


class Vpc(SpecModel):
    """The network that jobs and models run in."""

    subnets: list[FixedText] = Field(description="Subnet ids, 1 to 16.")
    security_group_ids: list[FixedText] = Field(description="Security group ids, 1 to 5.")


class FileSystem(SpecModel):
    """A folder of an EFS or FSx for Lustre file system; needs `aws.vpc` and mode File."""

    file_system_id: FixedText = Field(
        description="Id of the file system, such as fs-0123456789abcdef0."
    )
    directory_path: FixedText = Field(description="The folder in it, such as /flights.")
    file_system_access_mode: Literal["ro", "rw"] = Field("ro", description="ro or rw.")

    @field_validator("file_system_id")
    @classmethod
    def _is_an_id(cls, name: str) -> str:
        if not re.fullmatch(_FILE_SYSTEM, name):
            advice = "`fs-` and 8 to 18 hexadecimal digits"
            raise mistake("SP122", f"`{name}` is not the id of a file system", advice)
        return name

    @model_validator(mode="after")
    def _absolute(self) -> Self:
        if not self.directory_path.startswith("/"):
            message = f"`{self.directory_path}` is not a path from the root of the file system"
            raise mistake("SP122", message, f"write /{self.directory_path}", below="directory_path")
        if {".", ".."} & {*self.directory_path.split("/")}:
            message = f"`{self.directory_path}` has parts `.` or `..`"
            advice = f"write {posixpath.normpath(self.directory_path)}"
            raise mistake("SP122", message, advice, below="directory_path")
        return self
