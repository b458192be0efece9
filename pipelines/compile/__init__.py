"""Graph → Compiled: the definitions of a pipeline and the assets that they name."""
