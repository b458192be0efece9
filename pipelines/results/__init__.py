"""What an execution leaves behind: outputs, reports, metrics; compared, and on one page."""
