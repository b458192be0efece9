"""The program behind the packaging step of `kind: registration` (D10)."""
