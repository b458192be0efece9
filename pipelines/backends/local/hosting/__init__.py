"""Endpoints as processes: what is served, and who starts and stops it.

`provisioner.py` carries out the change that an endpoint's row asks for, and holds the fleets of
this process. A fleet (`fleet.py`) starts the model servers of one production variant. Each is a
process behind a launcher of the jobs (`container.py` prepares its folders, `model_server.py` speaks
to it) that runs `worker/`, which loads the user's code.
"""
