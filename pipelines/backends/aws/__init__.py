"""The account: what is deployed there, and how a plan becomes it."""
