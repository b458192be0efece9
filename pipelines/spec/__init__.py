"""Document → PipelineSpec: the spec language as typed, frozen values."""
