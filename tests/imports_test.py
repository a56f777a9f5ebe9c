"""Checks the imports of all files against the table in layers.py.

Slim's names keep converters and the modules of datasets in one folder, so that
the names of the former, which begin with what _CONVERTERS says, are told apart.

A file that runs as a program (it has a block for `__main__`) may import what
the programs at the top may, wherever slim put it, and no library imports it.
"""
import ast
import functools
import importlib.util
import pathlib
import sys
import sysconfig

import pytest

from tests import layers

_ROOT = pathlib.Path(__file__).resolve().parent.parent
# Folders whose files may read the command line, and the files that parse it.
_COMMAND_LINE_FOLDERS = ('', 'tests', 'examples', 'benchmarks',
                         'benchmarks/contenders', 'scripts', 'datasets/samples')
_PARSERS = ('slim_common/flags.py', 'slim_common/flag_parser.py',
            'slim_common/logging_flags.py')
_CONVERTERS = ('download_and_convert_', 'build_')
_CONTRIB_FILE = 'image_classifier/graphs/quantization.py'
_COMMAND_LINE = {
    'sys.argv', 'argparse', 'getopt', 'optparse', 'absl.app', 'absl.flags',
    'tf.app', 'tf.flags', 'tf.compat.v1.app', 'tf.compat.v1.flags',
    'tensorflow.compat.v1.app', 'tensorflow.compat.v1.flags'}
# What changes the whole process, and the file that programs do it through.
_MODES = {'disable_v2_behavior', 'enable_v2_behavior',
          'disable_eager_execution', 'enable_eager_execution'}
_MODES_FILE = 'slim_common/runtime.py'
_SKIPPED = ('build', 'dist')


def _python_files():
  """Yields the paths of the project's Python files, relative to its root."""
  folders = [_ROOT]
  while folders:
    for path in sorted(folders.pop().iterdir()):
      if path.name.startswith('.') or path.name in _SKIPPED:
        continue
      if path.is_dir() and not (path / 'pyvenv.cfg').exists():
        folders.append(path)
      elif path.suffix == '.py':
        yield path.relative_to(_ROOT).as_posix()


def _folder_of(path):
  """Returns the longest folder of the table that holds a file."""
  return max((folder for folder in layers.TABLE
              if not folder or path.startswith(folder + '/')), key=len)


def _is_standard(module):
  """Whether a module comes with Python."""
  top = module.split('.')[0]
  if top in sys.builtin_module_names:
    return True
  spec = importlib.util.find_spec(top)
  origin = spec.origin or '' if spec else ''
  return origin == 'frozen' or (
      origin.startswith(sysconfig.get_path('stdlib')) and
      'site-packages' not in origin)


def _imports(path, tree):
  """Yields (line, module) of each import; `from a import b` imports a.b."""
  for node in ast.walk(tree):
    if isinstance(node, ast.Import):
      for alias in node.names:
        yield node.lineno, alias.name
    elif isinstance(node, ast.ImportFrom):
      package = path.split('/')[:-node.level] if node.level else []
      source = '.'.join(package + ([node.module] if node.module else []))
      for alias in node.names:
        yield node.lineno, source + '.' + alias.name


def _is_inside(module, names):
  return any(module == name or module.startswith(name + '.') for name in names)


def _dotted(node):
  """Returns a.b.c of the expression a.b.c, '' of any other."""
  if isinstance(node, ast.Name):
    return node.id
  if isinstance(node, ast.Attribute):
    return '%s.%s' % (_dotted(node.value), node.attr)
  return ''


def _lines_in_functions(tree):
  return {inner.lineno for outer in ast.walk(tree)
          if isinstance(outer, ast.FunctionDef)
          for inner in ast.walk(outer) if hasattr(inner, 'lineno')}


def _is_program(tree):
  """Whether a module has a block for `__main__` that calls something."""
  return any(
      isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and
      _dotted(node.test.left) == '__name__' and
      any(isinstance(line, ast.Expr) for line in node.body)
      for node in tree.body)


@functools.lru_cache(maxsize=None)
def _programs_of_islands():
  """Returns the names of the modules that are programs inside the islands."""
  return [path[:-3].replace('/', '.') for path in _python_files()
          if path.split('/')[0] in layers.ISLANDS and _is_program(
              ast.parse((_ROOT / path).read_text(encoding='utf-8')))]


def _is_converter(name):
  return name.startswith(_CONVERTERS)


def _mixes_converters(path, module):
  """Whether a converter imports what is read, or the other way round."""
  folder, _, name = path.rpartition('/')
  package, _, imported = module.partition('.')
  imported = imported.split('.')[0]
  if folder != 'datasets' or package != 'datasets' or not (
      _ROOT / 'datasets' / (imported + '.py')).exists():
    return False
  if _is_converter(name):
    return (_ROOT / 'datasets' / (
        'download_and_convert_%s.py' % imported)).exists()
  return _is_converter(imported)


def _import_faults(path, tree):
  """Yields (line, text) of imports that the file's folder does not allow."""
  folder = _folder_of(path)
  allowed = layers.TABLE[folder] + (
      (folder.replace('/', '.'),) if folder else ())
  is_program = folder in layers.ISLANDS and _is_program(tree)
  allowed += layers.TABLE[''] if is_program else ()
  for line, module in _imports(path, tree):
    if module.startswith('tensorflow.contrib') or _is_standard(module):
      continue
    if not _is_inside(module, allowed):
      yield line, 'imports %s; %s may import %s' % (
          module, folder or 'a program', ', '.join(allowed))
    elif _mixes_converters(path, module):
      yield line, ('imports %s; converters write and the modules of datasets '
                   'read: neither imports the other' % module)
    elif (folder.split('/')[0] in layers.PROJECT and not is_program and
          _is_inside(module, _programs_of_islands())):
      yield line, 'imports %s, which is a program' % module


def _command_line_faults(path, tree):
  """Yields (line, text) of what reads the command line in a library."""
  if _folder_of(path) in _COMMAND_LINE_FOLDERS or path in _PARSERS:
    return
  uses = list(_imports(path, tree))
  for node in ast.walk(tree):
    if isinstance(node, (ast.Name, ast.Attribute)):
      uses.append((node.lineno, _dotted(node)))
  for line, name in uses:
    if name in _COMMAND_LINE or name.split('.')[-1] == 'FLAGS':
      yield line, ('uses %s; only the programs, examples and benchmarks read '
                   'the command line, through slim_common/flags.py' % name)


def _matplotlib_faults(path, tree):
  """Yields (line, text) of imports that fail without the extra `plot`."""
  for line, module in _imports(path, tree):
    if (_is_inside(module, ('matplotlib',)) and path.split('/')[0] != 'tests'
        and line not in _lines_in_functions(tree)):
      yield line, ('imports %s, which only the extra `plot` installs; import '
                   'it inside the function that draws' % module)


def _contrib_faults(path, tree):
  """Yields (line, text) of each use of tensorflow.contrib out of its place."""
  if path.startswith('tests/'):
    return
  uses = [(line, name) for line, name in _imports(path, tree)
          if name.startswith('tensorflow.contrib')]
  for node in ast.walk(tree):
    if isinstance(node, ast.Attribute) and (
        _dotted(node) in ('tf.contrib', 'tensorflow.contrib')):
      uses.append((node.lineno, _dotted(node)))
    elif isinstance(node, ast.Call) and (
        _dotted(node.func).split('.')[-1] in ('import_module', '__import__')):
      names = [getattr(name, 's', '') for name in node.args[:1]]
      uses += [(node.lineno, name) for name in names
               if str(name).startswith('tensorflow.contrib')]
  for line, name in uses:
    if path != _CONTRIB_FILE or line not in _lines_in_functions(tree):
      yield line, ('uses %s; only a function in %s may, as TensorFlow 2 has '
                   'none' % (name, _CONTRIB_FILE))


def _mode_faults(path, tree):
  """Yields (line, text) of what turns eager execution on or off."""
  if path.split('/')[0] not in layers.PROJECT or path == _MODES_FILE:
    return
  for node in ast.walk(tree):
    name = getattr(node, 'attr', None) or getattr(node, 'name', None)
    if name in _MODES:
      yield getattr(node, 'lineno', 0), (
          'uses %s, which would change the program that imports it; only '
          'programs do, through %s' % (name, _MODES_FILE))


def _faults(path, source):
  """Returns a line of text for each rule that a file breaks."""
  tree = ast.parse(source, filename=path)
  found = {fault for check in (
      _import_faults, _command_line_faults, _matplotlib_faults,
      _contrib_faults, _mode_faults)
           for fault in check(path, tree)}
  return ['%s:%d %s' % ((path,) + fault) for fault in sorted(found)]


def test_every_import_goes_downwards():
  faults = []
  for path in _python_files():
    faults += _faults(path, (_ROOT / path).read_text(encoding='utf-8'))
  assert not faults, '\n' + '\n'.join(faults)


def test_finds_the_files():
  files = set(_python_files())
  assert {'setup.py', 'nets/nets_factory.py', 'slim_common/flags.py',
          'tests/imports_test.py'} <= files


def test_every_folder_of_the_project_is_in_the_table():
  folders = {path.rpartition('/')[0] for path in _python_files()}
  assert {folder.split('/')[0] for folder in folders} <= set(layers.TABLE)
  assert {folder for folder in folders
          if folder.startswith('image_classifier')} <= set(layers.TABLE)


@pytest.mark.parametrize('path, source', [
    ('nets/new.py', 'import os\nimport tensorflow.compat.v1 as tf'),
    ('nets/new.py', 'from nets import layer_utils'),
    ('nets/new.py', 'from slim_common import suggest'),
    ('nets/mobilenet/new.py', 'from . import conv_blocks'),
    ('nets/mobilenet/new.py', 'from .. import layer_utils'),
    ('datasets/mnist.py', 'from datasets import image_dataset'),
    ('datasets/download_and_convert_mnist.py', 'from slim_common import flags'),
    ('datasets/conversion/new.py', 'from datasets import dataset_info'),
    ('deployment/sync_batch_norm.py', 'from nets import normalization'),
    ('preprocessing/fast/new.py', 'import numba'),
    ('image_classifier/train/new.py',
     'from datasets.reading import input_pipeline'),
    ('image_classifier/train/new.py',
     'from deployment.model_deploy import deploy'),
    ('image_classifier/train/new.py',
     'from image_classifier.evaluate import evaluation'),
    ('slim_common/flags.py', 'import sys\nfrom absl import flags\nsys.argv'),
    ('image_classifier/options/data.py',
     'import dataclasses\nfrom slim_common import flags'),
    ('image_classifier/graphs/quantization.py',
     'def f():\n  from tensorflow.contrib import quantize'),
    ('train_image_classifier.py',
     'from image_classifier.train import loop'),
    ('examples/new.py', 'def f():\n  import matplotlib.pyplot'),
    ('image_classifier/runs/new.py',
     'def f():\n  from matplotlib import figure'),
    ('tests/new_test.py', 'import matplotlib, pytest, classify_image'),
    ('slim_common/runtime.py', 'tf.disable_v2_behavior()'),
    ('examples/new.py', 'tf.disable_v2_behavior()'),
    ('nets/new.py', 'from image_classifier.train import loop\n'
     'if __name__ == "__main__":\n  loop.train()'),
])
def test_allows(path, source):
  assert _faults(path, source) == []


@pytest.mark.parametrize('path, source, message', [
    ('nets/new.py', 'from datasets import mnist', 'imports datasets.mnist'),
    ('nets/new.py', 'def f():\n  import image_classifier.losses',
     'new.py:2 imports image_classifier.losses'),
    ('nets/new.py', 'import pandas', 'imports pandas; nets may import tensor'),
    ('preprocessing/new.py', 'from nets import vgg', 'imports nets.vgg'),
    ('preprocessing/new.py', 'import numba', 'imports numba'),
    ('datasets/new.py', 'from image_classifier import options',
     'imports image_classifier.options'),
    ('datasets/reading/new.py', 'from datasets.conversion import idx',
     'imports datasets.conversion.idx'),
    ('datasets/conversion/new.py', 'from datasets import mnist',
     'imports datasets.mnist'),
    ('datasets/mnist.py', 'from datasets import download_and_convert_mnist',
     'imports datasets.download_and_convert_mnist; converters write'),
    ('datasets/download_and_convert_mnist.py',
     'from datasets.mnist import get_split',
     'imports datasets.mnist.get_split; converters write'),
    ('datasets/build_imagenet_data.py', 'from . import cifar10',
     'imports datasets.cifar10'),
    ('deployment/model_deploy.py', 'from nets import vgg', 'imports nets.vgg'),
    ('image_classifier/losses/new.py',
     'from image_classifier.train import loop',
     'imports image_classifier.train.loop'),
    ('image_classifier/evaluate/new.py',
     'from image_classifier.train import loop',
     'imports image_classifier.train.loop'),
    ('image_classifier/export/new.py',
     'from image_classifier.train import loop',
     'imports image_classifier.train.loop'),
    ('image_classifier/losses/new.py', 'from deployment import model_deploy',
     'imports deployment.model_deploy'),
    ('image_classifier/train/new.py', 'from nets import lenet',
     'imports nets.lenet'),
    ('image_classifier/options/data.py', 'import numpy', 'imports numpy'),
    ('slim_common/new.py', 'from nets import vgg', 'imports nets.vgg'),
    ('eval_image_classifier.py', 'import matplotlib', 'imports matplotlib'),
    ('image_classifier/runs/new.py', 'import matplotlib.figure',
     'imports matplotlib.figure, which only the extra'),
    ('nets/new.py', 'from tests import conftest', 'imports tests.conftest'),
    ('nets/new.py', 'from absl import flags', 'uses absl.flags; only'),
    ('image_classifier/losses/new.py', 'import sys\nsys.argv',
     ':2 uses sys.argv; only'),
    ('image_classifier/losses/new.py', 'from sys import argv',
     'uses sys.argv; only'),
    ('datasets/new.py', 'import tensorflow.compat.v1 as tf\ntf.app.run()',
     'uses tf.app; only'),
    ('datasets/new.py', 'from x import y\ny.FLAGS.batch', 'uses y.FLAGS'),
    ('nets/new.py', 'import argparse', 'uses argparse; only'),
    ('nets/new.py', 'def f():\n  import tensorflow.contrib.slim',
     'uses tensorflow.contrib.slim; only a function in'),
    ('nets/new.py', 'import tensorflow as tf\ntf.contrib.slim',
     'uses tf.contrib; only'),
    ('nets/new.py', 'import importlib\n'
     'importlib.import_module("tensorflow.contrib.slim")',
     'uses tensorflow.contrib.slim; only'),
    ('nets/new.py', 'tf.disable_v2_behavior()',
     ':1 uses disable_v2_behavior, which would change the program that'),
    ('datasets/new.py', 'from x import disable_eager_execution',
     'uses disable_eager_execution'),
    ('nets/new.py', 'from nets import mobilenet_v1_train',
     'imports nets.mobilenet_v1_train, which is a program'),
    ('image_classifier/graphs/quantization.py',
     'from tensorflow.contrib import quantize',
     'uses tensorflow.contrib.quantize; only'),
])
def test_refuses(path, source, message):
  assert message in '\n'.join(_faults(path, source))
