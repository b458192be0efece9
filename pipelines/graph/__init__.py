"""PipelineSpec → Graph: references resolved, order known, semantic checks made."""
