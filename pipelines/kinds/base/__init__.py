"""What the kinds share: their contract, definition functions, and the parts of a job request."""
