"""Measures this device. Ships in the wheel, so that a Pi without a checkout can run it."""
