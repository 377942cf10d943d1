"""Faces: found, followed, cut out, and what that costs."""
