r"""Images per second of the forms of an export.

  python -m benchmarks.inference [--forms=FORM,...] [NETWORK ...]

For each network and for batches of 1 and 16, the forms are measured in turn, so
that the load of the machine affects all alike: the graph of the checkpoint
(variables), the frozen graph, the folded graph, both again without TensorFlow's
graph rewriting (`plain`), TensorFlow Lite in floating point and in 8 bits.
Weights are random. The columns are

* the median over the rounds in images per second, and the quartiles;
* ratio: to the graph of the checkpoint, for `folded plain` to `frozen plain`;
  the median over the rounds of the ratios within a round;
* cpu: the same of CPU times, which other programs affect less;
* convs: the fraction of the time of all operations, as TensorFlow traces them,
  that convolutions and matrix products take;
* bound: one divided by that fraction, the ratio if everything else took no time
  and the convolutions as long as before. Folding exceeds it only where it
  enables faster convolutions.

TensorFlow fuses convolution, normalization and activation when it loads a
graph. For 1.15 that leaves little to fold: the bound of the graph of the
checkpoint is near 1.1 for networks of large convolutions. Without fusing
(`plain`), and in 2.12, which reorders constant weights for the CPU once, more
is gained. TensorFlow Lite takes one image at a time for any batch size, on as
many threads as there are cores (1.15 has no such option). Its threads spin, so
other programs affect it most. That of 1.15 has 8-bit kernels for ARM only and
computes in plain C++ in one thread on x86; a form as slow as that is measured
once and in fewer rounds.
"""
import argparse
import collections
import os
import sys
import tempfile
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')

# pylint: disable=wrong-import-position
import numpy as np
import tensorflow.compat.v1 as tf

from benchmarks.contenders import random_checkpoint
from image_classifier import options
from image_classifier.export import fold_batch_norm
from image_classifier.export import tflite
from image_classifier.inference import backends
from image_classifier.inference import inference_graph
from nets import nets_factory

_NETWORKS = ('mobilenet_v1', 'resnet_v1_50', 'inception_v3')
_BATCHES = (1, 16)
_ONE_BY_ONE = ('tflite', 'int8')
_FORMS = ('checkpoint', 'frozen', 'folded', 'frozen plain',
          'folded plain') + _ONE_BY_ONE
# The form that a form is compared with, by default the checkpoint.
_COMPARED = {'folded plain': 'frozen plain'}
_ROUNDS, _TRACES = 9, 5
_CLASSES = 1001
# A round repeats runs for about this long.
_SECONDS = 0.5
# All rounds of a form may take this long; a slower form gets fewer rounds.
_SECONDS_OF_A_FORM = 15

# Wall-clock and CPU times, float [rounds], seconds per image.
_Times = collections.namedtuple('_Times', 'seconds cpu')


def main(arguments):
  """Measures the networks and forms named."""
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument('networks', nargs='*', default=_NETWORKS)
  parser.add_argument('--forms', default=','.join(_FORMS), help=(
      'some of %(default)s; the forms they are compared with are added'))
  asked = parser.parse_args(arguments)
  forms = set(asked.forms.split(','))
  if not forms <= set(_FORMS):
    parser.error('--forms=%s: the forms are %s.' % (
        asked.forms, ','.join(_FORMS)))
  forms |= {_COMPARED.get(form, 'checkpoint') for form in forms}
  tf.disable_v2_behavior()
  print('TensorFlow %s, %d cores, %d rounds' % (
      tf.__version__, os.cpu_count(), _ROUNDS))
  print('%-12s %5s %-12s %8s %17s %5s %5s %5s %5s' % (
      'network', 'batch', 'form', 'median/s', 'quartiles', 'ratio', 'cpu',
      'convs', 'bound'))
  for name in asked.networks:
    with tempfile.TemporaryDirectory() as directory:
      size, sessions, measured = _load(name, directory, forms)
    slow = {}
    for batch in _BATCHES:
      images = np.random.RandomState(0).uniform(
          -1, 1, [batch, size, size, 3]).astype(np.float32)
      times = _measure({form: backend for form, backend in measured.items()
                        if form not in slow}, images)
      slow.update({form: found for form, found in times.items()
                   if len(found.cpu) < _ROUNDS and form in _ONE_BY_ONE})
      times.update(slow)
      _print_rows(name, batch, times, {
          form: _convolutions(session, outputs, images)
          for form, (session, outputs) in sessions.items()})


def _load(name, directory, forms):
  """Returns the forms of a network.

  Returns:
    (image size, {form: (session, names of the outputs)}, {form: backend}).
  """
  size = nets_factory.networks_map[name].default_image_size
  checkpoint = random_checkpoint.save(name, size, directory, _CLASSES)
  asked = options.Export(model_name=name, num_classes=_CLASSES)
  with tf.Graph().as_default():
    network = inference_graph.build(
        asked, inference_graph.find_classes(asked, checkpoint), checkpoint)
    session = inference_graph.restore(checkpoint)
    frozen = inference_graph.freeze(session, network)
  folded = fold_batch_norm.fold(frozen, backends.OUTPUTS)
  sessions = {'checkpoint': (
      session, [network.logits.name, network.predictions.name])}
  for suffix in ('', ' plain'):
    for form, graph_def in (('frozen', frozen), ('folded', folded)):
      sessions[form + suffix] = _session(graph_def, bool(suffix)), [
          output + ':0' for output in backends.OUTPUTS]
  sessions = {form: sessions[form] for form in sessions if form in forms}
  found = {form: backends.SessionBackend(session, 'input:0', outputs)
           for form, (session, outputs) in sessions.items()}
  shape = [1, size, size, 3]
  images = np.random.RandomState(0).uniform(-1, 1, [2] + shape)
  for form in [form for form in _ONE_BY_ONE if form in forms]:
    path = os.path.join(directory, form + '.tflite')
    with open(path, 'wb') as file:
      file.write(tflite.convert(
          folded, shape, images.astype(np.float32) if form == 'int8' else None))
    found[form] = backends.TFLiteBackend(path, os.cpu_count())
  return size, sessions, found


def _session(graph_def, is_plain):
  """Returns a session with a graph; if plain, without graph rewriting."""
  config = tf.ConfigProto()
  config.graph_options.rewrite_options.disable_meta_optimizer = is_plain
  with tf.Graph().as_default() as graph:
    tf.import_graph_def(graph_def, name='')
  return tf.Session(graph=graph, config=config)


def _measure(backends, images):
  """Returns {form: _Times}; slow forms have fewer rounds."""
  batches = {form: images[:1] if form in _ONE_BY_ONE else images
             for form in backends}
  times, rounds = {}, {}
  for form, backend in backends.items():
    # The first run prepares; a slow form is not run again.
    for _ in range(2):
      started = time.perf_counter()
      backend.run(batches[form])
      passed = time.perf_counter() - started
      if passed > _SECONDS_OF_A_FORM / _ROUNDS:
        break
    times[form] = max(1, int(_SECONDS / passed))
    rounds[form] = int(np.clip(_SECONDS_OF_A_FORM / passed, 2, _ROUNDS))
  found = {form: [] for form in backends}
  for number in range(_ROUNDS):
    for form in [form for form in backends if number < rounds[form]]:
      count = times[form] * len(batches[form])
      started = time.perf_counter(), time.process_time()
      for _ in range(times[form]):
        backends[form].run(batches[form])
      found[form].append(((time.perf_counter() - started[0]) / count,
                          (time.process_time() - started[1]) / count))
  return {form: _Times(*np.transpose(rows)) for form, rows in found.items()}


def _convolutions(session, outputs, images):
  """Returns the fraction of the operations' time spent in convolutions."""
  fractions = []
  for _ in range(_TRACES):
    traced = tf.RunMetadata()
    session.run(outputs, {'input:0': images}, options=tf.RunOptions(
        trace_level=tf.RunOptions.FULL_TRACE), run_metadata=traced)
    spent = collections.Counter()
    for device in traced.step_stats.dev_stats:
      for node in device.node_stats:
        # A label has the form: name = operation(inputs).
        kind = node.timeline_label.split(' = ')[-1].split('(')[0]
        spent['Conv' in kind or 'MatMul' in kind] += (
            node.op_end_rel_micros - node.op_start_rel_micros)
    fractions.append(spent[True] / (spent[True] + spent[False]))
  return float(np.median(fractions))


def _print_rows(name, batch, times, convolutions):
  for form, found in times.items():
    rates, number = 1 / found.seconds, len(found.seconds)
    base = times[_COMPARED.get(form, 'checkpoint')]
    fraction = convolutions.get(form)
    print('%-12s %5d %-12s %8.2f %8.2f-%8.2f %5.2f %5.2f %5s %5s' % (
        name, batch, form, np.median(rates), np.percentile(rates, 25),
        np.percentile(rates, 75),
        np.median(base.seconds[:number] / found.seconds),
        np.median(base.cpu[:number] / found.cpu),
        '%.2f' % fraction if fraction else '',
        '%.2f' % (1 / fraction) if fraction else ''), flush=True)


if __name__ == '__main__':
  sys.exit(main(sys.argv[1:]))
