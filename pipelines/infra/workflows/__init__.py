"""What runs the stages of a delivery where CodePipeline does not: one module for each host."""
