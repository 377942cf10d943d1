"""XNNPACK for int8 under tflite-runtime 2.14, whose own default leaves int8 to TFLite's built-in kernels.

Those are half as fast on x86-64 and round otherwise: up to eleven quantisation steps away after ten convolutions. The
wheel holds all of XNNPACK; only the flag that lets it take signed 8-bit operators was left out when it was built, and
Python has no argument for it. So the delegate is made through its C interface:
https://github.com/tensorflow/tensorflow/blob/v2.14.0/tensorflow/lite/delegates/xnnpack/xnnpack_delegate.h
"""

import ctypes
import importlib
import importlib.metadata
from typing import Any

DISTRIBUTION = "tflite-runtime"
VERSION = "2.14."
"""The last that there is. `_Options` is laid out as in this one."""
LIBRARY = "tflite_runtime._pywrap_tensorflow_interpreter_wrapper"
SIGNED_8_BIT = 1


class _Options(ctypes.Structure):
    """`TfLiteXNNPackDelegateOptions`; all zeros are the defaults."""

    _fields_ = (
        ("num_threads", ctypes.c_int32),
        ("flags", ctypes.c_uint32),
        ("weights_cache", ctypes.c_void_p),
        ("handle_variable_ops", ctypes.c_bool),
    )


class Int8Delegate:
    """One interpreter's XNNPACK, as `Interpreter(experimental_delegates=…)` takes it and keeps it alive."""

    def __init__(self, library: Any, threads: int) -> None:
        """Make it.

        Raises:
            OSError: XNNPACK does not work on this processor.
            AttributeError: the library has no XNNPACK.
        """
        create, self._delete = library.TfLiteXNNPackDelegateCreate, library.TfLiteXNNPackDelegateDelete
        create.restype, create.argtypes = ctypes.c_void_p, (ctypes.POINTER(_Options),)
        self._delete.restype, self._delete.argtypes = None, (ctypes.c_void_p,)
        self._pointer: int | None = create(ctypes.byref(_Options(num_threads=threads, flags=SIGNED_8_BIT)))
        if not self._pointer:
            raise OSError("XNNPACK made no delegate")

    def _get_native_delegate_pointer(self) -> int | None:
        """What the interpreter asks for."""
        return self._pointer

    def __del__(self) -> None:
        """Give it back; the interpreter that used it is gone by now."""
        if getattr(self, "_pointer", None):
            self._delete(self._pointer)


def int8_delegate(distribution: str, threads: int) -> Int8Delegate | None:
    """A delegate for one interpreter of `distribution`; None where none is needed or none can be made."""
    try:
        if distribution != DISTRIBUTION or not importlib.metadata.version(distribution).startswith(VERSION):
            return None
        file = importlib.import_module(LIBRARY).__file__
        return Int8Delegate(ctypes.CDLL(str(file)), threads)
    except (ImportError, OSError, AttributeError):
        return None
