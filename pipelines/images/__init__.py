"""The image table: an image's short name or URI → the image and what is known of it.

Compile asks here and nowhere else; the answers reach jobs in `job.json`, so that the runtime, the
built-in programs and the local model server never ask.
"""

from pipelines.images.image import Image, ImageProblem
from pipelines.images.instances import check_instance, check_instances
from pipelines.images.resolving import resolve
from pipelines.images.table import Scope, describe, families, short_names

__all__ = [
    "Image",
    "ImageProblem",
    "Scope",
    "check_instance",
    "check_instances",
    "describe",
    "families",
    "resolve",
    "short_names",
]
