"""``python -m imagen_demo``: the command line."""

import sys

from imagen_demo.cli import main

sys.exit(main())
