"""Launchers: the processes that isolate, start, watch and clean up one host of a job each.

`client.py` is the tool's side: `start_host` asks for a launcher. The fork server (`forkserver.py`),
started before there is a job, forks it. The launcher itself (`host.py`) isolates the host in
`namespaces.py`, starts the job's main process, possibly without a new interpreter (`preloaded.py`),
and supervises what runs below it (`processes.py`). The fork server's side imports nothing of ours
but the job runtime.
"""
