"""Evaluation, export and classification of a training with no further flag."""
import glob
import json

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier import options
from image_classifier.evaluate import evaluation
from image_classifier.export import export
from image_classifier.inference import classifier as classifiers
from image_classifier.runs import run_record
from slim_common import flags
from tests.image_classifier import evaluations
from tests.image_classifier import training_runs as runs

pytestmark = pytest.mark.slow

_NAMES = ['background'] + ['digit %d' % digit for digit in range(10)]
_NUMBER = 200
_FORMS = ('frozen_inference_graph.pb', 'saved_model', 'model.tflite')

# Smaller than by default, for a smaller LeNet.
_SMALL = dict(train_image_size=12)
# Whether images have several labels, and the flags of the training.
_TRAININGS = {
    'preprocessing': (False, dict(data=dict(preprocessing_name='cifarnet'))),
    'size': (False, dict(model=_SMALL)),
    'grayscale': (False, dict(data=dict(use_grayscale=True), model=_SMALL)),
    'averages': (False, dict(model=dict(_SMALL, moving_average_decay=0.9))),
    'labels offset': (False, dict(data=dict(labels_offset=1), model=_SMALL)),
    'several labels': (True, dict(model=_SMALL)),
    'sigmoid': (False, dict(model=dict(_SMALL, loss='sigmoid'))),
    'depth multiplier': (False, dict(model=dict(
        model_name='mobilenet_v1_025', train_image_size=32)))}


@pytest.fixture(name='data', scope='module')
def _data(digits, tmp_path_factory):
  """Digits with a background class: {whether of several labels: directory}."""
  root = tmp_path_factory.mktemp('data')
  found = {}
  for several in (False, True):
    found[several] = root / str(several)
    evaluations.rewrite_digits(
        digits, found[several], _NAMES,
        lambda digit: [digit + 1], _NUMBER, several)
  return found


def _leave_a_run(data, directory, changes):
  """Leaves what a training does; the first classes of images differ."""
  changes = dict(changes, data=dict(
      changes.get('data', {}), dataset_split_name='test'))
  runs.leave(runs.train(str(data), directory, **changes), lambda shape: _digits(
      data, shape))


def _digits(data, shape):
  """Returns about what the network gets, float32 [n] + shape."""
  path, = glob.glob(str(data / '*test*.tfrecord'))
  images = evaluations.pixels(path)[..., None] / 128 - 1
  edge = (shape[0] - images.shape[1]) // 2
  if edge < 0:
    return images[:, -edge:edge, -edge:edge]
  return np.pad(images, [(0, 0), (edge, edge), (edge, edge), (0, 0)],
                'constant')


def _evaluated(directory, work):
  """Returns [(name, probability) of the first class of each example]."""
  path = str(work / 'predictions.jsonl')
  evaluation.evaluate(flags.parse([
      '--checkpoint_path=' + directory, '--eval_dir=',
      '--predictions_file=' + path], options.Evaluate)[0], quiet=True)
  with open(path) as lines:
    best = [json.loads(line)['top'][0] for line in lines]
  return [(row['name'], row['probability']) for row in best]


def _classified(classifier, contents):
  probabilities, _ = classifier.predict(
      np.stack([classifier.preprocess(content) for content in contents]))
  classifier.close()
  return _best(classifier.labels, probabilities)


def _served(directory, labels, contents):
  """Returns the same of a SavedModel that gets the content of files."""
  with tf.Graph().as_default(), tf.Session() as session:
    signature = tf.saved_model.loader.load(
        session, ['serve'], directory).signature_def['serving_bytes']
    return _best(labels, session.run(
        signature.outputs['predictions'].name,
        {signature.inputs['image_bytes'].name: contents}))


def _best(labels, probabilities):
  return [(labels[row.argmax()], row.max()) for row in probabilities]


@pytest.mark.parametrize('several, changes', [
    pytest.param(*row, id=name) for name, row in _TRAININGS.items()])
def test_every_form_gives_what_evaluation_gives(
    data, tmp_path, several, changes):
  directory = str(tmp_path / 'run')
  _leave_a_run(data[several], directory, changes)
  expected = _evaluated(directory, tmp_path)
  assert len(expected) == _NUMBER
  assert len({name for name, _ in expected}) > 2, expected[:9]
  record, = glob.glob(str(data[several] / '*test*.tfrecord'))
  contents = [tf.train.Example.FromString(text).features.feature[
      'image/encoded'].bytes_list.value[0]
              for text in tf.python_io.tf_record_iterator(record)]
  asked = '--checkpoint_path=' + directory
  exported = tmp_path / 'exported'
  export.export(flags.parse([
      asked, '--output_dir=%s' % exported, '--tflite'], options.Export)[0])
  forms = [classifiers.load_checkpoint(
      flags.parse([asked, 'a.png'], options.Classify)[0])] + [
          classifiers.load_export(str(exported / form)) for form in _FORMS]
  results = [_classified(form, contents) for form in forms] + [
      _served(str(exported / 'saved_model'), forms[0].labels, contents)]
  for found in results:
    assert [name for name, _ in found] == [name for name, _ in expected]
    # The weights of a grayscale image add up to 0.9999.
    np.testing.assert_allclose(
        [value for _, value in found], [value for _, value in expected],
        rtol=5e-3)
  text = (exported / 'model.json').read_text()
  assert json.loads(text)['training'] == run_record.without_paths(
      run_record.read(directory))
  assert str(tmp_path) not in text
