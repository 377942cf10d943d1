"""Each a small program of its own, run by the Python of its environment: nothing of `edge` but what it says."""
