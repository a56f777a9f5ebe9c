"""Every source: what is refused, and what the programs do with the rest."""
import functools
import os
import pickle

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from image_classifier import options
from image_classifier.export import export
from image_classifier.export import other_frameworks
from image_classifier.import_weights import importing
from image_classifier.import_weights import name_rules
from image_classifier.import_weights import network as networks
from image_classifier.import_weights import safetensors_files
from image_classifier.import_weights.tables import nasnet_names
from image_classifier.train import loop
from nets import nets_factory
from nets.nasnet import nasnet
from scripts import import_weights
from slim_common import flags
from tests.image_classifier import training_runs as runs
from tests.image_classifier.import_weights import files
from tests.import_weights import compare

# Each takes half a minute.
_long = pytest.mark.skipif(
    os.environ.get('TEST_IMPORT') != 'all', reason='for make test-import')
# Source to (its smallest network, another, its file, a tensor and the variable
# that is filled from it).
_SOURCES = {
    'torchvision': (
        'mobilenet_v2', 'inception_v3', 'weights.pth',
        'features.4.conv.0.0.weight', 'MobilenetV2/expanded_conv_3/expand'),
    'timm': (
        'mobilenet_v3_small_minimalistic', 'vgg_16', 'weights.safetensors',
        'blocks.2.0.conv_pw.weight', 'MobilenetV3/expanded_conv_3/expand'),
    'keras': (
        'mobilenet_v1_025', 'mobilenet_v2', 'weights.h5',
        'conv_pw_3/kernel', 'MobilenetV1/Conv2d_3_pointwise'),
    'keras_2018': (
        'mobilenet_v2_035', 'mobilenet_v1', 'weights.h5',
        'block_3_expand/kernel', 'MobilenetV2/expanded_conv_3/expand'),
    'tflite': (
        'mobilenet_v1_025', 'mobilenet_v2_035', 'weights.tflite',
        'layer_6/kernel', 'MobilenetV1/Conv2d_3_pointwise')}


@pytest.fixture(name='once', autouse=True, scope='module')
def _once():
  """Builds each network once, as refused files leave it as it is."""
  describe = networks.describe
  networks.describe = functools.lru_cache(maxsize=None)(describe)
  yield
  networks.describe = describe


@functools.lru_cache(maxsize=None)
def _tensors(source):
  return files.tensors_of(source, _SOURCES[source][0])


def _write(source, directory, tensors):
  path = directory / _SOURCES[source][2]
  if path.suffix == '.h5':
    files.write_h5(path, tensors)
  elif path.suffix == '.pth':
    files.write_pth(path, tensors)
  elif path.suffix == '.tflite':
    files.write_tflite(path, tensors)
  else:
    safetensors_files.write(str(path), tensors, {})
  return path


def _missing(source, path):
  name = _SOURCES[source][3]
  tensors = {key: value for key, value in _tensors(source).items()
             if key != name}
  _write(source, path, tensors)
  # Without names, the next layer takes the place.
  return 'layer_6.* has shape' if source == 'tflite' else (
      'has no tensor %s, for the layer %s' % (
          name, _SOURCES[source][4]))


def _of_another_width(source, path):
  name = _SOURCES[source][3]
  tensors = dict(_tensors(source))
  axis = 0 if name.endswith('.weight') else -1
  tensors[name] = np.take(tensors[name], range(5), axis)
  _write(source, path, tensors)
  return '%s has shape .*, and the variable %s/weights .* here' % (
      name.rsplit('/' if '/' in name else '.weight', 1)[0], _SOURCES[source][4])


def _truncated(source, path):
  file = _write(source, path, _tensors(source))
  file.write_bytes(file.read_bytes()[:file.stat().st_size // 2])
  return 'is no complete|is refused|is no file of weights'


def _of_another_network(source, path):
  _write(source, path, _tensors(source))
  return 'has no tensor .*, for the layer|has shape|as another source'


class _Evil:

  def __reduce__(self):
    return os.mkdir, ('pwned',)


def _code(source, path):
  (path / _SOURCES[source][2]).write_bytes(pickle.dumps({'a': _Evil()}, 2))
  return 'is refused: it names (posix|nt).mkdir|is no file of weights'


@pytest.mark.parametrize('source', _SOURCES)
@pytest.mark.parametrize('fault', [
    _missing, _of_another_width, _truncated, _of_another_network, _code])
def test_what_is_refused(source, fault, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  message = fault(source, tmp_path)
  network, another, file, _, _ = _SOURCES[source]
  with pytest.raises(ValueError, match=message):
    importing.run(
        file, another if fault is _of_another_network else network, 'out')
  assert os.listdir(str(tmp_path)) == [file]


@pytest.mark.parametrize('source', _SOURCES)
def test_what_is_imported(source, tmp_path):
  network, _, _, name, layer = _SOURCES[source]
  imported = importing.run(
      str(_write(source, tmp_path, _tensors(source))), network,
      str(tmp_path / 'in'))
  assert (imported.source, imported.unused, imported.initialized) == (
      source, [], [])
  value = _tensors(source)[name]
  np.testing.assert_array_equal(
      tf.train.NewCheckpointReader(imported.checkpoint).get_tensor(
          layer + '/weights'),
      value.transpose(2, 3, 1, 0) if name.endswith('.weight') else value)


def _graph_of_constants(values):
  """Returns the bytes of a frozen graph with these weights."""
  graph_def = tf.GraphDef()
  for name, value in values.items():
    node = graph_def.node.add(name=name, op='Const')
    node.attr['dtype'].type = tf.float32.as_datatype_enum
    node.attr['value'].tensor.CopyFrom(tf.make_tensor_proto(value))
  return graph_def.SerializeToString()


def _weights_of_lenet():
  network = networks.describe('lenet', 10, 'slim')
  return {'%s%s/%s' % (network.root, layer.scope, last): np.zeros(
      shape, np.float32) for layer in network.layers
          for last, shape in layer.conv.items()}


@pytest.mark.parametrize('fault, message', [
    (lambda values: values.pop('LeNet/conv2/weights'),
     'has no tensor LeNet/conv2/weights'),
    (lambda values: values.update({'LeNet/conv2/weights': np.zeros([5, 5, 32, 7], 'f')}),
     r'LeNet/conv2/weights has shape \[5, 5, 32, 7\] there and \[5, 5, 32, 64\]')])
def test_graphs_that_are_refused(fault, message, tmp_path):
  values = _weights_of_lenet()
  fault(values)
  path = tmp_path / 'x.pb'
  path.write_bytes(_graph_of_constants(values))
  with pytest.raises(ValueError, match=message):
    importing.run(str(path), 'lenet', str(tmp_path / 'out'))
  assert not (tmp_path / 'out').exists()


def test_code_in_the_place_of_a_graph(tmp_path):
  path = tmp_path / 'x.pb'
  path.write_bytes(pickle.dumps({'a': _Evil()}, 2))
  with pytest.raises(ValueError, match='x.pb is refused'):
    importing.run(str(path), 'lenet', str(tmp_path / 'out'))
  assert os.listdir(str(tmp_path)) == ['x.pb']


def test_quantized_weights_are_refused(tmp_path):
  path = tmp_path / 'x.tflite'
  tensors = {'layer_0/kernel': np.zeros([1, 1, 3, 2], np.uint8),
             'layer_0/bias': np.zeros([2], np.float32)}
  files.write_tflite(path, tensors, {'layer_0/kernel': 3})
  with pytest.raises(ValueError, match='x.tflite is refused: the tensor layer_0'
                     '/kernel is quantized: give the file in floating point'):
    files.read(path)


def test_halves_are_read(tmp_path):
  """Weights in float16 come through an operation that makes them float32."""
  path = tmp_path / 'x.tflite'
  tensors = {'layer_0/kernel': np.ones([1, 1, 3, 2], np.float16)}
  files.write_tflite(path, tensors, {'layer_0/kernel': 1})
  np.testing.assert_array_equal(
      files.read(path)['layer_0/kernel'], tensors['layer_0/kernel'])


def test_more_layers_than_the_network_has(tmp_path):
  """A chain that begins like the network, and whose last layer fits."""
  tensors = dict(_tensors('tflite'))
  tensors['layer_28/kernel'] = tensors['layer_27/kernel']
  tensors['layer_28/bias'] = tensors['layer_27/bias']
  path = _write('tflite', tmp_path, tensors)
  with pytest.raises(ValueError, match='has layer_28/activation, for which '
                     'mobilenet_v1_025 has no layer: is it a file of anoth'):
    importing.run(str(path), 'mobilenet_v1_025', str(tmp_path / 'out'))
  assert not (tmp_path / 'out').exists()


def test_weights_with_folded_batch_normalization(tmp_path, capsys):
  """The network computes what the layers of the file do."""
  tensors = _tensors('tflite')
  path = _write('tflite', tmp_path, tensors)
  import_weights.main(flags.parse(
      [str(path), '--model_name=mobilenet_v1_025',
       '--output=%s' % (tmp_path / 'out')], import_weights.Import)[0])
  assert 'is folded into the weights' in capsys.readouterr().out
  reader = tf.train.NewCheckpointReader(str(tmp_path / 'out' / 'model.ckpt'))
  scope = 'MobilenetV1/Conv2d_0/'
  np.testing.assert_array_equal(
      reader.get_tensor(scope + 'weights'), tensors['layer_0/kernel'])
  mean, variance, beta, gamma = (
      reader.get_tensor(scope + 'BatchNorm/' + name) for name in (
          'moving_mean', 'moving_variance', 'beta', 'gamma'))
  np.testing.assert_allclose(
      beta - gamma * mean / np.sqrt(variance + 1e-3), tensors['layer_0/bias'],
      rtol=1e-5)


@_long
@pytest.mark.parametrize('source', _SOURCES)
def test_fine_tuning_and_export(source, digits, tmp_path):
  path = _write(source, tmp_path, _tensors(source))
  networks.describe.cache_clear()  # An import gives the graph weights.
  importing.run(str(path), _SOURCES[source][0], str(tmp_path / 'in'))
  _fine_tune_and_export(digits, tmp_path, _SOURCES[source][0])


@_long
def test_fine_tuning_and_export_of_a_graph(digits, tmp_path):
  _export_random('mobilenet_v1_025', tmp_path, tmp_path / 'graph')
  importing.run(str(tmp_path / 'graph' / 'frozen_inference_graph.pb'),
                'mobilenet_v1_025', str(tmp_path / 'in'))
  _fine_tune_and_export(digits, tmp_path, 'mobilenet_v1_025')


def _fine_tune_and_export(digits, directory, network):
  loop.train(runs.train(
      digits, directory / 'run', steps=1,
      model=dict(model_name=network, train_image_size=32),
      warm_start=dict(checkpoint_path=str(directory / 'in'),
                      adapt_first_convolution=True)))
  export.export(options.Export(
      checkpoint_path=str(directory / 'run'),
      output_dir=str(directory / 'export')))
  assert (directory / 'export' / 'frozen_inference_graph.pb').exists()


def _export_random(network, directory, output, **more):
  """Exports a network of random weights; returns its checkpoint."""
  with tf.Graph().as_default(), tf.Session() as session:
    tf.set_random_seed(1)
    nets_factory.get_network_fn(network, 10)(tf.zeros([1, 64, 64, 3]))
    session.run(tf.global_variables_initializer())
    checkpoint = tf.train.Saver().save(session, str(directory / 'random.ckpt'))
  export.export(options.Export(
      model_name=network, checkpoint_path=checkpoint, num_classes=10,
      output_dir=str(output), **more))
  return checkpoint


@pytest.mark.slow
def test_what_we_export_as_tflite_comes_back(tmp_path):
  checkpoint = _export_random(
      'mobilenet_v1_025', tmp_path, tmp_path / 'out', tflite=True)
  networks.describe.cache_clear()
  imported = importing.run(
      str(tmp_path / 'out' / 'model.tflite'), 'mobilenet_v1_025',
      str(tmp_path / 'in'))
  assert imported.source == 'tflite'
  images = np.random.RandomState(0).uniform(-1, 1, [2, 224, 224, 3])
  logits = []
  for path in checkpoint, imported.checkpoint:
    with imported.network.graph.as_default(), tf.Session() as session:
      tf.train.Saver().restore(session, path)
      logits.append(session.run(
          imported.network.logits, {imported.network.images: images}))
  np.testing.assert_allclose(logits[1], logits[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('network, variant, message', [
    ('lenet', 'slim', 'Keras applications do not have lenet. They have vgg_16'),
    ('resnet_v1_50', 'slim', 'resnet_v1_50 was trained as --network_variant=slim'
     ', and Keras applications compute as keras_resnet_v1; the difference: str'),
    ('inception_v3', 'torch_inception', 'as --network_variant=torch_inception, '
     'and Keras applications compute as slim; the difference: average pooling')
])
def test_what_keras_does_not_compute(network, variant, message):
  with pytest.raises(ValueError, match=message):
    other_frameworks.check_keras(network, variant)


def test_a_layer_that_keras_does_not_have(tmp_path):
  with tf.Graph().as_default(), tf.Session() as session:
    with tf.variable_scope('resnet_v1_50'):
      slim.conv2d(tf.zeros([1, 4, 4, 3]), 5, 3, scope='another_task')
    session.run(tf.global_variables_initializer())
    with pytest.raises(ValueError, match='--keras: the network of Keras appli'
                       'cations has no layer for resnet_v1_50/another_task'):
      other_frameworks.write_keras(
          str(tmp_path / 'x.h5'), session, 'resnet_v1_50')


def test_keras_gets_its_names_biases_and_epsilon(tmp_path):
  """With a part of a ResNet in the place of the network."""
  with tf.Graph().as_default(), tf.Session() as session:
    with tf.variable_scope('resnet_v1_50'):
      slim.conv2d(
          tf.zeros([1, 4, 4, 3]), 5, 3, scope='conv1',
          normalizer_fn=slim.batch_norm, normalizer_params=dict(
              is_training=False, scale=True, epsilon=2e-3))
    session.run(tf.global_variables_initializer())
    other_frameworks.write_keras(
        str(tmp_path / 'x.h5'), session, 'resnet_v1_50')
    kernel = session.run('resnet_v1_50/conv1/weights:0')
  read = files.read(tmp_path / 'x.h5')
  assert sorted(read) == [
      'conv1_bn/beta', 'conv1_bn/gamma', 'conv1_bn/moving_mean',
      'conv1_bn/moving_variance', 'conv1_conv/bias', 'conv1_conv/kernel']
  np.testing.assert_array_equal(read['conv1_conv/kernel'], kernel[:, :, ::-1])
  assert not read['conv1_conv/bias'].any()
  np.testing.assert_allclose(
      read['conv1_bn/moving_variance'], 1 + 2e-3 - 1.001e-5, rtol=1e-6)


def _layers_of_a_small_nasnet():
  with tf.Graph().as_default():
    with slim.arg_scope(nasnet.nasnet_mobile_arg_scope()):
      nasnet.build_nasnet_mobile(
          tf.zeros([1, 64, 64, 3]), 10, is_training=False,
          config=nasnet.mobile_imagenet_config(
              num_cells=3, num_conv_filters=12))
    shapes = {v.op.name: v.shape.as_list() for v in tf.global_variables()}
  return networks.layers_of(shapes, networks.root_of(shapes))


def test_names_of_nasnet():
  """Each layer has its own; separable ones are two, of one name in Keras."""
  layers = _layers_of_a_small_nasnet()
  for rules, names in (
      (nasnet_names.of_timm('conv0', ''), {
          'cell_1/comb_iter_0/left/separable_5x5_2/pointwise':
          'cell_1.comb_iter_0_left.separable_2.pointwise_conv2d',
          'reduction_cell_0/1x1': 'reduction_cell_0.conv_1x1.conv'}),
      (nasnet_names.of_keras(1), {
          'cell_2/comb_iter_4/left/separable_3x3_1':
          'separable_conv_1_normal_left5_3',
          'reduction_cell_1/comb_iter_4/left/separable_3x3_1':
          'separable_conv_1_reduction_left4_reduce_2',
          'cell_stem_1/path2_conv': 'adjust_conv_2_stem_2'})):
    found = {layer.title: each
             for layer, each in name_rules.of_layers(layers, rules)}
    assert None not in found.values()
    for title, name in names.items():
      assert found[title].conv == name
    parts = [(each.conv or each.norm, title.endswith('/pointwise'))
             for title, each in found.items()]
    assert len(set(parts)) == len(parts) == len(layers)


def test_the_table_of_what_was_compared():
  """nets/README.md has the table that the program prints."""
  path = os.path.join(os.path.dirname(nets_factory.__file__), 'README.md')
  with open(path, encoding='utf-8') as file:
    assert compare.table() in file.read()
