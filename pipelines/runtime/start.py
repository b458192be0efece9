"""The `__main__.py` of a bundle: the start of every job, readable by any Python of an image."""

import sys

if sys.version_info < (3, 7):
    sys.exit("pipelines: jobs need Python 3.7 or newer; this is %d.%d" % sys.version_info[:2])

sys.path.insert(0, sys.path[0] + "/tool")

from pipelines.runtime.job import run

sys.exit(run(sys.path[1]))
