"""The block that trains as several branches and runs as one convolution."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from training.networks.normalization import BatchNormalization


class RepBlock(keras.layers.Layer):
    """ReLU(BN(BN(3×3) + 1×1 + identity)), after QARepVGG (Chu et al., AAAI 2024, "Make RepVGG greater again").

    The 1×1 and the identity carry no normalisation of their own, and one follows the sum: that is what keeps the
    folded kernel's values in a range that int8 can hold, where plain RepVGG's are not.

    Args:
        filters: channels out.
        strides: 1 or 2.
        dtype: policy; the weights are float32 under any.
    """

    def __init__(self, filters: int, strides: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters, self.strides = filters, strides
        self.branch_norm = BatchNormalization(dtype=self.dtype_policy, name="branch_norm")
        self.norm = BatchNormalization(dtype=self.dtype_policy, name="norm")

    @property
    def norms(self) -> tuple[BatchNormalization, ...]:
        """Its normalisations."""
        return self.branch_norm, self.norm

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Create the kernels for (None, H, W, C) in."""
        channels = input_shape[-1]
        self.kernel = self.add_weight(shape=(3, 3, channels, self.filters), initializer="he_normal", name="kernel")
        self.point_kernel = self.add_weight(
            shape=(1, 1, channels, self.filters), initializer="he_normal", name="point_kernel"
        )
        self._sides = tuple(input_shape[1:3])
        self.has_identity = self.strides == 1 and channels == self.filters
        self.branch_norm.build(self.compute_output_shape(input_shape))
        self.norm.build(self.compute_output_shape(input_shape))
        super().build(input_shape)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """(None, ceil(H / strides), ceil(W / strides), filters)."""
        batch, height, width, _ = input_shape
        return batch, -(-height // self.strides), -(-width // self.strides), self.filters

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """(N, H, W, C) to (N, H', W', filters), not negative."""
        wide = ops.conv(inputs, self.kernel, strides=self.strides, padding="same")
        point_kernel = self.point_kernel
        if self.has_identity:
            # the identity is one more term of the 1×1 kernel: a pass over the activations saved
            eye = ops.reshape(ops.eye(self.filters), (1, 1, self.filters, self.filters))
            point_kernel = point_kernel + ops.cast(eye, self.compute_dtype)
        point = ops.conv(inputs, point_kernel, strides=self.strides, padding="same")
        merged = self.branch_norm(wide, training=training) + point
        return ops.relu(self.norm(merged, training=training))

    def folded(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Kernel float32 (3, 3, C, filters) and bias float32 (filters,) of the one convolution that does the same."""
        wide_gain, wide_offset = _affine(self.branch_norm)
        gain, offset = _affine(self.norm)
        kernel = keras.ops.convert_to_numpy(self.kernel).astype(np.float64) * wide_gain
        point = keras.ops.convert_to_numpy(self.point_kernel).astype(np.float64)[0, 0]
        row, column = self._point_position()
        kernel[row, column] += point + (np.eye(self.filters) if self.has_identity else 0)
        return (kernel * gain).astype(np.float32), (wide_offset * gain + offset).astype(np.float32)

    def _point_position(self) -> tuple[int, int]:
        """Where in the 3×3 window the 1×1 samples: the centre, but the first pixel where stride 2 meets an even side.

        There "same" pads at the end only, so both windows begin at the same pixel. Moving the 1×1 to the centre
        (by slicing the input) makes a step an eighth slower.
        """
        row, column = (1 if self.strides == 1 or size % 2 else 0 for size in self._sides)
        return row, column


def _affine(norm: BatchNormalization) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gain and offset per channel that the normalisation amounts to at inference."""
    gamma, beta, mean, variance = (
        keras.ops.convert_to_numpy(value).astype(np.float64)
        for value in (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
    )
    gain = gamma / np.sqrt(variance + norm.epsilon)
    return gain, beta - mean * gain
