"""Odd images are the same to conversion with evaluation and to classification.

Over 100 files of all formats are converted and evaluated, and their sources
classified: the probabilities are the same, image by image.
"""
import csv
import itertools
import json
import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from datasets import download_and_convert_image_folder
from image_classifier import options
from image_classifier.classify import classify
from image_classifier.evaluate import evaluation
from nets import nets_factory
from slim_common import flags
from tests.datasets.conversion import odd_images

_CLASSES = ('ants', 'bees')
_MODES = {'PNG': ('L', 'LA', 'P', 'RGB', 'RGBA', '1'), 'GIF': ('P', 'L'),
          'JPEG': ('L', 'RGB', 'CMYK'), 'BMP': ('L', 'RGB'),
          'TIFF': ('L', 'RGB', 'CMYK'), 'WEBP': ('RGB', 'RGBA')}

_ALL_MODES = ('1', 'L', 'LA', 'P', 'RGB', 'RGBA', 'CMYK')


def _images():
  """Yields (name, content) of over 100 images."""
  for image in odd_images.corpus():
    if image.fate != odd_images.REJECTED:
      yield image.name, image.content
  for kind, mode, seed in itertools.product(_MODES, _ALL_MODES, range(4)):
    if mode in _MODES[kind]:
      yield ('%s %s %d.%s' % (kind, mode, seed, kind.lower()),
             odd_images.encoded(_picture(mode, seed), kind))


def _picture(mode, seed):
  """Returns an image of a mode of Pillow, partly transparent if it can be."""
  size = 40 + 9 * seed, 56 - 9 * seed, seed
  if mode == 'P':
    return odd_images.photo('RGB', *size).quantize(8)
  if mode not in ('LA', 'RGBA'):
    return odd_images.photo(mode, *size)
  picture = odd_images.photo('RGBA', *size)
  picture.putalpha(picture.getchannel('R'))
  return picture.convert(mode)


@pytest.fixture(name='checkpoint', scope='module')
def _checkpoint(tmp_path_factory):
  path = str(tmp_path_factory.mktemp('checkpoint') / 'model.ckpt-1')
  with tf.Graph().as_default(), tf.Session() as session:
    tf.set_random_seed(1)
    nets_factory.get_network_fn('lenet', len(_CLASSES))(
        tf.zeros([1, 28, 28, 3]))
    tf.train.get_or_create_global_step()
    session.run(tf.global_variables_initializer())
    tf.train.Saver().save(session, path)
  return path


def test_classification_gives_what_evaluation_gives(checkpoint, tmp_path):
  sources, records = tmp_path / 'sources', tmp_path / 'records'
  count = 0
  for k, (name, content) in enumerate(_images()):
    path = sources / _CLASSES[k % 2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    count += 1
  assert count > 100
  download_and_convert_image_folder.run(
      str(records), str(sources), num_workers=1, num_validation=0)
  common = {
      'model_name': 'lenet', 'preprocessing_name': 'inception',
      'checkpoint_path': checkpoint, 'dataset_name': 'image_folder',
      'dataset_dir': str(records)}
  table, results = tmp_path / 'table.csv', tmp_path / 'results.json'
  evaluation.evaluate(flags.replace(options.Evaluate(), dict(
      common, dataset_split_name='train', eval_dir='',
      predictions_file=str(table), batch_size=50)), quiet=True)
  assert classify.classify(flags.replace(options.Classify(), dict(
      common, images=tuple(str(sources / name) for name in _CLASSES),
      output_json=str(results)))) == 0
  with open(str(table), newline='', encoding='utf-8') as file:
    evaluated = {row['file']: {row['name_%d' % k]: float(
        row['probability_%d' % k]) for k in (1, 2)}
                 for row in csv.DictReader(file)}
  classified = {
      os.path.relpath(row['file'], str(sources)): dict(
          zip(row['names'], row['probabilities']))
      for row in json.loads(results.read_text())}
  assert len(evaluated) == count and set(classified) == set(evaluated)
  for name in evaluated:
    for label in _CLASSES:
      np.testing.assert_allclose(
          classified[name][label], evaluated[name][label], atol=1e-5,
          err_msg=name)
  # The images are told apart.
  assert len({round(row['ants'], 3) for row in evaluated.values()}) > 20
