"""The public functions of slim's modules keep their signatures.

signatures.json holds those of every public function and class of the modules
whose import paths slim's users rely on. New ones may appear; none may go or
change. `python -m tests.golden.signatures_test` writes the file anew: do so
only where a signature is meant to change.
"""
import importlib
import inspect
import json
import pathlib

import pytest

_PATH = pathlib.Path(__file__).with_name('signatures.json')
_MODULES = (
    'datasets.build_imagenet_data', 'datasets.cifar10',
    'datasets.dataset_factory', 'datasets.dataset_utils',
    'datasets.download_and_convert_cifar10',
    'datasets.download_and_convert_flowers',
    'datasets.download_and_convert_mnist',
    'datasets.download_and_convert_visualwakewords',
    'datasets.download_and_convert_visualwakewords_lib', 'datasets.flowers',
    'datasets.imagenet', 'datasets.mnist',
    'datasets.preprocess_imagenet_validation_data',
    'datasets.process_bounding_boxes', 'datasets.visualwakewords',
    'deployment.model_deploy', 'nets.alexnet', 'nets.cifarnet',
    'nets.cyclegan', 'nets.dcgan', 'nets.i3d', 'nets.i3d_utils',
    'nets.inception', 'nets.inception_resnet_v2', 'nets.inception_utils',
    'nets.inception_v1', 'nets.inception_v2', 'nets.inception_v3',
    'nets.inception_v4', 'nets.lenet', 'nets.mobilenet.conv_blocks',
    'nets.mobilenet.mobilenet', 'nets.mobilenet.mobilenet_v2',
    'nets.mobilenet.mobilenet_v3', 'nets.mobilenet_v1', 'nets.nasnet.nasnet',
    'nets.nasnet.nasnet_utils', 'nets.nasnet.pnasnet', 'nets.nets_factory',
    'nets.overfeat', 'nets.pix2pix', 'nets.resnet_utils', 'nets.resnet_v1',
    'nets.resnet_v2', 'nets.s3dg', 'nets.vgg',
    'preprocessing.cifarnet_preprocessing',
    'preprocessing.inception_preprocessing',
    'preprocessing.lenet_preprocessing',
    'preprocessing.preprocessing_factory',
    'preprocessing.vgg_preprocessing')

# What these modules hold besides slim's names, and may change.
_OWN = frozenset("""
    Augmentation BoxOptions BuildOptions Conv DenseScopes Mixed NasNetTableCell
    Network Pool Published Row SortOptions Stem activation aux_dense_logits
    aux_scopes avg_pool batch_norm_params bottleneck_block build build_block
    blocks_of check_depth_multiplier check_input check_output_stride classify
    conv convolutional_logits defaults dense_logits depth_rounding depth_scale
    describe dropout fork fused_conv get_batch_preprocessing
    get_jpeg_preprocessing get_mixing global_step imagenet_stem
    imagenet_stem_cells keep_last_layer layout_arguments main max_pool mixed
    named network_scope open_scope preprocess_batch preprocess_jpeg_for_train
    published random_scaled_crop_box read_files repeat residual root_block
    separable_conv stack_in_network strides_and_rates takes_video
    why_not_compiled
    """.split())
# But this one is slim's.
_SLIMS = ('nets.mobilenet_v1.Conv',)


def _default(value):
  """Returns a parameter's default as text, the same on every Python."""
  if callable(value):
    return 'function ' + getattr(value, '__name__', type(value).__name__)
  if type(value).__module__ != 'builtins':
    return type(value).__name__
  return repr(value)


def _signature(function):
  """Returns the parameters of a function as a list of texts."""
  texts = []
  for parameter in inspect.signature(function).parameters.values():
    text = {parameter.VAR_POSITIONAL: '*',
            parameter.VAR_KEYWORD: '**'}.get(parameter.kind, '')
    text += parameter.name
    if parameter.default is not parameter.empty:
      text += '=' + _default(parameter.default)
    texts.append(text)
  return texts


def _members(module):
  """Returns the dict {name: parameters} of the public functions of a module."""
  found = {}
  for name, member in vars(module).items():
    # Of a functools.partial, the function in it.
    home = getattr(getattr(member, 'func', member), '__module__', None) or ''
    is_own = name in _OWN and (
        '%s.%s' % (module.__name__, name) not in _SLIMS)
    if is_own or name.startswith('_') or not callable(member) or (
        home.split('.')[0] not in ('nets', 'datasets', 'deployment',
                                   'preprocessing')):
      continue
    if not inspect.isclass(member):
      found[name] = _signature(member)
    elif not issubclass(member, Exception):
      found[name] = (list(member._fields) if hasattr(member, '_fields')
                     else _signature(member))
      found.update(
          ('%s.%s' % (name, method), _signature(function))
          for method, function in vars(member).items()
          if inspect.isfunction(function) and not method.startswith('_'))
  return found


@pytest.mark.parametrize('name', _MODULES)
def test_signatures_stay(name):
  ours = _members(importlib.import_module(name))
  golden = json.loads(_PATH.read_text())[name]
  assert {member: ours.get(member) for member in golden} == golden


def _renew():
  import tensorflow.compat.v1 as tf
  tf.disable_v2_behavior()
  modules = []
  for name in sorted(_MODULES):
    rows = ',\n'.join(
        '  %s: %s' % (json.dumps(member), json.dumps(parameters))
        for member, parameters in sorted(
            _members(importlib.import_module(name)).items()))
    modules.append('%s: {\n%s}' % (json.dumps(name), rows))
  _PATH.write_text('{\n%s\n}\n' % ',\n'.join(modules))


if __name__ == '__main__':
  _renew()
