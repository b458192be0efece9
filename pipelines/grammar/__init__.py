"""The language of a pipeline definition: functions, references, paths (FACTS 1.6). A leaf.

The `${…}` of the spec is another language; it stands in `pipelines.spec`.
"""
