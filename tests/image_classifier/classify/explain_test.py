"""Overlays of heat maps."""
import dataclasses
import os

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from image_classifier import options
from image_classifier.classify import classify
from image_classifier.classify import explain
from nets import nets_factory
from tests.datasets.conversion import odd_images


def test_hot_is_red_and_cold_is_the_image():
  image = np.tile(np.linspace(-1, 1, 8), (8, 1))[..., None]
  heat = np.zeros([2, 2])
  heat[0, 0] = 3
  found = explain.overlay(image, heat)
  assert found.shape == (224, 224, 3) and found.dtype == np.uint8
  red, green, blue = found[5, 5].astype(int)
  assert red > 100 and red > green + 50 and red > blue + 50
  assert found[-1, -1].tolist() == [255, 255, 255]


def test_no_heat_leaves_the_image():
  image = np.zeros([300, 400, 3])
  image[0, 0] = 1
  found = explain.overlay(image, np.zeros([3, 4]))
  assert found.shape == (300, 400, 3)
  assert (found[0, 0].tolist(), found[1, 1].tolist()) == ([255] * 3, [0] * 3)


def test_names(tmp_path):
  overlays = explain.Overlays(str(tmp_path / 'new'), False)
  for name in ('a/x.png', 'b/x.jpg', 'y'):
    overlays.write(name, np.zeros([8, 8, 1]), np.ones([2, 2]))
  assert sorted(os.listdir(str(tmp_path / 'new'))) == [
      'x.png', 'x_2.png', 'y.png']
  with pytest.raises(ValueError, match='--explain=.*new holds files: give '
                     'another directory, or --overwrite to write among them'):
    explain.Overlays(str(tmp_path / 'new'), False)
  explain.Overlays(str(tmp_path / 'new'), True)


def _options(**changes):
  return dataclasses.replace(options.Classify(), images=('x.png',), **changes)


@pytest.mark.parametrize('changes, message', [
    ({'graph': 'g'}, '--explain needs gradients, which exports do not have: '
     'give --checkpoint_path and --model_name instead of --graph.'),
    ({'checkpoint_path': 'c', 'end_points': ('a',), 'features_file': 'f'},
     '--explain and --end_points both take values of end points: run the '
     'program once for each.')])
def test_messages(changes, message):
  with pytest.raises(ValueError) as error:
    classify.classify(_options(explain='d', **changes))
  assert str(error.value) == message


def test_classification_writes_heat_maps(tmp_path, capsys):
  path = str(tmp_path / 'model.ckpt-1')
  with tf.Graph().as_default(), tf.Session() as session:
    tf.set_random_seed(1)
    nets_factory.get_network_fn('lenet', 3)(tf.zeros([1, 28, 28, 3]))
    session.run(tf.global_variables_initializer())
    tf.train.Saver().save(session, path)
  folder, out = tmp_path / 'images', tmp_path / 'out'
  folder.mkdir()
  (folder / 'broken.png').write_bytes(b'\x89PNG\r\n\x1a\n')
  for k in range(2):
    odd_images.photo(seed=k).save(str(folder / ('%d.jpg' % k)))
  assert classify.classify(dataclasses.replace(
      _options(checkpoint_path=path, model_name='lenet', num_classes=3,
               explain=str(out)), images=(str(folder),))) == 1
  assert 'Heat maps: %s' % out in capsys.readouterr().out
  assert sorted(os.listdir(str(out))) == ['0.png', '1.png']
  assert Image.open(str(out / '0.png')).size == (224, 224)
