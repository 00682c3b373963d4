"""``python -m engine.run.worker``."""

import os
import sys

from engine.run.worker import main

if __name__ == "__main__":
    status = main()
    # Threads of libraries must not keep a worker alive that has said goodbye.
    sys.stderr.flush()
    os._exit(status)
