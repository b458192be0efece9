"""What a job used and what it was asked for → advice, each with the numbers that it rests on.

Each module of `rules/` is one rule; the order is that of the talk: bigger before more.
"""
