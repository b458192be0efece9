"""What built-in kinds run inside their jobs."""
