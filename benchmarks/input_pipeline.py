"""Prints how many images a second the input pipeline makes by itself.

  python -m benchmarks.input_pipeline [--cases=inception,vgg] [--threads=1,2,4]
      [--records=PATTERN] [--repeat=3] [--records_for_memory=100000]

Each case is a preprocessing and a size. Beside the pipeline stand, by number
of threads:

  operations the pipeline without numba, by TensorFlow's operations alone
  window     the recipe's windows decoded, and nothing more: what the pipeline
             cannot go below
  decode     the same records, every picture decoded whole and thrown away
  whole      a plain tf.data pipeline of whole pictures: map, batch, prefetch
  queue      slim's own form: DatasetDataProvider, tf.train.batch and
             prefetch_queue of tf_slim, with the same preprocessing

Every contender lives in a process of its own and they take turns, so that a
busy machine is busy for all of them. Given are medians: images/s by the clock,
the range of the repetitions, and milliseconds of CPU an image, which other
programs disturb little. Two processes of the same contender differ by up to
5 %.

The pictures of inception and vgg are JPEGs of 500 x 375 pixels and quality 90
unless --records names others (TFRecord files with the keys image/encoded and
image/class/label). They are made so: random waves whose strength falls with
the frequency, as in photographs, by a power from 1 to 1.4, most of it in the
brightness. Those of cifarnet and lenet are PNGs of 32 x 32 and 28 x 28.

What was tried in TensorFlow 1.15 and dropped:

* Fused map-and-batch: 0 to 3 % faster, less than two runs differ, but a bad
  record takes its batch with it.
* Changing the colours of a whole batch: 34 MB at once leave the cache, and
  each image by itself is faster. In thirds of an image: a sixth slower, more
  operations. Compiled by XLA, plane by plane: half the time of TensorFlow's
  operations, but no more pictures a second, as one thread does them all.
* Functions of numba to which AutoGraph, tf.data's translator, had access: it
  makes a call of each of their lines, 60 us a picture.
* Quantized resizing: twice the time. Converting to floats before resizing
  bilinearly: up to 1.6 times.
* Drawing all that vgg's window needs with one operation: no difference.
* tf.image.crop_and_resize, which crops, resizes and mirrors in one step:
  twice the time of a resize.
* dct_method='INTEGER_FAST': the decoder's default already.
  fancy_upscaling=False: decoding a window then kills the process (SIGSEGV).
* Adding up the lengths of records one by one, to notice damaged files: four
  times the time of sixteen together. Names and indices of records as tensors
  of their own, and their sums in some twenty operations: 12 us a record, where
  one number for both and half the operations take 5.
* Tiny pictures one by one: a digit read and decoded takes 34 to 52 us of CPU,
  in blocks 11 to 13. tf.map_fn over a block: 7 to 10 us more. All decodes of a
  block at once and not one after another: up to 2 us more.
* The session's threads in place of a pool of its own: while LeNet trains, a
  step takes about a millisecond of CPU more, in measurements that scatter.
* The autotuning of tf.data turned off: no difference.
* Dataset.interleave with num_parallel_calls: kills the process when a session
  closes.

What is left of inception's 1.0 ms: decoding the window 0.6 (0.4 of it the
entropy code of the rows above and in the window), the one pass 0.2, copying to
the batch and the record 0.1. Of vgg's 0.9 ms: 0.55, 0.1 and 0.1.
"""
import argparse
import collections
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

# pylint: disable=wrong-import-position
import numpy as np

from benchmarks import input_contenders

Case = collections.namedtuple('Case', 'preprocessing size pictures')
CASES = {
    'inception': Case('inception', 299, 'jpeg'),
    'vgg': Case('vgg', 224, 'jpeg'),
    'cifarnet': Case('cifarnet', 32, 'png32'),
    'lenet': Case('lenet', 28, 'png28'),
}
_BATCH = 32
_BATCHES_IN_STORE = 10
# A process is idle that takes less than this share of a core for so long.
_IDLE = 0.05
_LOOK_SECONDS = 0.2
_IMAGES = {'jpeg': 1280, 'png32': 12800, 'png28': 12800}
_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def parse_arguments():
  """Returns the command line's arguments."""
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  parser.add_argument('--cases', default=','.join(CASES), metavar='NAME,...')
  parser.add_argument('--threads', default='1,2,4', metavar='N,...')
  parser.add_argument(
      '--contenders', metavar='NAME,...',
      default=','.join(input_contenders.KINDS))
  parser.add_argument('--records', default='', metavar='PATTERN',
                      help='TFRecord files of JPEGs, in place of those made')
  parser.add_argument('--repeat', type=int, default=3, help='turns of each')
  parser.add_argument(
      '--records_for_memory', type=int, default=0, metavar='N',
      help='then read so many records of the first case, printing the memory')
  parser.add_argument('--child', default='', help=argparse.SUPPRESS)
  arguments = parser.parse_args()
  for flag, known in (('cases', CASES), ('contenders', input_contenders.KINDS)):
    for name in getattr(arguments, flag).split(','):
      if name not in known:
        parser.error('--%s: %r is not one of %s' % (
            flag, name, ', '.join(known)))
  return arguments


class Contender:
  """A process that makes images when it is told to."""

  def __init__(self, kind, case, threads, records):
    description = dict(kind=kind, preprocessing=case.preprocessing,
                       size=case.size, threads=threads, batch=_BATCH,
                       records=records, channels=3 if case.size != 28 else 1)
    self._process = subprocess.Popen(
        [sys.executable, '-m', 'benchmarks.input_pipeline',
         '--child=' + json.dumps(description)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT,
        universal_newlines=True)
    self.results = []
    # Whoever starts has the machine to itself.
    self._ask(0)

  def make(self, images):
    """Makes so many images; returns seconds, CPU seconds and MiB of memory."""
    result = self._ask(images)
    self.results.append(result)
    return result

  def _ask(self, images):
    self._process.stdin.write('%d\n' % images)
    self._process.stdin.flush()
    return json.loads(self._process.stdout.readline())

  def close(self):
    self._process.stdin.close()
    self._process.wait()

  def medians(self, images):
    """Returns images/s by the clock and milliseconds of CPU an image."""
    return (
        statistics.median(images / seconds for seconds, _, _ in self.results),
        statistics.median(1000 * cpu / images for _, cpu, _ in self.results))

  def line(self, name, images):
    """Returns the medians of the turns, and their range, in words."""
    speeds = [images / seconds for seconds, _, _ in self.results]
    speed, cpu = self.medians(images)
    return '  %-10s %8.0f images/s (%.0f to %.0f)  %7.3f ms CPU' % (
        name, speed, min(speeds), max(speeds), cpu)


def run_child(description):
  """Serves one contender: a number of images in, times out, line by line."""
  warnings.filterwarnings('ignore')
  step = input_contenders.start(**description)
  batch = description['batch']
  for line in sys.stdin:
    # What waits in the queues was made while others had their turn.
    for _ in range(_BATCHES_IN_STORE):
      step()
    cpu, start = _cpu(), time.time()
    for _ in range(int(line) // batch):
      step()
    result = [time.time() - start, _cpu() - cpu, _memory()]
    _wait_until_idle()
    print(json.dumps(result), flush=True)
  os._exit(0)  # Queue runners would be waited for.


def _wait_until_idle():
  """Lets the queues fill, so that it is not done in the turn of another."""
  before = -1.0
  while _cpu() - before > _IDLE * _LOOK_SECONDS:
    before = _cpu()
    time.sleep(_LOOK_SECONDS)


def _cpu():
  usage = resource.getrusage(resource.RUSAGE_SELF)
  return usage.ru_utime + usage.ru_stime


def _memory():
  with open('/proc/self/status') as status:
    words = [line.split() for line in status if line.startswith('VmRSS')][0]
  return int(words[1]) // 1024


def compare(case_name, threads, arguments, records):
  """Prints a block of lines for one case and number of threads."""
  case = CASES[case_name]
  images = _IMAGES[case.pictures]
  contenders = {kind: Contender(kind, case, threads, records)
                for kind in arguments.contenders.split(',')}
  for _ in range(arguments.repeat):
    for contender in contenders.values():
      contender.make(images)
  print('%s, %d x %d, %d threads' % (
      case_name, case.size, case.size, threads))
  medians = {}
  for kind, contender in contenders.items():
    print(contender.line(kind, images))
    medians[kind] = contender.medians(images)
    contender.close()
  for own, other in (('pipeline', 'queue'), ('pipeline', 'decode'),
                     ('pipeline', 'operations'), ('window', 'queue')):
    if {own, other} <= set(medians):
      print('  %s / %s: %.2f by the clock, %.2f by CPU' % (
          own, other, medians[own][0] / medians[other][0],
          medians[other][1] / medians[own][1]))
  sys.stdout.flush()


def watch_memory(case_name, count, records):
  """Prints the memory of the pipeline's process while it reads records."""
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
  with tempfile.TemporaryDirectory() as folder:
    cases = arguments.cases.split(',')
    records = {}
    for kind in sorted({CASES[name].pictures for name in cases}):
      if kind == 'jpeg' and arguments.records:
        records[kind] = arguments.records
        continue
      sizes = input_contenders.write_records(
          os.path.join(folder, kind), kind, np.random.RandomState(0))
      records[kind] = os.path.join(folder, kind) + '*'
      print('%s pictures: %d, %.1f kB on average' % (
          kind, len(sizes), np.mean(sizes) / 1000), flush=True)
    for name in cases:
      for threads in arguments.threads.split(','):
        compare(name, int(threads), arguments, records[CASES[name].pictures])
    if arguments.records_for_memory:
      watch_memory(cases[0], arguments.records_for_memory,
                   records[CASES[cases[0]].pictures])


if __name__ == '__main__':
  main()
