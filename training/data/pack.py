"""One small file that holds a whole data set, for moving it: chips without loss, labels, names, splits, rows.

A ZIP archive of WebP pictures (lossless) with many chips each, and `pack.json`.
"""

import zipfile
import zlib
from pathlib import Path

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError, PermanentError
from training.data.cache import Allocate, Arrays, mapped, sha256_of
from training.data.chips import adapted
from training.data.dataset import Dataset
from training.data.options import DEFAULTS, LoaderOptions
from training.files import written_whole

_LAYOUT = 1
_LISTING = "pack.json"
_SHEET_MOST_PX = 3072  # width and height: three copies of a sheet are in memory while it is written
_FIRST_MOST_PX, _FIRST_MOST = 16383, 64  # of packs that do not say how many chips lie side by side
_WEBP_LOSSLESS = 101
_BROKEN = (zipfile.BadZipFile, KeyError, zlib.error)


class Listing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of a data set but its chips.

    Attributes:
        version: of this layout.
        side_px: of the chips.
        channels: of the chips.
        label_names: as `Dataset.label_names`.
        labels: as `Dataset.labels`.
        split_names: the parts that occur.
        splits: index of each chip's part in `split_names`.
        rows: as `Dataset.rows`.
        names: as `Dataset.names`.
        left_out: as `Dataset.left_out`.
        across: chips side by side in a picture, and as many such lines; 0: as the first packs had them.
    """

    version: int
    side_px: int
    channels: int
    label_names: tuple[str, ...]
    labels: list[int]
    split_names: tuple[str, ...]
    splits: list[int]
    rows: list[int]
    names: list[str] | None
    left_out: tuple[str, ...]
    across: int = 0


MOST_B = 60_000_000
"""A pack is for moving: larger files are refused by mail, chats and most repositories."""


def write(dataset: Dataset, path: Path, most_b: int = MOST_B) -> int:
    """Write a pack, replacing the file whole.

    Args:
        dataset: what to write.
        path: of the file.
        most_b: greatest size in bytes.

    Returns:
        Its size in bytes; FER2013's 32,298 public pictures take 52 MB.

    Raises:
        ConfigError: it would be larger; nothing is written.
        PermanentError: OpenCV writes no WebP.
    """
    across = max(1, _SHEET_MOST_PX // dataset.side_px)
    split_names, splits = np.unique(dataset.splits, return_inverse=True)
    listing = Listing(
        _LAYOUT,
        dataset.side_px,
        dataset.channels,
        dataset.label_names,
        dataset.labels.tolist(),
        tuple(split_names.tolist()),
        splits.tolist(),
        dataset.rows.tolist(),
        None if dataset.names is None else dataset.names.tolist(),
        dataset.left_out,
        across,
    )
    with written_whole(path) as temporary:
        with zipfile.ZipFile(temporary, "w") as archive:
            archive.writestr(_LISTING, msgspec.json.encode(listing), zipfile.ZIP_DEFLATED)
            for start in range(0, len(dataset), across * across):
                some = dataset.chips[start : start + across * across]
                good, content = cv2.imencode(".webp", _sheet(some, across), [cv2.IMWRITE_WEBP_QUALITY, _WEBP_LOSSLESS])
                if not good:
                    raise PermanentError(f"{path}: OpenCV cannot write WebP; install opencv-python-headless from PyPI")
                archive.writestr(_picture_name(start), content.tobytes())
                _check_size(path, dataset, temporary.stat().st_size, start + len(some), most_b)
        # the archive's directory comes at its end
        _check_size(path, dataset, temporary.stat().st_size, len(dataset), most_b)
    return path.stat().st_size


def _check_size(path: Path, dataset: Dataset, size_b: int, written: int, most_b: int) -> None:
    """A pack that becomes too large is given up as soon as it is."""
    if size_b <= most_b:
        return
    whole_mb = size_b / 1e6 * len(dataset) / written
    raise ConfigError(
        f"{path}: all {len(dataset)} chips of {dataset.side_px}×{dataset.side_px} px would take "
        f"{'about ' if written < len(dataset) else ''}{whole_mb:.0f} MB, expected at most {most_b / 1e6:.0f} MB; take "
        f"smaller or grey chips or fewer classes (size, channels and classes in [data.options] of a --recipe), or "
        "move the source itself; --npy and --folders write any amount"
    )


def load(path: Path, cache: Path | None = None, options: LoaderOptions = DEFAULTS) -> Dataset:
    """Read a pack.

    Args:
        path: the file.
        cache: directory that keeps the chips under the file's SHA-256.
        options: classes, size and channels; the splits are the pack's own.

    Raises:
        ConfigError: no such file, or the class map does not fit.
        PermanentError: not a pack of this version.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; expected a pack, which `training.data.pack.write` makes")
    try:
        with zipfile.ZipFile(path) as archive:
            listing = msgspec.json.decode(archive.read(_LISTING), type=Listing)
            if listing.version != _LAYOUT:
                raise PermanentError(f"{path}: a pack of version {listing.version}; expected {_LAYOUT}")
    except (*_BROKEN, msgspec.DecodeError, OSError) as error:
        raise PermanentError(f"{path}: not a pack ({error}); expected what `training.data.pack.write` makes") from error
    digest = sha256_of(path)
    key = f"pack-{_LAYOUT}-{digest}"
    # an OSError of the cache, a full disk say, speaks for itself
    arrays = mapped(cache, key, lambda allocate: _unpack(path, listing, allocate))
    native = Dataset(
        arrays["chips"],
        np.array(listing.labels, np.int64),
        listing.label_names,
        np.array([listing.split_names[split] for split in listing.splits], np.str_),
        np.array(listing.rows, np.int64),
        None if listing.names is None else np.array(listing.names, np.str_),
        listing.left_out,
        digest,
        key,
    )
    return adapted(native, options, str(path), cache)


def _unpack(path: Path, listing: Listing, allocate: Allocate) -> Arrays:
    side, channels, count = listing.side_px, listing.channels, len(listing.labels)
    across = listing.across or max(1, min(_FIRST_MOST, _FIRST_MOST_PX // side))
    chips = allocate("chips", (count, side, side, channels))
    mode = cv2.IMREAD_COLOR if channels == 3 else cv2.IMREAD_GRAYSCALE
    with zipfile.ZipFile(path) as archive:
        for start in range(0, count, across * across):
            try:
                content = np.frombuffer(archive.read(_picture_name(start)), np.uint8)
            except _BROKEN as error:
                raise PermanentError(f"{path}: not a pack ({error}); make it anew") from error
            sheet = cv2.imdecode(content, mode)
            some = chips[start : start + across * across]
            down = -(-len(some) // across)
            if sheet is None or sheet.shape[:2] != (down * side, across * side):
                raise PermanentError(f"{path}, {_picture_name(start)}: not {across}×{down} chips; make the pack anew")
            grid = sheet.reshape(down, side, across, side, channels).transpose(0, 2, 1, 3, 4)
            some[:] = grid.reshape(-1, side, side, channels)[: len(some), ..., ::-1]
    return {}


def _picture_name(start: int) -> str:
    return f"chips-{start:07}.webp"


def _sheet(chips: NDArray[np.uint8], across: int) -> NDArray[np.uint8]:
    """Chips (N, S, S, C) side by side, `across` in a row: (ceil(N / across)·S, across·S, C), BGR if C is 3."""
    count, side, _, channels = chips.shape
    down = -(-count // across)
    padded = np.zeros((down * across, side, side, channels), np.uint8)
    padded[:count] = chips[..., ::-1]
    grid = padded.reshape(down, across, side, side, channels).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(grid.reshape(down * side, across * side, channels))
