"""The program behind the packaging step of `kind: registration` (decision 3)."""
