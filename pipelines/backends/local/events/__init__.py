"""EventBridge on this machine: changes of the state → events → what the rules of templates start.

`model.py` makes events of the changes that the state recorded; `template.py` evaluates a template,
`loading.py` reads its rules, `patterns.py` decides which events a rule takes, and `bus.py` hands
them to the targets, in order.
"""
