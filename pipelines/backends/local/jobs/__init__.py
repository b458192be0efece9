"""Local jobs: processing and training requests run as child processes with their own /opt/ml."""
