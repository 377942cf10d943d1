"""Lets picamera2 open libcamera's virtual camera, in every Python that has this folder in its path.

The virtual camera has no raw stream, whose modes picamera2 asks for on opening, and wants each plane of a picture in a
buffer of its own, while picamera2 allocates one for all. Nothing else is replaced.
"""

import os
from typing import Any

os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:FATAL")

import libcamera
from picamera2 import Picamera2
from picamera2.allocators import LibcameraAllocator

_open = Picamera2.__init__


def _with_planes_apart(self: Any, camera_num: int = 0, **options: Any) -> None:
    _open(self, camera_num, allocator=object(), **options)
    self.allocator = LibcameraAllocator(self.camera)


def _modes_of_the_picture(self: Any) -> list[dict[str, Any]]:
    formats = self.camera.generate_configuration([libcamera.StreamRole.VideoRecording]).at(0).formats
    return [
        {"format": str(name), "size": (size.width, size.height)}
        for name in formats.pixel_formats
        for size in formats.sizes(name)
    ]


Picamera2.__init__ = _with_planes_apart
Picamera2._get_raw_modes = _modes_of_the_picture
