"""Make an endpoint match its model package group: the registry alone says what is live.

`observe.py` reads registry, endpoint and history; `decide.py` returns the next action, and does
nothing; `carry_out.py` does it; `reconcile.py` repeats that until nothing is left to do. `modes/`
holds what is known of each way of serving. `main.py` starts the job; commands call `reconcile`.
"""
