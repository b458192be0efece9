"""EventBridge on this machine: changes of the state → events → what the rules of templates start.

`changes.py` makes events of the changes that the state recorded, `template.py` and `rules.py` read
rules out of CloudFormation templates, `patterns.py` decides which events a rule takes, and
`bus.py` delivers them, in order, to their targets.
"""
