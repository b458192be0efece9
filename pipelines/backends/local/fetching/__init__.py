"""`run --fetch`: inputs in S3 that this machine lacks → objects of the local store.

Only reads: objects are listed, then read with the ETag that was listed. What was read is recorded
(`records.py`), so that the next run reads only what has changed.
"""
