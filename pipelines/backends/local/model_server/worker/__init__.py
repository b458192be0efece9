"""The process that holds the user's serving code: standard library only.

It is loaded from its folder under a name of its own, not as part of `pipelines`: the user's code
and what is vendored beside it own this interpreter's path.
"""
