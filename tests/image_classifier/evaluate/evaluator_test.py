"""Differences between the input of an evaluation and of the training."""
import json

from image_classifier.evaluate import evaluator
from tests.image_classifier import evaluations


def _differences(directory, record, image_size=28, **changes):
  if record is not None:
    (directory / 'run.json').write_text(json.dumps(record))
  return evaluator.differences_from_training(
      evaluations.options_for('data', 'model', **changes),
      str(directory / 'model.ckpt-1'), image_size)


def test_the_same_input(tmp_path):
  assert _differences(tmp_path, None) == []
  assert _differences(tmp_path, {
      'image_shape': [28, 28, 1], 'flags': {
          'model_name': 'lenet', 'preprocessing_name': None,
          'use_grayscale': False}}, preprocessing_name='lenet') == []


def test_other_images(tmp_path):
  record = {'image_shape': [32, 32, 3], 'flags': {
      'model_name': 'lenet', 'preprocessing_name': 'cifarnet',
      'use_grayscale': True}}
  text = ('The training used %s, this evaluation does not: --%s evaluates the '
          'same.')
  assert _differences(tmp_path, record) == [
      text % ('the preprocessing of cifarnet', 'preprocessing_name=cifarnet'),
      text % ('grayscale images', 'use_grayscale=True'),
      text % ('images of 32 x 32 pixels', 'eval_image_size=32')]
  record['flags']['use_grayscale'] = False
  assert _differences(
      tmp_path, record, 32, preprocessing_name='cifarnet',
      use_grayscale=True) == [
          text % ('color images', 'use_grayscale=False')]


def test_another_network(tmp_path):
  assert _differences(tmp_path, {'flags': {'model_name': 'vgg_16'}}) == [
      'The checkpoint was trained with --model_name=vgg_16.']
