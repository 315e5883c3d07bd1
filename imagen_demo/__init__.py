"""Train an image generator in the browser and walk through what it learned."""

import os

__version__ = "0.1.0"

# Idle compute threads sleep instead of spinning. Measured on 2 cores with one other busy process:
# 40 training images/s instead of 4. Must be set before torch loads its thread library.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
