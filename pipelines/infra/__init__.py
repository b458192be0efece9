"""What an account needs, generated from specs: roles and their policies, CI, rules, schedules.

Nothing here talks to AWS: it makes documents (policies, CloudFormation templates) of what was
compiled.
"""
