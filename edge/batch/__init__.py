"""Analyses files on request: pictures and videos, alone or by the folder, with the parts that `run` uses."""
