"""`make bench`: each figure as a ratio to a floor measured in the same run. Absolute times are this machine's."""

import sys

from bench.close import main

if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
