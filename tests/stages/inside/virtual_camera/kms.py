"""Stands in for the kernel's screens, which picamera2 imports for a preview that nobody opens here."""


class _AnyName(type):
    def __getattr__(cls, name: str) -> str:
        return name


class PixelFormats(metaclass=_AnyName):
    """Has every format."""
