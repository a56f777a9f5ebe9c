"""This project: steps, training, evaluation, the forms of an export."""
import json
import os
import sys
import tempfile
from unittest import mock

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


def evaluation(work):
  """Serves the batches of an evaluation, of files that start again."""
  from image_classifier.evaluate import evaluator
  paused = turns.Paused()

  class Evaluator(evaluator.Evaluator):

    def _next_batch(self):
      batch = super()._next_batch()
      paused.pause()
      return batch

  paused.serve_beside(work['batch'], warm=2)
  with _batches(_endless):
    Evaluator(_to_evaluate(work), work['checkpoint'], quiet=True).evaluate(
        work['checkpoint'])


def bare_inference(work):
  """Serves the network of an evaluation on a batch in memory."""
  _serve_part(work, lambda graph: graph.logits,
              lambda batches: batches.take(1).cache().repeat())


def evaluation_input(work):
  """Serves the images of an evaluation without the network."""
  _serve_part(work, lambda graph: graph.batch.images, _endless, warm=2)


def _endless(batches):
  # Where none is last, TensorFlow 2 adds a prefetch of its own, of gigabytes.
  return batches.repeat().prefetch(1)


def _serve_part(work, tensor_of, change, warm=1):
  """Serves one tensor of the graph of an evaluation."""
  from image_classifier.evaluate import eval_graph
  from image_classifier.evaluate import evaluator

  class Evaluator(evaluator.Evaluator):

    def serve(self, checkpoint):
      """Serves the steps."""
      self._restore(checkpoint)
      eval_graph.restart_input(self._session)
      tensor = tensor_of(self._graph)
      turns.serve(lambda: self._session.run(tensor), work['batch'], warm)

  with _batches(change):
    Evaluator(_to_evaluate(work), work['checkpoint'], quiet=True).serve(
        work['checkpoint'])


def _batches(change):
  """Returns a context manager that changes the dataset of an evaluation."""
  from datasets.reading import input_pipeline
  batches = input_pipeline.evaluation_batches
  return mock.patch.object(
      input_pipeline, 'evaluation_batches',
      lambda *arguments, **keywords: change(batches(*arguments, **keywords)))


def _to_evaluate(work):
  """Returns the `options.Evaluate` of a network on its data."""
  from image_classifier import options
  kind = train.CASES[work['network']].data
  name, split = ('mnist', 'test') if kind == 'digits' else (
      'image_folder', 'train')
  return options.Evaluate(
      evaluation=options.Evaluation(
          model_name=work['network'], checkpoint_path=work['checkpoint'],
          eval_dir=''),
      data=options.EvaluationData(
          dataset_name=name, dataset_split_name=split,
          dataset_dir=os.path.join(work['data'], kind),
          batch_size=work['batch'], preprocessing_name=work['preprocessing']))


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
  {'step': step, 'end_to_end': end_to_end, 'evaluation': evaluation,
   'bare_inference': bare_inference, 'evaluation_input': evaluation_input,
   'inference': inference}[_work['work']](_work)
