"""ONNX models: what they compute, hold and say when something is wrong."""
import builtins
import json
import os
import shutil

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier import options
from image_classifier.evaluate_export import export_evaluation
from image_classifier.export import export
from image_classifier.export import onnx_model
from image_classifier.inference import backends
from image_classifier.inference import classifier as classifiers
from slim_common import flags
from tests.image_classifier import exports

pytest.importorskip('tf2onnx')
pytest.importorskip('onnxruntime')

_RECORD = {'outputs': ['logits', 'predictions']}


@pytest.fixture(name='exported', scope='module')
def _exported(tmp_path_factory):
  """The directory of an export with an ONNX model, and what was printed."""
  directory = tmp_path_factory.mktemp('onnx')
  export.export(exports.ask(
      checkpoint_path=exports.save(directory), output_dir=directory / 'out',
      onnx=True, verify=True))
  return directory / 'out'


def test_the_model_computes_what_the_frozen_graph_does(exported):
  images = np.random.RandomState(0).uniform(-1, 1, [3, 28, 28, 1])
  found, expected = [backends.load(str(exported / name)).run(images)
                     for name in ('model.onnx', 'frozen_inference_graph.pb')]
  for one, other in zip(found, expected):
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    assert one.dtype == np.float32


def test_a_batch_of_a_fixed_size_is_filled(tmp_path):
  with tf.Graph().as_default() as graph:
    images = tf.placeholder(tf.float32, [4, 2], name='input')
    tf.identity(images * 2, name='logits')
    tf.identity(images + 1, name='predictions')
  (tmp_path / 'x.onnx').write_bytes(onnx_model.convert(
      graph.as_graph_def(), _RECORD, []))
  images = np.arange(12, dtype=np.float32).reshape(6, 2)
  logits, predictions = backends.load(str(tmp_path / 'x.onnx')).run(images)
  np.testing.assert_array_equal(logits, images * 2)
  np.testing.assert_array_equal(predictions, images + 1)


def test_a_model_that_is_copied_alone_keeps_its_record(exported, tmp_path):
  record = json.loads((exported / 'model.json').read_text())
  assert 'model.onnx' in record['files']
  shutil.copy(str(exported / 'model.onnx'), str(tmp_path / 'mine.onnx'))
  classifier = classifiers.load_export(str(tmp_path / 'mine.onnx'))
  assert classifier.labels == ['class %d' % label for label in range(10)]
  classifier.close()


@pytest.mark.slow
def test_it_is_verified_and_evaluated(digits, exported, tmp_path, capsys):
  export.export(exports.ask(
      checkpoint_path=str(exported.parent / 'model.ckpt-7'), verify=True,
      output_dir=tmp_path / 'out', onnx=True))
  assert 'Verified onnx: largest difference ' in capsys.readouterr().out
  rows = export_evaluation.evaluate(flags.parse([
      '--graph=%s' % exported, '--compare', '--dataset_name=mnist',
      '--dataset_dir=' + digits, '--max_num_batches=1'],
                                                options.Evaluate)[0])
  assert [row.form for row in rows] == [
      'checkpoint', 'frozen', 'saved_model', 'onnx']
  assert rows[3].agreement == 1
  assert ('Without tflite: there is no model.tflite; export_inference_graph.py '
          '--tflite writes it.') in capsys.readouterr().out


def test_what_is_no_model_of_an_export(tmp_path):
  (tmp_path / 'text.onnx').write_bytes(b'no model')
  with pytest.raises(ValueError, match='text.onnx is not an ONNX model that '
                     'this ONNX Runtime can run: '):
    backends.load(str(tmp_path / 'text.onnx'))
  import onnx
  helper, kind = onnx.helper, onnx.TensorProto.FLOAT
  x, y = [helper.make_tensor_value_info(name, kind, [1]) for name in 'xy']
  model = helper.make_model(
      helper.make_graph([helper.make_node('Neg', ['x'], ['y'])], 'g', [x], [y]),
      opset_imports=[helper.make_opsetid('', 13)])
  model.ir_version = 7
  (tmp_path / 'other.onnx').write_bytes(model.SerializeToString())
  with pytest.raises(ValueError, match='other.onnx lacks the input `input` or '
                     'the outputs `logits` and `predictions`. Export it with '
                     'export_inference_graph.py --onnx.'):
    backends.load(str(tmp_path / 'other.onnx'))


def test_an_operation_that_is_not_known():
  with tf.Graph().as_default() as graph:
    images = tf.placeholder(tf.float32, [None, 2], name='input')
    net = tf.igamma(images, images)
    tf.identity(net, name='logits')
    tf.identity(net, name='predictions')
  with pytest.raises(ValueError, match='tf2onnx cannot represent this network: '
                     '.*Leave out --onnx.'):
    onnx_model.convert(graph.as_graph_def(), _RECORD, [])


def test_packages_that_are_missing(exported, monkeypatch, tmp_path):
  monkeypatch.setattr(
      onnx_model.importlib.util, 'find_spec', lambda name: None)
  with pytest.raises(ValueError, match='^--onnx needs tf2onnx and onnxruntime: '
                     'pip install tf2onnx onnxruntime$'):
    export.export(exports.ask(
        checkpoint_path=str(exported.parent / 'model.ckpt-7'), onnx=True,
        output_dir=tmp_path / 'out'))
  assert not os.path.exists(str(tmp_path / 'out'))
  load = builtins.__import__

  def without(name, *arguments):
    if name == 'onnxruntime':
      raise ImportError
    return load(name, *arguments)

  monkeypatch.setattr(builtins, '__import__', without)
  with pytest.raises(ValueError, match='model.onnx needs onnxruntime: pip '
                     'install onnxruntime'):
    backends.load(str(exported / 'model.onnx'))
