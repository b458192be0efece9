"""The process that runs the user's serving code: standard library only.

It is loaded from its folder under a name of its own, not as part of `pipelines`: this
interpreter's import path belongs to the user's code and what is vendored beside it.
"""
