"""Endpoint configs, endpoints and their invocation, shaped as SageMaker's API.

`configs.py` and `endpoints.py` hold the operations; an endpoint is a row that says what is served
and what is wanted (`store.py`). A provisioner brings up what is wanted (`provisioner.py`), and the
fleets of this process answer (`fleets.py`, `invocations.py`).
"""
