"""Exchange between the workers of an all-reduce training.

Every worker builds the same graph. Operations of the same number in each of
them find each other and exchange around a ring: a worker sends and receives
2 (N - 1) / N times the size of a tensor, however many workers there are. An
operation waits until all workers run it, so that each step of each worker must
run all of them, once.
"""
import itertools
from typing import Any, List, Sequence, Tuple

import tensorflow.compat.v1 as tf
from tensorflow.python.ops import collective_ops

# A number for the devices that take part, the same in every worker.
_GROUP = 1
# Bytes of gradients that are exchanged together: large enough that the latency
# does not count, small enough that the exchange starts before the last
# gradient is computed.
_BUCKET_BYTES = 8 << 20


class Workers:
  """The workers of an all-reduce training, in the graph of one of them.

  Called with a tensor, it returns the mean of the workers' tensors; the
  gradient of the mean of all losses reaches each of them.

  Args:
    task: index of this worker.
    size: number of workers, at least 2.
    on_gpu: whether the tensors to exchange are on the GPU.
    communication: 'ring', 'nccl', or 'auto', which is NCCL between GPUs.
  """

  def __init__(self, task, size, on_gpu=False, communication='auto'):
    self.task, self.size = task, size
    self._device = '/job:worker/replica:0/task:%d/device:%s:0' % (
        task, 'GPU' if on_gpu else 'CPU')
    self._cpu = '/job:worker/replica:0/task:%d/device:CPU:0' % task
    self._hint = communication
    if communication == 'auto':
      self._hint = 'nccl' if on_gpu else 'ring'
    self._numbers = itertools.count(1)

  def __call__(self, tensor):
    @tf.custom_gradient
    def mean(value):
      # A statistic of this worker is in the losses of all: its gradient is the
      # mean of what each of them computes.
      return self._mean(value), self._mean

    return mean(tensor)

  def mean_gradients(self, gradients: Sequence[Tuple[Any, Any]]) -> List:
    """Returns the means over the workers of a list of (gradient, variable)."""
    gradients = [(tf.convert_to_tensor(gradient), variable)
                 for gradient, variable in gradients]
    means = [None] * len(gradients)
    for bucket in _buckets([gradient for gradient, _ in gradients]):
      with tf.device(self._device):
        flat = self._mean(tf.concat(
            [tf.reshape(gradients[i][0], [-1]) for i in bucket], 0))
        shapes = [gradients[i][0].shape for i in bucket]
        parts = tf.split(flat, [shape.num_elements() for shape in shapes])
      for i, part, shape in zip(bucket, parts, shapes):
        means[i] = tf.reshape(part, shape), gradients[i][1]
    return means

  def maximum(self, value, limit):
    """Returns the largest of the workers' int32 scalars, from 0 below limit."""
    with tf.device(self._cpu):
      # TensorFlow 1.15 only adds and multiplies.
      given = self._reduce(
          tf.one_hot(value, limit), 'Add', 'Id', 'ring', _GROUP + 1)
      return tf.reduce_max(tf.where(
          given > 0, tf.range(limit), tf.zeros([limit], tf.int32)))

  def broadcast(self, variables) -> tf.Operation:
    """Returns the op that gives all workers the values of worker 0."""
    group = dict(group_size=self.size, group_key=_GROUP + 1)
    updates = []
    for variable in variables:
      number = next(self._numbers)
      shape, dtype = variable.shape, variable.dtype.base_dtype
      with tf.device(self._cpu):
        if self.task == 0:
          updates.append(collective_ops.broadcast_send(
              tf.identity(variable.read_value()), shape, dtype,
              instance_key=number, **group).op)
        else:
          value = collective_ops.broadcast_recv(
              shape, dtype, instance_key=number, **group)
          updates.append(tf.assign(variable, value).op)
    return tf.group(*updates)

  def _mean(self, value):
    with tf.device(self._device):
      return self._reduce(value, 'Add', 'Div', self._hint, _GROUP)

  def _reduce(self, value, merge, final, hint, group):
    return collective_ops.all_reduce(
        tf.identity(value), self.size, group, next(self._numbers), merge,
        final, (0,), hint)


def _buckets(tensors):
  """Returns lists of indices of tensors of one type to exchange together.

  The last tensors come first: their gradients are the first to be known.
  """
  buckets, free = [], {}
  for i in reversed(range(len(tensors))):
    dtype = tensors[i].dtype
    size = tensors[i].shape.num_elements() * dtype.size
    if free.get(dtype, (0, None))[0] < size:
      buckets.append([])
      free[dtype] = _BUCKET_BYTES, buckets[-1]
    left, bucket = free[dtype]
    bucket.append(i)
    free[dtype] = left - size, bucket
  return buckets
