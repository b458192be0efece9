"""The simulations: one module for each, named as it is, with its `SIMULATION`."""
