"""A version of one account's registry → the same version, pending, in another account's.

`content.py` knows what a version consists of, `files.py` and `images.py` bring that over, and
`promote.py` puts it together. Everything passes through the process that promotes: no account needs
access to the other one.
"""
