"""`python -m studio`: set everything up in a virtual environment, then open the window."""

import sys

from engine.bootstrap import start_studio

if __name__ == "__main__":
    sys.exit(start_studio(sys.argv[1:]))
