"""Local jobs: a processing or training request run as child processes with their own /opt/ml."""
