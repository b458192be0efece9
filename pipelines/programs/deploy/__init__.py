"""Make an endpoint match its model package group: the registry alone says what is live.

`observe.py` reads registry, endpoint and history; `decide.py` says what is to be done, and does
nothing; `carry_out.py` does it; `reconcile.py` goes round until nothing is left to do. `main.py`
is the job's way in; commands call `reconcile` themselves.
"""
