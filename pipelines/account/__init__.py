"""What stands in an account, real or local: read, changed as a plan says, pruned, destroyed."""
