"""`python -m tests [pytest arguments]`: set everything up in a virtual environment, then run the tests."""

import sys

from engine.bootstrap import start_tests

if __name__ == "__main__":
    sys.exit(start_tests(sys.argv[1:]))
