"""Train an image generator in the browser and walk through what it learned."""

import os

__version__ = "0.1.0"

# Idle compute threads spin for some microseconds, then sleep. Training images/s on 2 cores: spinning on and on 179
# alone, but a tenth of what sleeping gives beside one other busy process; sleeping at once 107; this 172, and no
# slower than sleeping beside a busy process. Must be set before torch loads its thread library.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
