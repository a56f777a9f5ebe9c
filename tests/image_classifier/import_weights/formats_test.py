"""Readers of files of weights: what they return, and what they refuse."""
import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from image_classifier.import_weights import formats
from image_classifier.import_weights import layers
from image_classifier.import_weights import name_rules
from image_classifier.import_weights import safetensors_files
from image_classifier.import_weights import tflite_files
from image_classifier.import_weights.tables import tflite_names
from tests.image_classifier.import_weights import files

_TENSORS = {'a.weight': np.arange(6, dtype=np.float32).reshape(2, 3),
            'b': np.float32([0.5]), 'c': np.zeros([2, 0], np.float32)}


def _check(read, tensors):
  assert sorted(read) == sorted(tensors)
  for name, value in tensors.items():
    np.testing.assert_array_equal(read[name], value)
    assert read[name].dtype == value.dtype


def test_safetensors(tmp_path):
  path = str(tmp_path / 'x.safetensors')
  tensors = dict(_TENSORS, n=np.int64([[1, 2]]))
  safetensors_files.write(path, tensors, {'format': 'tf'})
  kind, read = formats.read(path)
  assert kind == formats.TORCH
  _check(read, tensors)
  with open(path, 'rb') as file:  # The data are aligned.
    assert int.from_bytes(file.read(8), 'little') % 8 == 0


def test_bfloat16(tmp_path):
  path = tmp_path / 'x'
  header = b'{"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}'
  path.write_bytes(len(header).to_bytes(8, 'little') + header +
                   b'\x80\x3f\x40\xc0')
  np.testing.assert_array_equal(files.read(path)['a'], [1.0, -3.0])


def test_pth(tmp_path):
  files.write_pth(tmp_path / 'x.pth', _TENSORS, {'epoch': 3})
  _check(files.read(tmp_path / 'x.pth'), _TENSORS)


def test_pth_of_a_training(tmp_path):
  """DataParallel puts `module.` before the names."""
  files.write_pth(tmp_path / 'x.pth', {
      'module.' + name: value for name, value in _TENSORS.items()})
  _check(files.read(tmp_path / 'x.pth'), _TENSORS)


class _Evil:

  def __reduce__(self):
    return os.mkdir, ('pwned',)


@pytest.mark.parametrize('is_zip', [True, False])
def test_code_in_a_pickle_is_not_run(tmp_path, monkeypatch, is_zip):
  monkeypatch.chdir(tmp_path)
  content = pickle.dumps({'a': _Evil()}, 2)
  path = tmp_path / 'x.pth'
  if is_zip:
    with zipfile.ZipFile(str(path), 'w') as archive:
      archive.writestr('archive/data.pkl', content)
  else:
    path.write_bytes(content)
  with pytest.raises(ValueError, match='x.pth is refused: it names (posix|nt)'
                     '.mkdir, which no file of weights alone does. Save model'):
    formats.read(str(path))
  assert os.listdir(str(tmp_path)) == ['x.pth']


def test_keras_2(tmp_path):
  tensors = {'conv_1/kernel': np.ones([1, 1, 2, 3], np.float32),
             'conv_1/bias': np.ones([3], np.float32)}
  files.write_h5(tmp_path / 'x.h5', tensors)
  kind, read = formats.read(str(tmp_path / 'x.h5'))
  assert kind == formats.KERAS
  _check(read, tensors)


@pytest.mark.parametrize('as_archive', [True, False])
def test_keras_3(tmp_path, as_archive):
  ones = np.ones([2], np.float32)
  layers = {('conv2d', 'conv2d_7'): [ones], ('conv2d', 'conv2d_12'): [2 * ones],
            ('depthwise_conv2d', 'Expand/Depthwise'): [3 * ones],
            ('batch_normalization', 'x/BatchNorm'): [ones, 2 * ones, 3 * ones]}
  content = io.BytesIO()
  files.write_keras_3(content, layers)
  path = tmp_path / 'x'
  path.write_bytes(content.getvalue())
  if as_archive:
    with zipfile.ZipFile(str(path), 'w') as archive:
      archive.writestr('model.weights.h5', content.getvalue())
  _check(files.read(path), {
      'conv2d_0/kernel': ones, 'conv2d_1/kernel': 2 * ones,
      'expand_depthwise/depthwise_kernel': 3 * ones, 'x_bn/beta': ones,
      'x_bn/moving_mean': 2 * ones, 'x_bn/moving_variance': 3 * ones})


def test_keras_1(tmp_path):
  one = np.ones([1], np.float32)
  files.write_h5(tmp_path / 'x.h5', {
      'a/a_W_1': one, 'a/a_b_1': 2 * one, 'b/b_running_std_1': 3 * one})
  _check(files.read(tmp_path / 'x.h5'), {
      'a/kernel': one, 'a/bias': 2 * one, 'b/moving_variance': 3 * one})


def test_keras_3_without_names(tmp_path):
  content = io.BytesIO()
  files.write_keras_3(content, {('dense', ''): [np.ones([1])]})
  (tmp_path / 'x').write_bytes(content.getvalue())
  with pytest.raises(ValueError, match='it has numbers instead of names'):
    files.read(tmp_path / 'x')


@pytest.mark.parametrize('kernel, activation, bias', [
    ([1, 1, 3, 2], tflite_files.RELU6, [-2.5, -2]),
    ([3, 3, 2, 1], tflite_files.RELU6, [-2.5, -2]),
    ([1, 1, 3, 2], 0, [0.5, 1])])
def test_gates_of_tflite(tmp_path, kernel, activation, bias):
  """The 3 of the hard sigmoid behind a layer may be in its bias."""
  path = tmp_path / 'x.tflite'
  files.write_tflite(path, {
      'layer_0/kernel': np.ones(kernel, np.float32),
      'layer_0/bias': np.float32([0.5, 1])}, activations={
          'layer_0/kernel': activation})
  conv, _ = layers.of_tflite(files.read(path), 1e-3)
  gate, other = (name_rules.find(
      'expanded_conv_1/' + scope, tflite_names.ROWS['mobilenet_v3_small'].rules)
                 for scope in ('squeeze_excite/Conv_1', 'squeeze_excite/Conv'))
  np.testing.assert_array_equal(conv(gate.conv).bias, bias)
  np.testing.assert_array_equal(conv(other.conv).bias, [0.5, 1])


def _truncate(path):
  content = path.read_bytes()
  path.write_bytes(content[:len(content) * 3 // 4])


def test_truncated_files(tmp_path):
  path = tmp_path / 'x'
  safetensors_files.write(str(path), _TENSORS, {})
  _truncate(path)
  with pytest.raises(ValueError, match='x is no complete safetensors file: '):
    files.read(path)
  files.write_pth(path, _TENSORS)
  _truncate(path)
  with pytest.raises(ValueError, match='x is (refused|no file of weights)'):
    files.read(path)
  files.write_h5(path, {'a/kernel': np.ones([3000], np.float32)})
  _truncate(path)
  with pytest.raises(ValueError, match='x is refused: '):
    files.read(path)


def test_other_files(tmp_path):
  (tmp_path / 'x').write_bytes(b'<html>Not found</html>')
  with pytest.raises(ValueError, match='x is no file of weights that can be '
                     'read: give a .pth or .safetensors'):
    files.read(tmp_path / 'x')
  with pytest.raises(ValueError, match='is a directory, but no SavedModel'):
    files.read(tmp_path)
