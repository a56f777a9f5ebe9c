r"""Pictures a second of the forms of an export.

  python -m benchmarks.inference [--forms=FORM,...] [NETWORK ...]

For each network and for batches of 1 and 16, the forms take turns, so that
what else the machine does falls on all alike: the graph of the checkpoint
(variables), the frozen graph, the folded graph, both again where TensorFlow
may not rewrite graphs (`plain`), TensorFlow Lite in floating point and in 8
bits. Weights are random. Printed for each are

* the median of the rounds in pictures a second, and the quartiles;
* ratio: to the graph of the checkpoint, for `folded plain` to `frozen plain`;
  the median over the rounds of the quotient of neighbours;
* cpu: the same of the processor's time, which other programs disturb less;
* convs: the share of the time of all operations, as TensorFlow traces them,
  that convolutions and matrix products take;
* bound: one by that share, the ratio reached if all else took no time and the
  convolutions as long as before. Folding gets beyond it only where it lets a
  runtime compute the convolutions themselves faster.

TensorFlow fuses convolution, normalisation and activation on its own as it
loads a graph. For 1.15 that leaves little to fold: the bound of the graph of
the checkpoint is near 1.1 for networks of large convolutions. Where nothing is
fused (`plain`), and in 2.12, which lays constant weights out for the processor
once, more is gained. TensorFlow Lite takes one picture at a time whatever the
batch, on as many threads as there are cores where this TensorFlow lets one
choose; these threads wait busily, so other programs on the machine disturb it
most. That of 1.15 has kernels of 8-bit integers for ARM only, and computes
them on x86 in plain C++ and a single thread; a form so slow is measured in
fewer rounds and once.
"""
import argparse
import collections
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
_FORMS = ('checkpoint', 'frozen', 'folded', 'frozen plain',
          'folded plain') + _ONE_BY_ONE
# What a form is compared with, if not with the graph of the checkpoint.
_COMPARED = {'folded plain': 'frozen plain'}
_ROUNDS = 9
_TRACES = 5
_CLASSES = 1001
# A round asks often enough to last about this long.
_SECONDS = 0.5
# A form may take this long in all; one whose rounds do not all fit is slow.
_SECONDS_OF_A_FORM = 15

# seconds and cpu: float [rounds], seconds a picture.
_Times = collections.namedtuple('_Times', 'seconds cpu')


def main(arguments):
  """Measures the networks and forms named."""
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument('networks', nargs='*', default=_NETWORKS)
  parser.add_argument('--forms', default=','.join(_FORMS), help=(
      'some of %(default)s; what they are compared with comes along'))
  asked = parser.parse_args(arguments)
  forms = set(asked.forms.split(','))
  if not forms <= set(_FORMS):
    parser.error('--forms=%s: the forms are %s.' % (
        asked.forms, ','.join(_FORMS)))
  forms |= {_COMPARED.get(form, 'checkpoint') for form in forms}
  import tensorflow.compat.v1 as tf
  tf.disable_v2_behavior()
  print('TensorFlow %s, %d cores, %d rounds' % (
      tf.__version__, os.cpu_count(), _ROUNDS))
  print('%-12s %5s %-12s %8s %17s %5s %5s %5s %5s' % (
      'network', 'batch', 'form', 'median/s', 'quartiles', 'ratio', 'cpu',
      'convs', 'bound'))
  for name in asked.networks:
    with tempfile.TemporaryDirectory() as folder:
      size, sessions, runners = _load(name, folder, forms)
    slow = {}
    for batch in _BATCHES:
      images = np.random.RandomState(0).uniform(
          -1, 1, [batch, size, size, 3]).astype(np.float32)
      times = _measure({form: runner for form, runner in runners.items()
                        if form not in slow}, images)
      slow.update({form: found for form, found in times.items()
                   if len(found.cpu) < _ROUNDS and form in _ONE_BY_ONE})
      times.update(slow)
      _print_rows(name, batch, times, {
          form: _convolutions(session, outputs, images)
          for form, (session, outputs) in sessions.items()})


def _load(name, folder, forms):
  """Returns what is measured of a network.

  That is the side of its pictures, {form: (session, names of the outputs)} and
  {form: runner}.
  """
  import tensorflow.compat.v1 as tf

  from benchmarks import random_checkpoint
  from image_classifier import options
  from image_classifier.export import fold_batch_norm
  from image_classifier.export import tflite
  from image_classifier.inference import backends
  from image_classifier.inference import inference_graph
  from nets import nets_factory
  size = nets_factory.networks_map[name].default_image_size
  checkpoint = random_checkpoint.save(name, size, folder, _CLASSES)
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
  found = {form: backends.SessionRunner(session, 'input:0', outputs)
           for form, (session, outputs) in sessions.items()}
  shape = [1, size, size, 3]
  pictures = np.random.RandomState(0).uniform(-1, 1, [2] + shape)
  for form in [form for form in _ONE_BY_ONE if form in forms]:
    path = os.path.join(folder, form + '.tflite')
    with open(path, 'wb') as file:
      file.write(tflite.convert(
          folded, shape,
          pictures.astype(np.float32) if form == 'int8' else None))
    found[form] = backends.TFLiteRunner(path, os.cpu_count())
  return size, sessions, found


def _session(graph_def, is_plain):
  """Returns a session with a graph, which it may rewrite unless plain."""
  import tensorflow.compat.v1 as tf
  config = tf.ConfigProto()
  config.graph_options.rewrite_options.disable_meta_optimizer = is_plain
  with tf.Graph().as_default() as graph:
    tf.import_graph_def(graph_def, name='')
  return tf.Session(graph=graph, config=config)


def _measure(runners, images):
  """Returns {form: _Times}; fewer rounds for what is slow."""
  batches = {form: images[:1] if form in _ONE_BY_ONE else images
             for form in runners}
  times, rounds = {}, {}
  for form, runner in runners.items():
    # The first run prepares; what is slow anyway is not asked once more.
    for _ in range(2):
      started = time.perf_counter()
      runner.run(batches[form])
      passed = time.perf_counter() - started
      if passed > _SECONDS_OF_A_FORM / _ROUNDS:
        break
    times[form] = max(1, int(_SECONDS / passed))
    rounds[form] = int(np.clip(_SECONDS_OF_A_FORM / passed, 2, _ROUNDS))
  found = {form: _Times([], []) for form in runners}
  for number in range(_ROUNDS):
    for form in [form for form in runners if number < rounds[form]]:
      asked = times[form] * len(batches[form])
      started = time.perf_counter(), time.process_time()
      for _ in range(times[form]):
        runners[form].run(batches[form])
      found[form].seconds.append((time.perf_counter() - started[0]) / asked)
      found[form].cpu.append((time.process_time() - started[1]) / asked)
  return {form: _Times(np.array(one.seconds), np.array(one.cpu))
          for form, one in found.items()}


def _convolutions(session, outputs, images):
  """Returns the share of the operations' time that is in convolutions."""
  import tensorflow.compat.v1 as tf
  shares = []
  for _ in range(_TRACES):
    traced = tf.RunMetadata()
    session.run(outputs, {'input:0': images}, options=tf.RunOptions(
        trace_level=tf.RunOptions.FULL_TRACE), run_metadata=traced)
    spent = collections.Counter()
    for device in traced.step_stats.dev_stats:
      for node in device.node_stats:
        # A label is: name = operation(inputs).
        kind = node.timeline_label.split(' = ')[-1].split('(')[0]
        spent['Conv' in kind or 'MatMul' in kind] += (
            node.op_end_rel_micros - node.op_start_rel_micros)
    shares.append(spent[True] / (spent[True] + spent[False]))
  return float(np.median(shares))


def _print_rows(name, batch, times, convolutions):
  for form, found in times.items():
    rates = 1 / found.seconds
    base = times[_COMPARED.get(form, 'checkpoint')]
    number = len(rates)
    share = convolutions.get(form)
    print('%-12s %5d %-12s %8.2f %8.2f-%8.2f %5.2f %5.2f %5s %5s' % (
        name, batch, form, np.median(rates), np.percentile(rates, 25),
        np.percentile(rates, 75),
        np.median(base.seconds[:number] / found.seconds),
        np.median(base.cpu[:number] / found.cpu),
        '%.2f' % share if share else '', '%.2f' % (1 / share) if share else ''
    ), flush=True)


if __name__ == '__main__':
  sys.exit(main(sys.argv[1:]))
