"""What `run --simulate` lets happen on this machine as it happens in an account.

`capacity:ml.g6.xlarge` is the simulation `capacity` in the case `ml.g6.xlarge`; `kinds/` has one
module for each. The engine hands what is simulated in a step to its jobs
(`LocalSettings.simulated`), whose code acts on it.
"""
