"""Random numbers by counter: each is a pure function of what it is for, so that any one can be drawn again."""

import numpy as np
from numpy.typing import NDArray

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = 0xFFFFFFFFFFFFFFFF


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The output function of splitmix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators")."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def bits(seed: int, rows: NDArray[np.int64], view: int, count: int, stream: int = 0) -> NDArray[np.uint64]:
    """uint64 (N, count): `count` words for each of `rows` (N,), the same whatever other rows are asked for.

    Args:
        seed: of the run.
        rows: which picture.
        view: which time the picture is seen (the epoch).
        count: words a row.
        stream: keeps draws of different purpose apart.
    """
    start = _mix(np.array([(seed * _GOLDEN + stream) & _MASK], np.uint64))
    start = _mix(start + np.uint64(view * _GOLDEN & _MASK))
    key = _mix(start + rows.astype(np.uint64) * np.uint64(_GOLDEN))
    return _mix(key[:, None] + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GOLDEN))


def uniforms(seed: int, rows: NDArray[np.int64], view: int, count: int, stream: int = 0) -> NDArray[np.float32]:
    """float32 (N, count) in [0, 1); the arguments are those of `bits`."""
    # 24 bits are what a float32 holds exactly
    return (bits(seed, rows, view, count, stream) >> np.uint64(40)).astype(np.float32) * np.float32(2**-24)


def normals(seed: int, rows: NDArray[np.int64], view: int, count: int, stream: int = 0) -> NDArray[np.float32]:
    """float32 (N, count), mean 0, deviation 1, within ±3.5: sums of four uniforms (Irwin–Hall), ample for noise."""
    words = bits(seed, rows, view, count, stream)
    quarters = words.view(np.uint16).reshape(*words.shape, 4)
    total = quarters.sum(axis=-1, dtype=np.float32)
    return (total * np.float32(2**-16) - np.float32(2)) * np.float32(np.sqrt(3))
