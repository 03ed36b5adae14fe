"""What `ray submit cluster.yaml submit.py -- run ...` copies to the head node and starts there: the command line.

dicecurve must be installed on the head node, in the environment of its login shell.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("RAY_ADDRESS", "auto")  # the cluster that runs here, not a private one
    try:
        from studies.__main__ import main
    except ImportError as error:
        sys.exit(f"submit.py: {error}; install dicecurve on the head node, in the environment of its login shell")
    sys.exit(main())
