"""Measures the throughput of the input pipeline alone, in images per second.

  python -m benchmarks.input_pipeline [--cases=inception,vgg] [--threads=1,2,4]
      [--records=PATTERN] [--repeat=3] [--seconds=1]
      [--records_for_memory=100000]

Each case is a preprocessing and an image size. The pipeline is compared with
these contenders, by number of threads:

  operations the pipeline with TensorFlow's operations alone, without numba
  window     decoding of the preprocessing's crops alone: the lower bound of
             the pipeline's time
  decode     decoding of every whole image of the same records
  whole      a plain tf.data pipeline of whole images: map, batch, prefetch
  queue      slim's input: DatasetDataProvider, tf.train.batch and
             prefetch_queue of tf_slim, with the same preprocessing

Every contender has its own process and they take turns, so that other load on
the machine affects all of them. Printed are medians: images/s of wall-clock
time, with the range over the repetitions, and milliseconds of CPU time per
image, which other programs disturb little. Two processes of the same contender
differ by up to 5 %.

The images of inception and vgg are JPEGs of 500 x 375 pixels and quality 90
unless --records names others (TFRecord files with the keys image/encoded and
image/class/label). They are random waves whose amplitude decreases with the
frequency, as in photographs, by a power of 1 to 1.4, mostly in luminance. Those
of cifarnet and lenet are PNGs of 32 x 32 and 28 x 28 pixels.

Tried in TensorFlow 1.15 and dropped:

* Fused map-and-batch: 0 to 3 % faster, less than two runs differ, but a bad
  record takes its batch with it.
* Color changes on a whole batch: 34 MB do not fit in the cache; one image at a
  time is faster. In thirds of an image: a sixth slower, more operations.
  Compiled by XLA, plane by plane: half the time of TensorFlow's operations, but
  no more images per second, as one thread computes them all.
* numba functions that AutoGraph, tf.data's translator, can see: it makes a call
  of each of their lines, 60 us per image.
* Quantized resizing: twice the time. Conversion to float before bilinear
  resizing: up to 1.6 times.
* One random operation for all random numbers of vgg's crop: no difference.
* tf.image.crop_and_resize, which crops, resizes and flips in one step: twice
  the time of a resize.
* dct_method='INTEGER_FAST': the decoder's default already.
  fancy_upscaling=False: decoding a crop then kills the process (SIGSEGV).
* Adding up the lengths of records one by one, to detect damaged files: four
  times the time of sixteen at once. Names and indices of records as separate
  tensors, and their sums in some twenty operations: 12 us per record, 5 us with
  one number for both and half the operations.
* Tiny images one by one: reading and decoding a digit takes 34 to 52 us of CPU
  time, 11 to 13 us in blocks. tf.map_fn over a block: 7 to 10 us more. All
  decodes of a block in parallel, not in sequence: up to 2 us more.
* The session's thread pool instead of a private one: while LeNet trains, a step
  takes about 1 ms of CPU time more, in noisy measurements.
* The autotuning of tf.data turned off: no difference.
* Dataset.interleave with num_parallel_calls: kills the process when a session
  closes.

The rest of inception's 1.0 ms: decoding the crop 0.6 (0.4 of it the entropy
code of the rows above and in the crop), the compiled pass 0.2, copying to the
batch and the record 0.1. Of vgg's 0.9 ms: 0.55, 0.1 and 0.1.
"""
import argparse
import collections
import os
import statistics
import sys
import tempfile

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

# pylint: disable=wrong-import-position
import numpy as np

from benchmarks import common
from benchmarks.contenders import inputs
from benchmarks.contenders import turns

Case = collections.namedtuple('Case', 'preprocessing size images')
CASES = {
    'inception': Case('inception', 299, 'jpeg'),
    'vgg': Case('vgg', 224, 'jpeg'),
    'cifarnet': Case('cifarnet', 32, 'png32'),
    'lenet': Case('lenet', 28, 'png28'),
}
_BATCH = 32


def parse_arguments():
  """Returns the command line's arguments."""
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  for flag, known in (('cases', CASES), ('contenders', inputs.KINDS)):
    parser.add_argument('--' + flag, type=common.names_in(known),
                        default=list(known), metavar='NAME,...')
  parser.add_argument('--threads', default='1,2,4', metavar='N,...')
  parser.add_argument('--records', default='', metavar='PATTERN',
                      help='TFRecord files of JPEGs instead of generated ones')
  parser.add_argument('--repeat', type=int, default=3,
                      help='turns of each contender')
  parser.add_argument('--seconds', type=float, default=1.0,
                      help='length of a turn')
  parser.add_argument(
      '--records_for_memory', type=int, default=0, metavar='N',
      help='number of records of the first case to read afterwards, '
      'printing the memory')
  return parser.parse_args()


def contender(
    kind, case, threads, records, python=sys.executable, name=''):
  """Starts a process that makes images on request, a `turns.Contender`."""
  return turns.Contender(
      name or kind, python, 'inputs', kind=kind,
      preprocessing=case.preprocessing, size=case.size, threads=threads,
      batch=_BATCH, records=records, channels=3 if case.size != 28 else 1)


def _line(found):
  """Returns a line of the medians of a contender and the range of its turns."""
  speeds = [turn.images / turn.seconds for turn in found.turns]
  return '  %-10s %8.0f images/s (%.0f to %.0f)  %7.3f ms CPU' % (
      found.name, statistics.median(speeds), min(speeds), max(speeds),
      _milliseconds(found))


def _speed(found):
  return statistics.median(turn.images / turn.seconds for turn in found.turns)


def _milliseconds(found):
  """Returns the median of the CPU time per image."""
  return statistics.median(
      1000 * turn.cpu / turn.images for turn in found.turns)


def compare(case_name, threads, arguments, records):
  """Prints the lines of one case and number of threads."""
  case = CASES[case_name]
  contenders = {kind: contender(kind, case, threads, records)
                for kind in arguments.contenders}
  turns.play(list(contenders.values()), arguments.repeat, arguments.seconds)
  print('%s, %d x %d, %d threads' % (case_name, case.size, case.size, threads))
  for found in contenders.values():
    print('  %-10s %s' % (found.name, found.problem)
          if found.problem else _line(found))
  for own, other in (('pipeline', 'queue'), ('pipeline', 'decode'),
                     ('pipeline', 'operations'), ('window', 'queue')):
    pair = [contenders[kind] for kind in (own, other) if kind in contenders]
    if len(pair) == 2 and not pair[0].problem + pair[1].problem:
      print('  %s / %s: %.2f by wall-clock time, %.2f by CPU time' % (
          own, other, _speed(pair[0]) / _speed(pair[1]),
          _milliseconds(pair[1]) / _milliseconds(pair[0])))
  sys.stdout.flush()


def watch_memory(case_name, count, records):
  """Prints the memory of the pipeline's process as it reads records."""
  pipeline = contender('pipeline', CASES[case_name], 2, records)
  part = count // 10 // _BATCH * _BATCH
  for number in range(1, 11):
    memory = pipeline.ask(images=part).memory
    print('  after %7d records: %d MiB' % (number * part, memory), flush=True)
  pipeline.close()


def main():
  arguments = parse_arguments()
  with tempfile.TemporaryDirectory() as directory:
    cases, records = arguments.cases, {}
    for kind in sorted({CASES[name].images for name in cases}):
      if kind == 'jpeg' and arguments.records:
        records[kind] = arguments.records
        continue
      sizes = inputs.write_records(
          os.path.join(directory, kind), kind, np.random.RandomState(0))
      records[kind] = os.path.join(directory, kind) + '*'
      print('%s images: %d, %.1f kB on average' % (
          kind, len(sizes), np.mean(sizes) / 1000), flush=True)
    for name in cases:
      for threads in arguments.threads.split(','):
        compare(name, int(threads), arguments, records[CASES[name].images])
    if arguments.records_for_memory:
      watch_memory(cases[0], arguments.records_for_memory,
                   records[CASES[cases[0]].images])


if __name__ == '__main__':
  main()
