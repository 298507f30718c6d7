"""``python -m or_mv_anon`` is ``or-mv-anon``."""

import sys

from or_mv_anon.cli import main

if __name__ == "__main__":
    sys.exit(main())
