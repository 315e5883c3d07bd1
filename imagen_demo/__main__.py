"""``python -m imagen_demo``: the command line."""

import sys

from imagen_demo.cli.main import main

sys.exit(main())
