"""Measures the throughput of the input pipeline alone, in images per second.

  python -m benchmarks.input_pipeline [--cases=inception,vgg] [--threads=1,2,4]
      [--records=PATTERN] [--repeat=3] [--records_for_memory=100000]

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
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

# pylint: disable=wrong-import-position
import numpy as np

from benchmarks import common
from benchmarks import input_contenders

Case = collections.namedtuple('Case', 'preprocessing size images')
CASES = {
    'inception': Case('inception', 299, 'jpeg'),
    'vgg': Case('vgg', 224, 'jpeg'),
    'cifarnet': Case('cifarnet', 32, 'png32'),
    'lenet': Case('lenet', 28, 'png28'),
}
_BATCH = 32
_BUFFERED_BATCHES = 10
# A process that uses a smaller fraction of a core in an interval is idle.
_IDLE = 0.05
_INTERVAL_SECONDS = 0.2
_IMAGES = {'jpeg': 1280, 'png32': 12800, 'png28': 12800}


def parse_arguments():
  """Returns the command line's arguments."""
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  for flag, known in (('cases', CASES), ('contenders', input_contenders.KINDS)):
    parser.add_argument('--' + flag, type=common.names_in(known),
                        default=list(known), metavar='NAME,...')
  parser.add_argument('--threads', default='1,2,4', metavar='N,...')
  parser.add_argument('--records', default='', metavar='PATTERN',
                      help='TFRecord files of JPEGs instead of generated ones')
  parser.add_argument('--repeat', type=int, default=3,
                      help='turns of each contender')
  parser.add_argument(
      '--records_for_memory', type=int, default=0, metavar='N',
      help='number of records of the first case to read afterwards, '
      'printing the memory')
  parser.add_argument('--child', default='', help=argparse.SUPPRESS)
  return parser.parse_args()


class Contender:
  """A process that makes images on request."""

  def __init__(self, kind, case, threads, records):
    description = dict(kind=kind, preprocessing=case.preprocessing,
                       size=case.size, threads=threads, batch=_BATCH,
                       records=records, channels=3 if case.size != 28 else 1)
    self._process = subprocess.Popen(
        [sys.executable, '-m', 'benchmarks.input_pipeline',
         '--child=' + json.dumps(description)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=common.ROOT,
        universal_newlines=True)
    self.results = []
    # Contenders start one after another.
    self._ask(0)

  def make(self, images):
    """Makes images; returns seconds, CPU seconds and MiB of memory."""
    self.results.append(self._ask(images))
    return self.results[-1]

  def _ask(self, images):
    self._process.stdin.write('%d\n' % images)
    self._process.stdin.flush()
    return json.loads(self._process.stdout.readline())

  def close(self):
    self._process.stdin.close()
    self._process.wait()

  def medians(self, images):
    """Returns images/s and milliseconds of CPU time per image."""
    return (
        statistics.median(images / seconds for seconds, _, _ in self.results),
        statistics.median(1000 * cpu / images for _, cpu, _ in self.results))

  def line(self, name, images):
    """Returns a line of the medians and the range over the turns."""
    speeds = [images / seconds for seconds, _, _ in self.results]
    speed, cpu = self.medians(images)
    return '  %-10s %8.0f images/s (%.0f to %.0f)  %7.3f ms CPU' % (
        name, speed, min(speeds), max(speeds), cpu)


def run_child(description):
  """Runs one contender: reads numbers of images, prints times, line by line."""
  warnings.filterwarnings('ignore')
  step = input_contenders.start(**description)
  batch = description['batch']
  for line in sys.stdin:
    # The batches in the queues were made outside this turn.
    for _ in range(_BUFFERED_BATCHES):
      step()
    start = common.now()
    for _ in range(int(line) // batch):
      step()
    result = common.since(start) + (_memory(),)
    _wait_until_idle()
    print(json.dumps(result), flush=True)
  os._exit(0)  # Does not wait for queue runners.


def _wait_until_idle():
  """Waits until the queues are full, before another contender's turn."""
  cpu = np.inf
  while cpu > _IDLE * _INTERVAL_SECONDS:
    start = common.now()
    time.sleep(_INTERVAL_SECONDS)
    cpu = common.since(start)[1]


def _memory():
  with open('/proc/self/status') as status:
    words = [line.split() for line in status if line.startswith('VmRSS')][0]
  return int(words[1]) // 1024


def compare(case_name, threads, arguments, records):
  """Prints the lines of one case and number of threads."""
  case = CASES[case_name]
  images = _IMAGES[case.images]
  contenders = {kind: Contender(kind, case, threads, records)
                for kind in arguments.contenders}
  for _ in range(arguments.repeat):
    for contender in contenders.values():
      contender.make(images)
  print('%s, %d x %d, %d threads' % (case_name, case.size, case.size, threads))
  medians = {}
  for kind, contender in contenders.items():
    print(contender.line(kind, images))
    medians[kind] = contender.medians(images)
    contender.close()
  for own, other in (('pipeline', 'queue'), ('pipeline', 'decode'),
                     ('pipeline', 'operations'), ('window', 'queue')):
    if {own, other} <= set(medians):
      print('  %s / %s: %.2f by wall-clock time, %.2f by CPU time' % (
          own, other, medians[own][0] / medians[other][0],
          medians[other][1] / medians[own][1]))
  sys.stdout.flush()


def watch_memory(case_name, count, records):
  """Prints the memory of the pipeline's process as it reads records."""
  contender = Contender('pipeline', CASES[case_name], 2, records)
  part = count // 10 // _BATCH * _BATCH
  for number in range(1, 11):
    _, _, memory = contender.make(part)
    print('  after %7d records: %d MiB' % (number * part, memory), flush=True)
  contender.close()


def main():
  arguments = parse_arguments()
  if arguments.child:
    run_child(json.loads(arguments.child))
  with tempfile.TemporaryDirectory() as directory:
    cases, records = arguments.cases, {}
    for kind in sorted({CASES[name].images for name in cases}):
      if kind == 'jpeg' and arguments.records:
        records[kind] = arguments.records
        continue
      sizes = input_contenders.write_records(
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
