r"""Pictures a second of the forms of an export.

  python -m benchmarks.inference [NETWORK ...]

For each network and for batches of 1 and 16, the forms take turns, so that
what else the machine does falls on all alike: the graph of the checkpoint
(variables), the frozen graph, the folded graph, TensorFlow Lite in floating
point and in 8 bits. Printed are the median of the rounds in pictures a second,
the quartiles, and the ratio to the checkpoint's graph: the median over the
rounds of the quotient of neighbours. Weights are random. TensorFlow Lite takes
one picture at a time whatever the batch, on as many threads as there are cores
where this TensorFlow lets one choose. TensorFlow 1.15 computes 8-bit integers
on x86 with reference code, slowly.
"""
import os
import sys
import tempfile
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')

import numpy as np  # pylint: disable=wrong-import-position

_NETWORKS = ('mobilenet_v1', 'resnet_v1_50', 'inception_v3')
_BATCHES = (1, 16)
_ONE_BY_ONE = ('tflite', 'int8')
_ROUNDS = 9
_CLASSES = 1001
# A round asks often enough to last about this long.
_SECONDS = 0.5


def main(names):
  """Measures the networks named."""
  import tensorflow.compat.v1 as tf
  tf.disable_v2_behavior()
  print('TensorFlow %s, %d cores, %d rounds' % (
      tf.__version__, os.cpu_count(), _ROUNDS))
  print('%-14s %5s %-12s %8s %17s %s' % (
      'network', 'batch', 'form', 'median/s', 'quartiles', 'ratio'))
  for name in names or _NETWORKS:
    with tempfile.TemporaryDirectory() as folder:
      size, runners = _load(name, folder)
    for batch in _BATCHES:
      images = np.random.RandomState(0).uniform(
          -1, 1, [batch, size, size, 3]).astype(np.float32)
      _print_rows(name, batch, _measure(runners, images))


def _load(name, folder):
  """Returns the side of the pictures, and {form: runner}."""
  import tensorflow.compat.v1 as tf
  from benchmarks import random_checkpoint
  from nets import nets_factory
  from training import export_tflite
  from training import folding
  from training import inference_graph
  from training import options
  from training import runners
  size = nets_factory.networks_map[name].default_image_size
  checkpoint = random_checkpoint.save(name, size, folder, _CLASSES)
  asked = options.Export(model_name=name, num_classes=_CLASSES)
  with tf.Graph().as_default():
    network = inference_graph.build(
        asked, inference_graph.find_classes(asked, checkpoint), checkpoint)
    session = inference_graph.restore(checkpoint)
    frozen = inference_graph.freeze(session, network)
  folded = folding.fold(frozen, runners.OUTPUTS)
  shape = [1, size, size, 3]
  pictures = np.random.RandomState(0).uniform(-1, 1, [2] + shape)
  found = {
      'checkpoint': runners.SessionRunner(
          session, network.images, (network.logits, network.predictions)),
      'frozen': runners.of_graph_def(frozen),
      'folded': runners.of_graph_def(folded)}
  for form, calibration in (('tflite', None),
                            ('int8', pictures.astype(np.float32))):
    path = os.path.join(folder, form + '.tflite')
    with open(path, 'wb') as file:
      file.write(export_tflite.convert(folded, shape, calibration))
    found[form] = runners.TFLiteRunner(path, os.cpu_count())
  return size, found


def _measure(runners, images):
  """Returns {form: seconds a picture of each round}."""
  seconds = {form: [] for form in runners}
  batches = {form: images[:1] if form in _ONE_BY_ONE else images
             for form in runners}
  times = {}
  for form, runner in runners.items():
    runner.run(batches[form])
    started = time.perf_counter()
    runner.run(batches[form])
    times[form] = max(1, int(_SECONDS / (time.perf_counter() - started)))
  for _ in range(_ROUNDS):
    for form, runner in runners.items():
      started = time.perf_counter()
      for _ in range(times[form]):
        runner.run(batches[form])
      passed = time.perf_counter() - started
      seconds[form].append(passed / times[form] / len(batches[form]))
  return {form: np.array(values) for form, values in seconds.items()}


def _print_rows(name, batch, seconds):
  for form, values in seconds.items():
    rates = 1 / values
    ratio = np.median(seconds['checkpoint'] / values)
    print('%-14s %5d %-12s %8.1f %8.1f-%8.1f %.2f' % (
        name, batch, form, np.median(rates), np.percentile(rates, 25),
        np.percentile(rates, 75), ratio), flush=True)


if __name__ == '__main__':
  sys.exit(main(sys.argv[1:]))
