"""What runs between the tool and each host of a job: it isolates, starts, watches and cleans up.

The tool starts one process of this package before there is a job (`forkserver`), which forks a
launcher for every host. Nothing here is imported by the tool itself, and only the job runtime is
imported from elsewhere.
"""
