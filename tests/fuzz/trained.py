"""Files that a training leaves, to damage."""
import json
import os

from image_classifier import options
from image_classifier.evaluate import follow_checkpoints
from image_classifier.evaluate import reported_loss
from image_classifier.inference import inference_graph
from image_classifier.runs import record_defaults
from image_classifier.runs import run_record
from slim_common import flags
from tests.image_classifier import training_runs as runs

_PROGRAMS = (
    (options.Evaluate, []), (options.Export, []), (options.Classify, ['a.png']))
_NAMES = ['cat', 'dog', 'owl']


def records():
  """Returns a dict of run.json to the record of a run."""
  return {run_record.NAME: json.dumps(_record()).encode()}


def _record():
  trained = runs.train('data', 'model')
  return {
      'format_version': 2, 'model_name': 'lenet', 'num_classes': len(_NAMES),
      'image_shape': [28, 28, 1], 'class_names': _NAMES, 'last_step': 9,
      'num_examples': 40, 'multi_label': False, 'labels_offset': 0,
      'fingerprint': 'f' * 64, 'flags': flags.as_dict(trained)}


def read_record(source, unused_out, name):
  """Reads it as the programs after a training do, and as one that resumes."""
  prefix = os.path.join(source, 'model.ckpt-1')
  assert os.path.basename(name) == run_record.NAME
  for program, words in _PROGRAMS:
    completed, lines = record_defaults.apply(
        flags.parse(words, program)[0], prefix)
    print('\n'.join(lines))
  inference_graph._recorded_classes(completed, prefix)
  inference_graph.choose_activation(None, prefix, None)
  reported_loss.choose(options.Evaluation(), prefix, False)
  follow_checkpoints._is_last(9, source, options.Following())
  run_record.check(source, _record())
  run_record.changes(source, _record())
