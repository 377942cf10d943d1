"""What PyTorch is asked for: the tensors in a file, and its own answers. The only file here that meets it."""

import pickle
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.torch_network import Affine, Block, Network, Tensors
from edge.errors import ConfigError, PermanentError
from edge.types import Pixels
from training.foreign import Expects

LEAST_VERSION = (2, 10)
"""Before it, a file made for the purpose could run code in spite of `weights_only` (CVE-2025-32434, CVE-2026-24747)."""

USUAL_KEYS = ("state_dict", "model_state_dict", "model", "net", "weights")
"""Where checkpoints keep the weights, the likeliest first."""


def read_tensors(path: Path) -> Tensors:
    """The weights in a `.pt` or `.pth` file, by their names, in the order in which the network was put together.

    Numbers only are read: no code that the file may hold is run. Whole numbers, which are counters, are left out.

    Raises:
        ConfigError: no such file, PyTorch is not installed, or it is too old.
        PermanentError: the file is none of PyTorch's, or holds something other than weights.
    """
    torch = _torch()
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; expected PyTorch weights, .pt or .pth")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise PermanentError(f"{path}: {_refused(str(error))}") from error
    # whatever a file that is cut off or made of other bytes leads to
    except (RuntimeError, EOFError, ValueError, LookupError, AttributeError, TypeError, OSError) as error:
        told = isinstance(error, RuntimeError | OSError) and str(error).splitlines()
        raise PermanentError(
            f"{path} is not a file of PyTorch weights ({told[0] if told else 'its bytes make no sense'}); expected "
            "what `torch.save(model.state_dict(), path)` writes"
        ) from error
    return _floats(_state(content, path), path)


def answers(network: Network, chips: Pixels, expects: Expects) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """PyTorch's own output of each layer of the network, by the layer's name in Keras, first to last.

    Dropout and Flatten compute nothing and are left out.

    Args:
        network: as understood.
        chips: uint8 (N, S, S, C).
        expects: what the pixels become first; it is yielded as the layer "scale".

    Yields:
        Name and float32 (N, H, W, C), or (N, F) behind the Flatten.
    """
    torch = _torch()
    layers = torch.nn.Sequential(OrderedDict(_layers(torch, network))).eval()
    with torch.inference_mode():
        x = torch.from_numpy(chips.astype(np.float32)).permute(0, 3, 1, 2).contiguous()
        if expects != "raw":
            x = x / 255
        if expects == "symmetric":
            x = (x - 0.5) / 0.5
        yield "scale", _channels_last(x)
        for name, layer in layers.named_children():
            x = layer(x)
            if not isinstance(layer, torch.nn.Flatten):
                yield name, _channels_last(x)


def _layers(torch: Any, network: Network) -> Iterator[tuple[str, Any]]:
    for number, block in enumerate(network.blocks, start=1):
        name = f"block{number}_conv1"
        outputs, inputs = block.affine.weight.shape[:2]
        layer = torch.nn.Conv2d(inputs, outputs, 3, padding=1, bias=block.affine.bias is not None)
        yield name, _with(torch, layer, block.affine)
        yield from _normalised(torch, torch.nn.BatchNorm2d, name, block, network.epsilon)
        yield f"block{number}_pool", torch.nn.MaxPool2d(2)
    yield "flatten", torch.nn.Flatten()
    yield "dense", _linear(torch, network.dense.affine)
    yield from _normalised(torch, torch.nn.BatchNorm1d, "dense", network.dense, network.epsilon)
    yield "logits", _linear(torch, network.logits)


def _linear(torch: Any, affine: Affine) -> Any:
    outputs, inputs = affine.weight.shape
    return _with(torch, torch.nn.Linear(inputs, outputs, bias=affine.bias is not None), affine)


def _normalised(torch: Any, kind: Any, name: str, block: Block, epsilon: float) -> Iterator[tuple[str, Any]]:
    norm = block.norm
    layer = kind(len(norm.mean), eps=epsilon)
    arrays = {"weight": norm.gamma, "bias": norm.beta, "running_mean": norm.mean, "running_var": norm.variance}
    layer.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()}, strict=False)
    yield f"{name}_norm", layer
    yield f"{name}_relu", torch.nn.ReLU()


def _with(torch: Any, layer: Any, affine: Affine) -> Any:
    arrays = {"weight": affine.weight, "bias": affine.bias}
    layer.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items() if array is not None})
    return layer


def _channels_last(x: Any) -> NDArray[np.float32]:
    values: NDArray[np.float32] = (x.permute(0, 2, 3, 1) if x.ndim == 4 else x).numpy()
    return values


def _torch() -> Any:
    try:
        import torch  # noqa: PLC0415  # only where weights of PyTorch are really taken in
    except ImportError as error:
        raise ConfigError(
            f"PyTorch is not installed ({error}); it reads its own files: install the extra, "
            "`pip install -e '.[torch]'`"
        ) from error
    version = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    if version < LEAST_VERSION:
        raise ConfigError(
            f"PyTorch {torch.__version__} is installed, expected {'.'.join(map(str, LEAST_VERSION))} or later: with "
            "older ones a file of weights can run code; install the extra, `pip install -e '.[torch]'`"
        )
    return torch


def _refused(message: str) -> str:
    found = re.search(r"(?:GLOBAL|function|class) ([\w.]+\.[\w.]+)", message)
    what = f"it asks for {found.group(1)}, which is code" if found else "PyTorch cannot read it as weights"
    return (
        f"not a file of weights: {what}. Nothing of it was run; expected a state dict, as "
        "`torch.save(model.state_dict(), path)` writes it"
    )


def _state(content: Any, path: Path) -> Mapping[str, Any]:
    """The state dict in what a file holds: all of it, or one entry of a checkpoint."""
    if _is_state(content):
        state: Mapping[str, Any] = content
        return state
    inside: dict[str, Mapping[str, Any]] = {}
    if isinstance(content, Mapping):
        inside = {str(key): value for key, value in content.items() if _is_state(value)}
    for key in USUAL_KEYS:
        if key in inside:
            return inside[key]
    if len(inside) == 1:
        return next(iter(inside.values()))
    keys = ", ".join(map(str, content)) if isinstance(content, Mapping) else type(content).__name__
    raise PermanentError(
        f"{path} holds {keys or 'nothing'}, {len(inside)} of which are weights; expected a state dict, alone or as "
        f"{' or '.join(USUAL_KEYS[:2])} in a checkpoint"
    )


def _is_state(value: Any) -> bool:
    torch = _torch()
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(name, str) and isinstance(each, torch.Tensor) for name, each in value.items())
    )


def _floats(state: Mapping[str, Any], path: Path) -> Tensors:
    try:
        return {
            name: np.ascontiguousarray(tensor.detach().float().numpy())
            for name, tensor in state.items()
            if tensor.is_floating_point()
        }
    except (RuntimeError, TypeError, NotImplementedError) as error:
        raise PermanentError(
            f"{path} holds tensors that are no plain arrays of numbers ({str(error).splitlines()[0]}); expected "
            "weights that were neither quantised nor stored sparsely"
        ) from error
