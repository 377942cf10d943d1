"""Expression networks: how right, how fast, how large."""
