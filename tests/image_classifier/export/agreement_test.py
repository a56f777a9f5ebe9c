"""Evaluation, export and classification of a training with no further flag."""
import glob
import json
import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from datasets import dataset_factory
from image_classifier import options
from image_classifier.evaluate import evaluation
from image_classifier.export import export
from image_classifier.inference import classifier as classifiers
from image_classifier.runs import run_record
from image_classifier.train import train_input
from nets import nets_factory
from slim_common import flags
from tests.image_classifier import evaluations
from tests.image_classifier import training_runs as runs

_NAMES = ['background'] + ['digit %d' % digit for digit in range(10)]
_FORMS = ('frozen_inference_graph.pb', 'saved_model', 'model.tflite')


def _case(name, several=False, is_slow=True, **changes):
  return pytest.param(several, changes, id=name, marks=(
      [pytest.mark.slow] if is_slow else []))


def _save(config, classes, shape, directory):
  """Writes a checkpoint of random weights, and averages of another size."""
  with tf.Graph().as_default(), tf.Session() as session:
    tf.set_random_seed(3)
    nets_factory.get_network_fn(config.model.model_name, classes)(
        tf.placeholder(tf.float32, (None,) + tuple(shape)))
    if config.model.moving_average_decay:
      for variable in tf.global_variables():
        tf.get_variable(variable.op.name + '/ExponentialMovingAverage',
                        initializer=1.5 * variable.initialized_value())
    tf.train.create_global_step()
    session.run(tf.global_variables_initializer())
    tf.train.Saver().save(session, os.path.join(directory, 'model.ckpt-1'))


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
  return [(classifier.labels[row.argmax()], row.max())
          for row in probabilities]


@pytest.mark.parametrize('several, changes', [
    _case('preprocessing', is_slow=False,
          data=dict(preprocessing_name='cifarnet', labels_offset=1),
          model=dict(moving_average_decay=0.9)),
    _case('several labels', several=True),
    _case('size', model=dict(train_image_size=20)),
    _case('gray', data=dict(use_grayscale=True)),
    _case('averages', model=dict(moving_average_decay=0.9)),
    _case('labels offset', data=dict(labels_offset=1)),
    _case('sigmoid', model=dict(loss='sigmoid')),
    _case('depth multiplier', model=dict(
        model_name='mobilenet_v1_025', train_image_size=32))])
def test_every_form_gives_what_evaluation_gives(
    digits, tmp_path, several, changes):
  data, directory = tmp_path / 'data', str(tmp_path / 'run')
  evaluations.rewrite_digits(
      digits, data, _NAMES, lambda digit: [digit + 1], 40, several)
  os.mkdir(directory)
  config = runs.train(str(data), directory, **changes)
  dataset = dataset_factory.get_dataset('mnist', 'test', str(data))
  classes = dataset.num_classes - config.data.labels_offset
  shape = train_input.image_shape(
      config, dataset, config.model.train_image_size or 28)
  _save(config, classes, shape, directory)
  run_record.write(directory, run_record.make(
      config, dataset, classes, shape, 1), flags.as_dict(options.Train()))
  expected = _evaluated(directory, tmp_path)
  record, = glob.glob(str(data / '*test*.tfrecord'))
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
  for form in forms:
    results = _classified(form, contents)
    assert [name for name, _ in results] == [name for name, _ in expected]
    np.testing.assert_allclose(
        [value for _, value in results], [value for _, value in expected],
        rtol=1e-3)
  text = (exported / 'model.json').read_text()
  assert json.loads(text)['training'] == run_record.without_paths(
      run_record.read(directory))
  assert str(tmp_path) not in text
