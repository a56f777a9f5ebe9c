"""Weights of layers in one form, and their arithmetic.

Other frameworks give convolutions a bias before batch normalization, another
epsilon, or a factor (gamma) that a network here does not have. All of that can
be moved into the other weights without a change of the result:

  gamma (w x + b - mean) / sqrt(variance + epsilon) + beta
"""
from typing import Dict, NamedTuple, Optional

import numpy as np

from image_classifier.import_weights import tflite_files

# What names of TensorFlow Lite's layers before a hard sigmoid end with.
GATE = '/gate'


class Conv(NamedTuple):
  """A convolution or a fully connected layer.

  Attributes:
    kernel: [height, width, in, out]; depthwise [height, width, channels,
      multiplier]; fully connected [in, out].
    bias: [out], or None.
    channels_first: of a fully connected layer on a map: whether its input is in
      the order of channels, rows and columns instead of rows, columns and
      channels.
  """
  kernel: np.ndarray
  bias: Optional[np.ndarray] = None
  channels_first: bool = False

  def kernel_for(self, shape) -> np.ndarray:
    """Returns the kernel; of a fully connected layer, for a map if it fits.

    Fully connected layers here are convolutions over the whole map.

    Args:
      shape: that of the variable, [height, width, in, out] or another.
    """
    height, width, channels, outputs = (list(shape) + [0] * 4)[:4]
    if len(shape) != 4 or self.kernel.shape != (
        height * width * channels, outputs):
      return self.kernel
    if self.channels_first:
      return self.kernel.reshape([channels, height, width, outputs]).transpose(
          1, 2, 0, 3)
    return self.kernel.reshape(shape)


class Norm(NamedTuple):
  """Batch normalization; gamma and beta may be None, for 1 and 0."""
  gamma: Optional[np.ndarray]
  beta: Optional[np.ndarray]
  mean: np.ndarray
  variance: np.ndarray
  epsilon: float


def of_torch(tensors: Dict[str, np.ndarray], epsilon: float):
  """Returns functions of a name that give the Conv and the Norm of it.

  Args:
    tensors: the state_dict, {name: array}; kernels are [out, in, h, w].
    epsilon: that of the network's batch normalization.
  """
  def conv(name, depthwise=False):
    kernel = tensors[name + '.weight']
    if kernel.ndim == 2:
      kernel = kernel.transpose(1, 0)
      return Conv(kernel, tensors.get(name + '.bias'), channels_first=True)
    if depthwise:  # [channels * multiplier, 1, h, w]
      kernel = kernel.transpose(2, 3, 0, 1)
    else:
      kernel = kernel.transpose(2, 3, 1, 0)
    return Conv(kernel, tensors.get(name + '.bias'))

  def norm(name):
    return Norm(tensors.get(name + '.weight'), tensors.get(name + '.bias'),
                tensors[name + '.running_mean'], tensors[name + '.running_var'],
                epsilon)

  return conv, norm


def of_keras(weights: Dict[str, np.ndarray], epsilon: float):
  """Returns the same of a Keras file, {layer in lower case/weight: array}."""
  def conv(name, depthwise=False):
    name = name.lower()
    # Keras 3 calls depthwise kernels `kernel` in .h5 files.
    kinds = ('/depthwise_kernel' if depthwise else '/pointwise_kernel',
             '/kernel')
    kind = next((each for each in kinds if name + each in weights), kinds[-1])
    kernel = weights[name + kind]
    return Conv(kernel, weights.get(name + '/bias'))

  def norm(name):
    name = name.lower()
    return Norm(weights.get(name + '/gamma'), weights.get(name + '/beta'),
                weights[name + '/moving_mean'],
                weights[name + '/moving_variance'], epsilon)

  return conv, norm


def of_tflite(weights: Dict[str, np.ndarray], epsilon: float):
  """Returns the same of a TensorFlow Lite file.

  Batch normalization is in the weights there; what is left of it adds nothing.
  A name with GATE is that of a layer whose result, of which the hard sigmoid
  min(max(x + 3, 0), 6) / 6 is taken, may contain the 3 already.
  """
  def conv(name, depthwise=False):
    del depthwise
    name, gate, _ = name.partition(GATE)
    kernel, bias = weights[name + '/kernel'], weights.get(name + '/bias')
    activation = weights.get(name + '/activation')
    if gate and activation == tflite_files.RELU6:
      bias = bias - 3
    return Conv(kernel, bias)

  def norm(name):
    zeros = np.zeros_like(weights[name + '/bias'], np.float64)
    return Norm(None, None, zeros, zeros + 1 - epsilon, epsilon)

  return conv, norm


def fold(conv: Optional[Conv], norm: Norm, epsilon: float, has_gamma: bool,
         depthwise: bool = False):
  """Moves what a network does not have into the weights that it has.

  Args:
    conv: the convolution before, or None.
    norm: its batch normalization.
    epsilon: the network's own.
    has_gamma: whether the network's batch normalization has a gamma.
    depthwise: whether the convolution is.

  Returns:
    (Conv or None, Norm): equal results, without bias, with the network's
    epsilon and, if it has none, with a gamma of None.

  Raises:
    ValueError: there is a gamma and no convolution to move it into.
  """
  mean = norm.mean.astype(np.float64)
  variance = norm.variance.astype(np.float64) + (norm.epsilon - epsilon)
  gamma = norm.gamma
  if conv is not None and conv.bias is not None:
    mean = mean - conv.bias
    conv = Conv(conv.kernel)
  if gamma is not None and not has_gamma:
    if conv is None:
      if not np.allclose(gamma, 1):
        raise ValueError('its gamma is not 1, and the network has none')
    else:
      shape = gamma.shape + (1,) if depthwise else gamma.shape
      conv = Conv(conv.kernel * gamma.astype(np.float64).reshape(shape))
      mean = mean * gamma
    gamma = None
  return conv, Norm(gamma, norm.beta, mean, variance, epsilon)
