"""Model archives → servers that answer `/ping` and `/invocations` as a container does.

`fleet.py` is the seam: a fleet serves one production variant. Behind it stand, in order, the
container's folder and environment (`container.py`), a process under a launcher of the jobs
(`server.py`), and what runs in that process (`worker/`), which holds the user's code.
"""
