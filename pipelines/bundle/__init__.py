"""A job's code as one zipapp: its files traced, collected, hashed and written (decision 1)."""
