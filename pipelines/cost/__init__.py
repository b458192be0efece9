"""What a pipeline costs: instances x time x prices that somebody retrieved or wrote down.

`prices.py` knows prices, `usage.py` what a definition asks for, `estimate.py` puts both together,
`endpoints.py` does it for what is deployed, and `spent.py` for an execution that has run. A price
that is not known is never 0: what depends on it is unknown, and said to be.
"""
