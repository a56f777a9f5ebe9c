"""The GPUs that TensorFlow sees."""
import tensorflow.compat.v1 as tf


def available_gpus():
  """Returns the names of the GPUs that TensorFlow sees, a list of strings.

  This allocates no memory on them.
  """
  return [
      gpu.name for gpu in tf.config.experimental.list_physical_devices('GPU')]


def choose_clone_on_cpu(clone_on_cpu=False, num_clones=1):
  """Decides whether the clones run on the CPU.

  1. If requested: yes.
  2. If there is no GPU: yes, and a line is printed.
  3. If there is a GPU for each clone: no.
  4. If there are fewer GPUs than clones: an error, not clones on one GPU.

  Args:
    clone_on_cpu: whether the CPU is requested.
    num_clones: number of clones in this process.

  Returns:
    True or False, for `model_deploy.DeploymentConfig`.

  Raises:
    ValueError: there are GPUs, but fewer than clones.
  """
  if clone_on_cpu:
    return True
  num_gpus = len(available_gpus())
  if not num_gpus:
    print('TensorFlow sees no GPU: %s on the CPU.' % (
        'the model runs' if num_clones == 1 else
        'the %d clones run' % num_clones))
    return True
  if num_clones > num_gpus:
    raise ValueError(
        'num_clones is %d, but TensorFlow sees %d %s. Use num_clones=%d or '
        'clone_on_cpu=True.' % (
            num_clones, num_gpus, 'GPU' if num_gpus == 1 else 'GPUs', num_gpus))
  return False
