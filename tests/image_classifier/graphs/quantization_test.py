"""Quantization-aware training."""
import dataclasses
import json

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier import options
from image_classifier.evaluate import evaluation
from image_classifier.export import export
from image_classifier.export import fold_batch_norm
from image_classifier.export import tflite
from image_classifier.graphs import quantization
from image_classifier.inference import backends
from image_classifier.train import loop
from nets import nets_factory
from tests.image_classifier import training_runs as runs

_ONE = tf.__version__.startswith('1.')


@pytest.mark.slow
@pytest.mark.skipif(not _ONE, reason='needs tensorflow.contrib')
def test_train_evaluate_and_export(tmp_path):
  with tf.Graph().as_default() as graph, tf.Session() as session:
    images = tf.random_uniform([2, 32, 32, 3], -1, 1, seed=0)
    logits, _ = nets_factory.get_network_fn(
        'mobilenet_v1_025', 10, is_training=True)(images)
    loss = tf.losses.sparse_softmax_cross_entropy([0, 1], logits)
    quantization.quantize_for_training(0)
    assert _fake(graph) > 50
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
      train_op = tf.train.GradientDescentOptimizer(0.01).minimize(loss)
    session.run(tf.global_variables_initializer())
    losses = [session.run([train_op, loss])[1] for _ in range(2)]
    assert np.isfinite(losses).all()
    checkpoint = tf.train.Saver().save(session, str(tmp_path / 'model.ckpt'))
  asked = dataclasses.replace(
      options.Export(), model_name='mobilenet_v1_025', num_classes=10,
      image_size=32, checkpoint_path=checkpoint, quantize=True, verify=True,
      tflite=True,
      output_dir=str(tmp_path / 'out'))
  export.export(asked)
  graph_def = tf.GraphDef.FromString(
      (tmp_path / 'out' / 'frozen_inference_graph.pb').read_bytes())
  with tf.Graph().as_default() as graph:
    tf.import_graph_def(graph_def, name='')
    assert _fake(graph) > 50
  record = json.loads((tmp_path / 'out' / 'model.json').read_text())
  assert record['quantization_aware']
  _check_8_bits(graph_def, tmp_path / 'model_int8.tflite')


def _check_8_bits(graph_def, path):
  """TensorFlow Lite gets the learned ranges, and rounds as in training."""
  images = np.random.RandomState(0).uniform(
      -1, 1, [4, 1, 32, 32, 3]).astype(np.float32)
  folded = fold_batch_norm.fold(graph_def, backends.OUTPUTS)
  path.write_bytes(tflite.convert(folded, [1, 32, 32, 3], images))
  found = backends.load(str(path)).run(np.concatenate(images))
  expected = backends.load_graph_def(graph_def).run(np.concatenate(images))
  for one, other in zip(found, expected):
    assert one.dtype == np.float32
    np.testing.assert_allclose(one, other, atol=0.02)
  kinds = {details['dtype'] for details in tf.lite.Interpreter(
      str(path)).get_tensor_details()}
  assert kinds == {np.uint8, np.int32}, 'no part in floating point'


@pytest.mark.skipif(not _ONE, reason='needs tensorflow.contrib')
@pytest.mark.slow
def test_flags_of_training_and_evaluation(digits, tmp_path):
  loop.train(runs.train(
      digits, tmp_path, steps=2, model=dict(quantize_delay=0)))
  assert any('act_quant' in name for name in runs.saved(tmp_path, 2))
  asked = options.Evaluate()
  metrics = evaluation.evaluate(dataclasses.replace(
      asked, evaluation=dataclasses.replace(
          asked.evaluation, checkpoint_path=str(tmp_path), eval_dir='',
          model_name='lenet', quantize=True, max_num_batches=1),
      data=dataclasses.replace(
          asked.data, dataset_name='mnist', dataset_dir=digits)), quiet=True)
  assert 0 <= metrics['Accuracy'] <= 1


@pytest.mark.skipif(not _ONE, reason='needs tensorflow.contrib')
def test_a_checkpoint_without_ranges(tmp_path):
  with tf.Graph().as_default(), tf.Session() as session:
    nets_factory.get_network_fn('lenet', 10)(tf.zeros([1, 28, 28, 3]))
    session.run(tf.global_variables_initializer())
    checkpoint = tf.train.Saver().save(session, str(tmp_path / 'model.ckpt'))
  with pytest.raises(ValueError, match='has no ranges for the fake '
                     'quanti[sz]ation, such as LeNet/.*: train with '
                     '--quantize_delay, or leave out --quantize.'):
    export.export(dataclasses.replace(
        options.Export(), model_name='lenet', num_classes=10, quantize=True,
        checkpoint_path=checkpoint, output_dir=str(tmp_path / 'out')))


def _fake(graph):
  return sum(op.type.startswith('FakeQuant') for op in graph.get_operations())


def test_nothing_is_done_by_default(graph):
  nets_factory.get_network_fn('lenet', 10)(tf.zeros([1, 28, 28, 1]))
  quantization.quantize_for_training(-1)
  quantization.quantize_for_inference(False)
  assert _fake(graph) == 0


@pytest.mark.skipif(_ONE, reason='TensorFlow 1.15 has contrib')
def test_later_tensorflows_quantize_after_training():
  message = 'needs TensorFlow 1.15: .* export_inference_graph.py --int8'
  with pytest.raises(ValueError, match='--quantize_delay ' + message):
    quantization.quantize_for_training(0)
  with pytest.raises(ValueError, match='--quantize ' + message):
    quantization.quantize_for_inference()
