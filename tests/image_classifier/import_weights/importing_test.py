"""Imports of whole networks, and what the programs do with them."""
import json
import os
import pickle

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier import options
from image_classifier.export import export
from image_classifier.import_weights import importing
from image_classifier.import_weights import layers
from image_classifier.import_weights import name_rules
from image_classifier.import_weights import safetensors_files
from image_classifier.train import loop
from nets import nets_factory
from nets import variants
from scripts import import_weights
from slim_common import flags
from tests.image_classifier import training_runs as runs
from tests.image_classifier.import_weights import files


def _write(source, path, tensors):
  if source == 'keras':
    files.write_h5(path, tensors)
  elif source == 'torchvision':
    files.write_pth(path, tensors)
  else:
    safetensors_files.write(str(path), tensors, {})
  return str(path)


@pytest.fixture(name='keras', scope='module')
def _keras(tmp_path_factory):
  """(tensors, file) of MobileNet V1 0.25 as Keras has it."""
  tensors = files.tensors_of('keras', 'mobilenet_v1_025')
  path = tmp_path_factory.mktemp('keras') / 'weights'
  return tensors, _write('keras', path, tensors)


@pytest.mark.parametrize(
    'source, network, variant, preprocessing, scope, name', [
    ('torchvision', 'mobilenet_v2', 'torch_mobilenet', 'torchvision',
     'MobilenetV2/expanded_conv_3/expand', 'features.4.conv.0.0.weight'),
    ('timm', 'mobilenet_v3_small_minimalistic', 'exact_hard_sigmoid',
     'inception',
     'MobilenetV3/expanded_conv_3/expand', 'blocks.2.0.conv_pw.weight')])
@pytest.mark.slow
def test_files_of_torch(source, network, variant, preprocessing, scope, name,
                        tmp_path, capsys):
  tensors = files.tensors_of(source, network)
  path = _write(source, tmp_path / 'weights', tensors)
  output = tmp_path / 'out'
  import_weights.main(flags.parse(
      [path, '--model_name=' + network, '--output=%s' % output],
      import_weights.Import)[0])
  assert 'filled from a file of %s.' % source in capsys.readouterr().out
  values = _saved(output)
  np.testing.assert_array_equal(
      values[scope + '/weights'], tensors[name].transpose(2, 3, 1, 0))
  record = json.loads((output / 'run.json').read_text())
  assert record['flags']['network_variant'] == variant
  assert record['flags']['preprocessing_name'] == preprocessing
  assert (record['num_classes'], record['labels_offset']) == (1000, 1)
  assert ('differences' in record['imported']) == (variant != 'slim')
  _check_export(output, tmp_path / 'export')


def _saved(directory):
  reader = tf.train.NewCheckpointReader(str(directory / 'model.ckpt'))
  return {name: reader.get_tensor(name)
          for name in reader.get_variable_to_shape_map()}


def _check_export(checkpoint, directory):
  export.export(options.Export(
      checkpoint_path=str(checkpoint), output_dir=str(directory),
      num_classes=1000))
  assert sorted(os.listdir(str(directory)))[:2] == [
      'frozen_inference_graph.pb', 'labels.txt']


@pytest.mark.slow
def test_a_file_of_keras_is_fine_tuned_and_exported(
    keras, digits, tmp_path, capsys):
  tensors, path = keras
  imported = importing.run(path, 'mobilenet_v1_025', str(tmp_path / 'in'))
  assert (imported.source, imported.variant) == ('keras', 'slim')
  assert not imported.initialized and not imported.unused
  values = _saved(tmp_path / 'in')
  np.testing.assert_array_equal(
      values['MobilenetV1/Conv2d_2_depthwise/depthwise_weights'],
      tensors['conv_dw_2/depthwise_kernel'])
  loop.train(runs.train(
      digits, tmp_path / 'run', steps=1,
      model=dict(model_name='inception_v3', train_image_size=32),
      warm_start=dict(checkpoint_path=str(tmp_path / 'in'),
                      adapt_first_convolution=True)))
  out = capsys.readouterr().out
  assert 'From run.json of the checkpoint: --model_name=mobilenet_v1_025' in out
  assert "The checkpoint's head has 1000 classes, the dataset 10" in out
  _check_export(tmp_path / 'in', tmp_path / 'export')


def _without(name):
  def change(tensors):
    del tensors[name]
  return change


def _narrower(tensors):
  tensors['conv_pw_3/kernel'] = tensors['conv_pw_3/kernel'][..., :5]


@pytest.mark.parametrize('change, message', [
    (_without('conv_dw_4/depthwise_kernel'),
     'has no tensor conv_dw_4/kernel, for the layer MobilenetV1/Conv2d_4_'
     'depthwise of the network: is it a file of another network'),
    (_without('conv_pw_2_bn/moving_mean'), 'has no tensor conv_pw_2_bn/moving'),
    (_without('conv_preds/kernel'), 'or without its last layers\\?'),
    (_narrower, 'conv_pw_3 has shape \\[1, 1, 32, 5\\] there, and the variable '
     'MobilenetV1/Conv2d_3_pointwise/weights \\[1, 1, 32, 32\\] here')])
def test_what_does_not_fit(keras, change, message, tmp_path):
  tensors = dict(keras[0])
  change(tensors)
  path = _write('keras', tmp_path / 'weights', tensors)
  with pytest.raises(ValueError, match=message):
    importing.run(path, 'mobilenet_v1_025', str(tmp_path / 'out'))
  assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('network, source, message', [
    ('mobilenet_v1', None, 'conv_preds|has shape'),
    ('lenet', None, '--model_name=lenet: keras or keras_2018 has no such network'),
    ('mobilenet_v1_025', 'timm', '--source=timm: the file .* is one of keras or keras_2018')])
def test_another_network(keras, network, source, message, tmp_path):
  with pytest.raises(ValueError, match=message):
    importing.run(keras[1], network, str(tmp_path / 'out'), source)
  assert not (tmp_path / 'out').exists()


def test_an_import_is_not_overwritten(keras, tmp_path):
  (tmp_path / 'model.ckpt.index').write_text('')
  with pytest.raises(ValueError, match='holds model.ckpt already: remove it'):
    importing.run(keras[1], 'mobilenet_v1_025', str(tmp_path))


@pytest.mark.parametrize('depthwise', [False, True])
@pytest.mark.parametrize('has_gamma', [False, True])
def test_folding_changes_no_result(has_gamma, depthwise):
  random = np.random.RandomState(0)
  kernel = random.normal(size=[1, 1, 3, 1] if depthwise else [1, 1, 3, 4])
  width = 3 if depthwise else 4
  bias, gamma, beta, mean = random.normal(size=[4, width])
  conv = layers.Conv(kernel, bias)
  norm = layers.Norm(gamma, beta, mean, random.uniform(0.5, 1, [width]), 1e-5)

  def apply(conv, norm):
    x = np.array([1.0, 2.0, 3.0])
    y = (x * conv.kernel[0, 0, :, 0] if depthwise else x.dot(conv.kernel[0, 0]))
    y = y + (0 if conv.bias is None else conv.bias)
    return (1 if norm.gamma is None else norm.gamma) * (y - norm.mean) / (
        np.sqrt(norm.variance + norm.epsilon)) + norm.beta

  folded = layers.fold(conv, norm, 1e-3, has_gamma, depthwise)
  assert folded[0].bias is None and (folded[1].gamma is None) != has_gamma
  np.testing.assert_allclose(apply(*folded), apply(conv, norm), rtol=1e-12)


@pytest.mark.parametrize('of, name, axes', [
    (layers.of_torch, 'fc.weight', (3, 2, 0, 1)),
    (layers.of_keras, 'fc/kernel', (0, 1, 2, 3))])
def test_fully_connected_layers_on_a_map(of, name, axes):
  """PyTorch flattens channels, rows, columns; Keras rows, columns, channels."""
  kernel = np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
  there = kernel.transpose(axes)
  there = there.reshape(5, -1) if name == 'fc.weight' else there.reshape(-1, 5)
  conv = of({name: there}, 1e-3)[0]('fc')
  np.testing.assert_array_equal(conv.kernel_for([2, 3, 4, 5]), kernel)
  assert conv.kernel_for([2, 3, 4, 6]).shape == (24, 5)


def test_rules():
  rules = [name_rules.Rule(r'a/(\d+)/Branch_1/\w+', 'x{1-}.y{1+}.{i}', index=2),
           name_rules.Rule('.*', 'z{n}', 'zn')]
  assert name_rules.find('a/3/Branch_1/c', rules, 2) == ('x2.y4.2', None)
  assert name_rules.find('a/3/Branch_1/c', rules, 1, 5) == ('z5', 'zn')
  assert name_rules.positions(['a/Branch_0/x', 'a/Branch_0/y', 'b']) == {
      'a/Branch_0/x': 0, 'a/Branch_0/y': 1}


@pytest.mark.parametrize('source', importing.SOURCES)
def test_tables_fit_the_library(source):
  module = importing.module_of(source)
  for network, row in module.ROWS.items():
    function = nets_factory.get_network_fn(network, 10)
    assert callable(variants.apply(network, function, row.variant))


def test_a_variant_of_another_network():
  with pytest.raises(ValueError, match='--network_variant=torch_resnet is not '
                     'one of vgg_16: slim.'):
    variants.apply('vgg_16', nets_factory.get_network_fn('vgg_16', 10),
                   'torch_resnet')


@pytest.mark.slow
def test_weights_go_out_as_they_came_in(keras, tmp_path):
  tensors, path = keras
  importing.run(path, 'mobilenet_v1_025', str(tmp_path / 'in'))
  export.export(options.Export(
      checkpoint_path=str(tmp_path / 'in'), output_dir=str(tmp_path / 'out'),
      num_classes=1000, keras=True, safetensors=True))
  out = files.read(tmp_path / 'out' / 'keras_weights.h5')
  assert sorted(out) == sorted(tensors)
  for name, value in tensors.items():
    np.testing.assert_array_equal(out[name], value)
  flat = files.read(tmp_path / 'out' / 'model.safetensors')
  np.testing.assert_array_equal(
      flat['MobilenetV1.Conv2d_0.weights'], tensors['conv1/kernel'])
  model = json.loads((tmp_path / 'out' / 'model.json').read_text())
  assert {'keras_weights.h5', 'model.safetensors'} <= set(model['files'])


def test_what_keras_does_not_have(keras, tmp_path):
  del keras
  with pytest.raises(ValueError, match='--keras: Keras applications do not '
                     'have lenet. They have vgg_16, '):
    export.export(options.Export(
        model_name='lenet', checkpoint_path=str(_random_lenet(tmp_path)),
        output_dir=str(tmp_path / 'out'), num_classes=10, keras=True))
  assert not (tmp_path / 'out').exists()


def _random_lenet(directory):
  with tf.Graph().as_default(), tf.Session() as session:
    nets_factory.get_network_fn('lenet', 10)(tf.zeros([1, 28, 28, 3]))
    session.run(tf.global_variables_initializer())
    return tf.train.Saver().save(session, str(directory / 'lenet.ckpt'))


@pytest.fixture(name='exported', scope='module')
def _exported(tmp_path_factory):
  """The directory of an export of LeNet, and its variables."""
  directory = tmp_path_factory.mktemp('lenet')
  checkpoint = _random_lenet(directory)
  export.export(options.Export(
      model_name='lenet', checkpoint_path=checkpoint, num_classes=10,
      output_dir=str(directory / 'export')))
  reader = tf.train.NewCheckpointReader(checkpoint)
  return directory / 'export', {
      name: reader.get_tensor(name)
      for name in reader.get_variable_to_shape_map()}


@pytest.mark.parametrize('form', ['frozen_inference_graph.pb', 'saved_model'])
def test_graphs_with_the_names_of_slim(exported, form, tmp_path):
  directory, values = exported
  imported = importing.run(str(directory / form), 'lenet', str(tmp_path / 'x'))
  assert imported.source == importing.SLIM and not imported.initialized
  for name, value in _saved(tmp_path / 'x').items():
    np.testing.assert_array_equal(value, values[name])


def _hub_module(directory):
  """Writes one of LeNet whose conv1 has averages of 3 for its biases."""
  with tf.Graph().as_default(), tf.Session() as session:
    with tf.variable_scope('module'):
      nets_factory.get_network_fn('lenet', 10)(tf.zeros([1, 28, 28, 3]))
    tf.get_variable('module/LeNet/conv1/biases/ExponentialMovingAverage',
                    initializer=np.float32([3] * 32))
    session.run(tf.global_variables_initializer())
    (directory / 'variables').mkdir(parents=True)
    tf.train.Saver().save(session, str(directory / 'variables' / 'variables'))
  (directory / 'saved_model.pb').write_bytes(b'')


def test_a_hub_module(tmp_path):
  """Its variables have a prefix; averages replace weights."""
  _hub_module(tmp_path / 'hub')
  importing.run(str(tmp_path / 'hub'), 'lenet', str(tmp_path / 'x'))
  assert (_saved(tmp_path / 'x')['LeNet/conv1/biases'] == 3).all()


@pytest.mark.parametrize('ending', ['index', 'data-00000-of-00001'])
def test_truncated_hub_modules(ending, tmp_path):
  _hub_module(tmp_path / 'hub')
  path = tmp_path / 'hub' / 'variables' / ('variables.' + ending)
  path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
  with pytest.raises(ValueError, match='hub is refused: '):
    importing.run(str(tmp_path / 'hub'), 'lenet', str(tmp_path / 'x'))
  assert not (tmp_path / 'x').exists()


def test_hub_modules_of_another_network(tmp_path):
  _hub_module(tmp_path / 'hub')
  with pytest.raises(ValueError, match='has no tensor CifarNet/conv1/weights'):
    importing.run(str(tmp_path / 'hub'), 'cifarnet', str(tmp_path / 'x'))
  assert not (tmp_path / 'x').exists()


@pytest.mark.parametrize('content', [
    pickle.dumps({'a': os.mkdir}, 2), b'<html>Not found</html>', b''])
def test_other_files_in_the_place_of_a_saved_model(content, tmp_path):
  (tmp_path / 'model').mkdir()
  (tmp_path / 'model' / 'saved_model.pb').write_bytes(content)
  with pytest.raises(ValueError, match='model is refused: it is no complete'):
    importing.run(str(tmp_path / 'model'), 'lenet', str(tmp_path / 'x'))
  assert not (tmp_path / 'x').exists()


def test_graphs_that_do_not_fit(exported, tmp_path):
  path = exported[0] / 'frozen_inference_graph.pb'
  with pytest.raises(ValueError, match='has no tensor CifarNet/conv1/weights: '
                     'is it a file of another network'):
    importing.run(str(path), 'cifarnet', str(tmp_path / 'x'))
  damaged = tmp_path / 'damaged.pb'
  damaged.write_bytes(path.read_bytes()[:1000])
  with pytest.raises(ValueError, match='damaged.pb is refused: it is no compl'):
    importing.run(str(damaged), 'lenet', str(tmp_path / 'x'))
  assert not (tmp_path / 'x').exists()
