"""Trains the expression models on a workstation. Nothing in here runs on the device."""
