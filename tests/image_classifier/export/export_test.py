"""Exports: the architecture alone, and frozen with weights."""
import json
import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from image_classifier.export import export
from image_classifier.export import fold_batch_norm
from nets import nets_factory
from tests.image_classifier import exports


@pytest.fixture(name='checkpoint')
def _checkpoint(tmp_path):
  return exports.save(tmp_path / 'in')


def _load(path):
  definition = tf.GraphDef()
  with open(str(path), 'rb') as file:
    definition.ParseFromString(file.read())
  return definition


def _run(definition, images, output):
  with tf.Graph().as_default(), tf.Session() as session:
    tf.import_graph_def(definition, name='')
    return session.run(output + ':0', {'input:0': images})


@pytest.mark.parametrize('changes, shape', [
    ({}, [-1, 28, 28, 3]),
    (dict(use_grayscale=True), [-1, 28, 28, 1]),
    (dict(batch_size=4, image_size=36), [4, 36, 36, 3])])
def test_the_architecture_alone(tmp_path, changes, shape):
  file = tmp_path / 'out' / 'graph.pb'
  assert export.export(exports.ask(
      output_file=file, **changes)) == [str(file)]
  nodes = {node.name: node for node in _load(file).node}
  dims = nodes['input'].attr['shape'].shape.dim
  assert [dim.size for dim in dims] == shape
  assert nodes['input'].op == 'Placeholder'
  assert {'Predictions/Reshape_1', 'logits', 'predictions'} <= set(nodes)
  assert nodes['LeNet/conv1/weights'].op in ('VariableV2', 'VarHandleOp')
  assert os.listdir(str(tmp_path / 'out')) == ['graph.pb']


def test_the_architecture_as_text(tmp_path):
  file = tmp_path / 'graph.pbtxt'
  export.export(exports.ask(
      output_file=file, write_text_graphdef=True))
  assert file.read_text().startswith('node {\n  name: "input"')


def test_the_training_graph(tmp_path):
  for is_training, expected in ((False, 0), (True, 1)):
    file = tmp_path / ('graph_%d.pb' % is_training)
    export.export(exports.ask(
        output_file=file, is_training=is_training))
    dropouts = [node for node in _load(file).node
                if node.name.endswith('/random_uniform/RandomUniform')
                and 'dropout' in node.name]
    assert len(dropouts) == expected


def test_a_frozen_graph_computes_what_the_checkpoint_does(tmp_path, checkpoint):
  out = tmp_path / 'out'
  written = export.export(exports.ask(
      checkpoint_path=checkpoint, output_dir=out))
  assert written == [str(out / name) for name in (
      'frozen_inference_graph.pb', 'saved_model', 'labels.txt',
      'model.json')]
  assert sorted(os.listdir(str(tmp_path))) == ['in', 'out']
  images = np.random.RandomState(0).uniform(-1, 1, [3, 28, 28, 1])
  with tf.Graph().as_default(), tf.Session() as session:
    network = nets_factory.get_network_fn('lenet', 10)
    logits, end_points = network(tf.constant(images, tf.float32))
    tf.train.Saver(tf.trainable_variables()).restore(session, checkpoint)
    expected = session.run([logits, end_points['Predictions']])
  frozen = _load(written[0])
  for output, value in zip(('logits', 'predictions'), expected):
    np.testing.assert_allclose(_run(frozen, images, output), value, atol=1e-5)
  np.testing.assert_allclose(
      _run(frozen, images, 'Predictions/Reshape_1'), expected[1], atol=1e-5)
  for batch in (1, 5):
    assert _run(frozen, np.zeros([batch, 28, 28, 1]), 'logits').shape == (
        batch, 10)
  assert not any('Variable' in node.op for node in frozen.node)


def test_batch_norm_is_folded_only_if_a_form_needs_it(
    tmp_path, checkpoint, monkeypatch):
  folded = []
  fold = fold_batch_norm.fold
  monkeypatch.setattr(fold_batch_norm, 'fold', lambda *arguments: (
      folded.append(True) or fold(*arguments)))
  export.export(exports.ask(
      checkpoint_path=checkpoint, output_dir=tmp_path / 'plain'))
  assert not folded
  for flag in ('fold_batch_norm', 'tflite'):
    export.export(exports.ask(
        checkpoint_path=checkpoint, output_dir=tmp_path / flag, **{flag: True}))
    assert folded.pop() and not folded


def test_the_record_of_the_model(tmp_path, checkpoint):
  out = tmp_path / 'out'
  export.export(exports.ask(
      checkpoint_path=checkpoint, output_dir=out))
  record = json.loads((out / 'model.json').read_text())
  for name, value in (
      ('model_name', 'lenet'), ('num_classes', 10), ('input', 'input'),
      ('input_shape', [None, 28, 28, 1]), ('preprocessing_name', 'lenet'),
      ('outputs', ['logits', 'predictions']), ('checkpoint', 'model.ckpt-7'),
      ('averaged_weights', False), ('labels_offset', 0), ('global_step', 0),
      ('batch_norm_folded', False), ('quantization_aware', False),
      ('image_size', 28), ('tensorflow', tf.__version__),
      ('classifier_activation', 'softmax'),
      ('historic_names', {'logits': 'LeNet/fc4/BiasAdd',
                          'predictions': 'Predictions/Reshape_1'}),
      ('files', ['frozen_inference_graph.pb', 'saved_model', 'labels.txt',
                 'model.json'])):
    assert record[name] == value, name
  assert record['preprocessing']['family'] == 'lenet'
  assert (out / 'labels.txt').read_text().splitlines()[3] == '3:class 3'


def test_class_names_come_from_the_dataset(tmp_path, checkpoint):
  (tmp_path / 'data').mkdir()
  (tmp_path / 'data' / 'labels.txt').write_text(
      ''.join('%d:digit %d\n' % (i, i) for i in range(10)))
  out = tmp_path / 'out'
  export.export(exports.ask(
      checkpoint_path=checkpoint, output_dir=out,
      dataset_dir=str(tmp_path / 'data')))
  assert (out / 'labels.txt').read_text() == ''.join(
      '%d:digit %d\n' % (i, i) for i in range(10))


def test_averages_are_exported_if_asked_for(tmp_path, checkpoint):
  weights = {}
  for decay in (None, 0.9):
    out = tmp_path / str(decay)
    export.export(exports.ask(
        checkpoint_path=checkpoint, output_dir=out,
        moving_average_decay=decay))
    node = [node for node in _load(out / 'frozen_inference_graph.pb').node
            if node.name == 'LeNet/conv1/weights'][0]
    weights[decay] = tf.make_ndarray(node.attr['value'].tensor)
  np.testing.assert_allclose(weights[0.9], 1.5 * weights[None], rtol=1e-6)


def test_a_network_trained_with_a_sigmoid(tmp_path, checkpoint):
  (tmp_path / 'in' / 'run.json').write_text('{"flags": {"loss": "sigmoid"}}')
  out = tmp_path / 'out'
  export.export(exports.ask(
      checkpoint_path=checkpoint, output_dir=out, verify=True))
  record = json.loads((out / 'model.json').read_text())
  assert record['classifier_activation'] == 'sigmoid'
  frozen = _load(out / 'frozen_inference_graph.pb')
  images = np.random.RandomState(0).uniform(-1, 1, [3, 28, 28, 1])
  logits = _run(frozen, images, 'logits')
  for name in ('predictions', record['historic_names']['predictions']):
    np.testing.assert_allclose(
        _run(frozen, images, name), 1 / (1 + np.exp(-logits)), atol=1e-6)


def test_both_at_once(tmp_path, checkpoint):
  file = tmp_path / 'out' / 'graph.pb'
  export.export(exports.ask(
      checkpoint_path=checkpoint, output_file=file))
  assert sorted(os.listdir(str(tmp_path / 'out'))) == [
      'frozen_inference_graph.pb', 'graph.pb', 'labels.txt', 'model.json',
      'saved_model']


def test_labels_offset_auto(tmp_path, checkpoint):
  (tmp_path / 'data').mkdir()
  (tmp_path / 'data' / 'labels.txt').write_text(
      ''.join('%d:digit %d\n' % (i, i) for i in range(10)))
  export.export(exports.ask(
      checkpoint_path=checkpoint, labels_offset='auto',
      dataset_dir=str(tmp_path / 'data'), output_dir=tmp_path / 'out'))
  record = json.loads((tmp_path / 'out' / 'model.json').read_text())
  assert record['labels_offset'] == 0


@pytest.mark.slow
def test_every_form_is_verified(tmp_path, digits, trained, capsys):
  """Digits for calibration and verification, averaged weights in all forms."""
  out = tmp_path / 'out'
  written = export.export(exports.ask(
      checkpoint_path=str(trained), output_dir=out, verify=True,
      dataset_dir=digits, tflite=True, int8=True, calibration_examples=30,
      fold_batch_norm=True, moving_average_decay=0.9))
  assert [os.path.basename(path) for path in written] == [
      'frozen_inference_graph.pb', 'saved_model', 'model.tflite',
      'model_int8.tflite', 'labels.txt', 'model.json']
  lines = capsys.readouterr().out.splitlines()
  found = [line.split(':')[0] for line in lines
           if line.startswith('Verified ')]
  assert found == ['Verified folded', 'Verified saved_model_folded',
                   'Verified tflite', 'Verified int8']
  size = {path: os.path.getsize(path) for path in written}
  assert size[written[3]] < 0.4 * size[written[2]]
  assert json.loads((out / 'model.json').read_text())['averaged_weights']


def test_an_auxiliary_head_needs_no_fixed_size(tmp_path):
  file = tmp_path / 'graph.pb'
  export.export(exports.ask(
      model_name='inception_v4', output_file=file,
      free_image_size=True))
  nodes = {node.name: node for node in _load(file).node}
  dims = nodes['input'].attr['shape'].shape.dim
  assert [dim.size for dim in dims] == [-1, -1, -1, 3]
  assert {'InceptionV4/Logits/Predictions', 'logits'} <= set(nodes)
  assert not any(name.startswith('InceptionV4/AuxLogits') for name in nodes)


def test_images_of_any_size(tmp_path):
  with tf.Graph().as_default(), tf.Session() as session:
    nets_factory.get_network_fn('mobilenet_v1_025', 10)(
        tf.placeholder(tf.float32, [None, 64, 64, 3]))
    session.run(tf.global_variables_initializer())
    checkpoint = tf.train.Saver().save(session, str(tmp_path / 'model.ckpt'))
  out = tmp_path / 'out'
  export.export(exports.ask(
      checkpoint_path=checkpoint, model_name='mobilenet_v1_025',
      free_image_size=True, output_dir=out))
  frozen = _load(out / 'frozen_inference_graph.pb')
  for shape in ([1, 64, 64, 3], [2, 96, 70, 3]):
    assert _run(frozen, np.zeros(shape), 'predictions').shape == (shape[0], 10)
  record = json.loads((out / 'model.json').read_text())
  assert record['input_shape'] == [None, None, None, 3]


def test_a_network_for_video(tmp_path, monkeypatch):
  """A small network replaces one of the registry."""
  def averaged(images, num_classes, is_training=False):
    del is_training
    features = tf.reduce_mean(images, [1, 2, 3])
    return slim.fully_connected(
        features, num_classes, activation_fn=None, scope='head'), {}
  averaged.default_image_size = 8
  monkeypatch.setitem(nets_factory.networks_map._values, 'i3d', averaged)
  with tf.Graph().as_default(), tf.Session() as session:
    averaged(tf.placeholder(tf.float32, [None, 4, 8, 8, 3]), 10)
    for variable in tf.global_variables():
      tf.add_to_collection(tf.GraphKeys.MODEL_VARIABLES, variable)
    session.run(tf.global_variables_initializer())
    checkpoint = tf.train.Saver().save(session, str(tmp_path / 'model.ckpt'))
  out = tmp_path / 'out'
  with monkeypatch.context() as patch:
    patch.setattr(slim, 'get_model_variables', tf.global_variables)
    export.export(exports.ask(
        checkpoint_path=checkpoint, model_name='i3d',
        is_video_model=True, num_frames=4, verify=True, output_dir=out))
  frozen = _load(out / 'frozen_inference_graph.pb')
  assert _run(frozen, np.ones([2, 4, 8, 8, 3]), 'logits').shape == (2, 10)
  record = json.loads((out / 'model.json').read_text())
  assert record['input_shape'] == [None, 4, 8, 8, 3]
  assert record['preprocessing'] is None
