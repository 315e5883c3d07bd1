"""What the measured numbers of a model mean, in a few words: for cards and the command line."""

from __future__ import annotations

MEANINGS = {
    "fid": "FID (lower is better)",
    "kid": "KID (lower is better)",
    "precision": "precision (0 to 1, higher is better)",
    "recall": "recall (0 to 1, higher is better)",
    "swd": "sliced Wasserstein distance (lower is better)",
    "memorisation": "memorisation (near 0: copies; about 1 or more: none)",
}
