"""This project: a training step, a training, the forms of an export."""
import json
import os
import sys
import tempfile

import numpy as np

from benchmarks import train
from benchmarks.contenders import turns
from slim_common import runtime


def _options(work):
  directory = work['data']
  return train.make_options(work['network'], {
      'digits': ('mnist', os.path.join(directory, 'digits')),
      'jpeg': ('image_folder', os.path.join(directory, 'jpeg'))},
                            tempfile.mkdtemp(dir=directory))


def step(work):
  """Serves the training step on a batch in memory."""
  bare = train.BareStep(_options(work))
  turns.serve(lambda: bare.run(1), train.CASES[work['network']].batch_size)


def end_to_end(work):
  """Serves the steps of a training from record files."""
  import tensorflow.compat.v1 as tf

  from image_classifier.train import loop
  paused = turns.Paused()

  class Pause(tf.train.SessionRunHook):

    def after_run(self, run_context, run_values):
      paused.pause()

  paused.serve_beside(train.CASES[work['network']].batch_size, warm=2)
  loop.train(_options(work), extra_hooks=[Pause()])


def inference(work):
  """Serves a form of an export on one batch."""
  from image_classifier.inference import backends
  path = os.path.join(work['export'], work['form'])
  if not os.path.exists(path):
    turns.refuse('%s cannot be exported here' % work['form'])
  backend = backends.load(path)
  size = work['size']
  images = np.random.RandomState(0).uniform(
      -1, 1, [work['batch'], size, size, 3]).astype(np.float32)
  turns.serve(lambda: backend.run(images), work['batch'])


if __name__ == '__main__':
  _work = json.loads(sys.argv[1])
  runtime.start()
  {'step': step, 'end_to_end': end_to_end,
   'inference': inference}[_work['work']](_work)
