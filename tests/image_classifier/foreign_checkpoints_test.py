"""Checkpoints whose variables have a prefix, after training."""
import os

import numpy as np
import pytest

from image_classifier import options
from image_classifier.evaluate import evaluation
from image_classifier.export import export
from image_classifier.inference import classifier
from slim_common import flags
from tests.image_classifier import evaluations
from tests.image_classifier import exports

_SCOPE = 'FeatureExtractor'
_CURE = '--checkpoint_scope=%s loads them' % _SCOPE


def _with_prefix(values):
  for name in list(values):
    if name != 'global_step':
      values['%s/%s' % (_SCOPE, name)] = values.pop(name)


@pytest.fixture(name='checkpoints', scope='module')
def _checkpoints(tmp_path_factory):
  """Returns the prefixes of a checkpoint and of a copy with other names."""
  directory = tmp_path_factory.mktemp('checkpoints')
  own = exports.save(directory)
  foreign = directory / 'foreign' / os.path.basename(own)
  evaluations.rewrite_checkpoint(own, foreign, _with_prefix)
  return own, str(foreign)


@pytest.mark.slow
def test_evaluation(digits, checkpoints):
  results = [evaluation.evaluate(evaluations.options_for(
      digits, checkpoint, checkpoint_scope=scope, max_num_batches=2,
      batch_size=20, diagnose=False), quiet=True)
             for checkpoint, scope in zip(checkpoints, (None, _SCOPE))]
  assert results[0]['Accuracy'] == results[1]['Accuracy']
  assert results[0]['Loss'] == pytest.approx(results[1]['Loss'])
  with pytest.raises(ValueError, match=_CURE):
    evaluation.evaluate(evaluations.options_for(
        digits, checkpoints[1], max_num_batches=2), quiet=True)


def _probabilities(loaded):
  return loaded.predict(np.random.RandomState(0).uniform(
      -1, 1, [1, 28, 28, 1]).astype(np.float32))[0]


@pytest.mark.slow
def test_classification_and_export(digits, checkpoints, tmp_path):
  own, foreign = checkpoints
  words = ['--model_name=lenet', '--dataset_name=mnist',
           '--dataset_dir=%s' % digits, 'a.png', '--checkpoint_path=']

  def load(checkpoint, *more):
    return classifier.load_checkpoint(flags.parse(
        words[:-1] + [words[-1] + checkpoint] + list(more),
        options.Classify)[0])

  expected = load(own)
  with pytest.raises(ValueError, match=_CURE):
    load(foreign)
  given = exports.ask(checkpoint_path=foreign, dataset_dir=str(digits),
                      output_dir=tmp_path / 'out')
  with pytest.raises(ValueError, match=_CURE):
    export.export(given)
  export.export(exports.ask(
      checkpoint_path=foreign, dataset_dir=str(digits),
      output_dir=tmp_path / 'out', checkpoint_scope=_SCOPE))
  for loaded in (load(foreign, '--checkpoint_scope=' + _SCOPE),
                 classifier.load_export(str(tmp_path / 'out'))):
    np.testing.assert_allclose(
        _probabilities(loaded), _probabilities(expected), atol=1e-5)
