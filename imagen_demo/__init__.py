"""Train an image generator in the browser and walk through what it learned."""

__version__ = "0.1.0"
