"""Watches a camera on a low-power device, finds faces, names each face's expression and shows it live."""

__version__ = "0.1.0"
