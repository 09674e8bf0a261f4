"""`make bench`: each figure as a ratio to a floor measured in the same run. Absolute times are this machine's.

`python -m bench close [CUSTOMERS [WORKERS]]`, `python -m bench tickets [TICKETS …]` and `python -m bench updates`
run one of them.
"""

import sys

from bench import close, tickets, updates

if __name__ == "__main__":
    which, sizes = sys.argv[1] if len(sys.argv) > 1 else "", [int(size) for size in sys.argv[2:]]
    if which in ("", "close"):
        close.main(*sizes or [10_000])
    if which in ("", "tickets"):
        tickets.main(tuple(pair for pair in tickets.SIZES if not sizes or pair[0] in sizes))
    if which in ("", "updates"):
        updates.main()
