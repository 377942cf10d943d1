"""Files that are written whole, as the device writes them."""

from edge.files import write_whole, written_whole

__all__ = ["write_whole", "written_whole"]
