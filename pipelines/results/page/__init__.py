"""An execution as one HTML page that loads nothing: every value escaped, no script."""
