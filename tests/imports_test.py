"""Who may import whom.

The rules are the table below; the first row that matches a file holds for it.
What a row allows, it allows with everything inside. The standard library is
open to all.
"""
import ast
import collections
import fnmatch
import importlib.util
import pathlib
import sys
import sysconfig

import pytest

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_LIBRARIES = ('tensorflow', 'tf_slim', 'numpy', 'absl', 'PIL')
_PROJECT = ('nets', 'preprocessing', 'datasets', 'deployment', 'training')
_PROGRAMS = (
    'download_and_convert_data', 'train_image_classifier',
    'eval_image_classifier', 'export_inference_graph', 'classify_image')
_GRAPHS_AND_LOOPS = (
    'training.train_graph', 'training.eval_graph', 'training.export_graph',
    'training.inference_graph', 'training.export_pictures',
    'training.classifiers',
    'training.evaluation', 'training.batch_norm_statistics',
    'training.classification', 'training.model_card',
    'training.loops')
_SHARED_BY_GRAPHS = (
    'nets.nets_factory', 'nets.normalization',
    'preprocessing.preprocessing_factory', 'datasets.dataset_factory',
    'datasets.input_pipeline', 'datasets.record_files')
# The modules that say what is in a dataset; converters write what they read.
_DESCRIPTORS = (
    'datasets.mnist', 'datasets.fashion_mnist', 'datasets.cifar10',
    'datasets.flowers', 'datasets.imagenet', 'datasets.visualwakewords',
    'datasets.image_folder')
_CONVERTERS = ('datasets.download_and_convert_', 'datasets.build_')

# files: patterns of paths, of which * also takes folders.
# may_import: names of modules and packages.
# but_not: beginnings of names that `may_import` would allow.
# is_program: whether the file may read the command line.
_Row = collections.namedtuple('_Row', 'files may_import but_not is_program')
_TABLE = (
    # Programs.
    _Row(('tests/*',), _LIBRARIES + _PROJECT + _PROGRAMS + (
        'tests', 'examples', 'benchmarks', 'matplotlib', 'pytest', 'packaging',
        'setuptools', 'importlib_metadata', 'numba'), (), True),
    _Row(('setup.py',), ('setuptools',), (), True),
    _Row(('datasets/samples/*',), ('numpy',), (), True),
    _Row(('examples/*',),
         _LIBRARIES + _PROJECT + _PROGRAMS + ('examples', 'matplotlib'),
         (), True),
    _Row(('benchmarks/*',),
         _LIBRARIES + _PROJECT + _PROGRAMS + ('benchmarks', 'matplotlib'),
         (), True),
    # Three islands.
    _Row(('nets/*',), _LIBRARIES + ('nets',), (), False),
    # Alone, as numba may be missing.
    _Row(('preprocessing/one_pass_kernels.py',), ('numba', 'numpy'), (), False),
    _Row(('preprocessing/*',), _LIBRARIES + ('preprocessing',), (), False),
    _Row(('datasets/download_and_convert_*.py', 'datasets/build_*.py',
          'datasets/*_imagenet*.py', 'datasets/process_bounding_boxes.py',
          'datasets/convert_options.py'),
         _LIBRARIES + ('datasets', 'training.flags', 'training.options.rules'),
         _DESCRIPTORS, False),
    _Row(('datasets/*',), _LIBRARIES + ('datasets',), _CONVERTERS, False),
    # Where it runs, and what is optimised.
    _Row(('deployment/sync_batch_norm.py',),
         _LIBRARIES + ('deployment', 'nets.normalization'), (), False),
    _Row(('deployment/*',), _LIBRARIES + ('deployment',), (), False),
    _Row(('training/options/*.py',), ('training.options',), (), False),
    # The one file that parses a command line.
    _Row(('training/flags.py',), ('absl', 'training'), _GRAPHS_AND_LOOPS,
         True),
    _Row(('training/plots.py', 'training/confusion_plot.py'),
         _LIBRARIES + ('training', 'matplotlib'), _GRAPHS_AND_LOOPS, False),
    # What puts the parts together.
    _Row(tuple(name.replace('.', '/') + '.py' for name in _GRAPHS_AND_LOOPS),
         _LIBRARIES + ('deployment', 'training') + _SHARED_BY_GRAPHS, (),
         False),
    _Row(('training/*',), _LIBRARIES + ('training',), _GRAPHS_AND_LOOPS, False),
    # The command-line programs; the last row, as its pattern takes all.
    _Row(('*.py',), _LIBRARIES + _PROJECT, (), True),
)
_CONTRIB_FILE = 'training/quantization.py'
_COMMAND_LINE = {
    'sys.argv', 'argparse', 'getopt', 'optparse', 'absl.app', 'absl.flags',
    'tf.app', 'tf.flags', 'tf.compat.v1.app', 'tf.compat.v1.flags',
    'tensorflow.compat.v1.app', 'tensorflow.compat.v1.flags'}
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


def _row_of(path):
  for row in _TABLE:
    if any(fnmatch.fnmatchcase(path, pattern) for pattern in row.files):
      return row
  raise AssertionError('The last row takes every Python file: ' + path)


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


def _import_faults(path, tree):
  """Yields (line, text) of the imports that the file's row does not allow."""
  row = _row_of(path)
  for line, module in _imports(path, tree):
    if module.startswith('tensorflow.contrib') or _is_standard(module):
      continue
    if (not _is_inside(module, row.may_import) or
        any(module.startswith(name) for name in row.but_not)):
      text = 'imports %s; %s may import %s' % (
          module, ' and '.join(row.files), ', '.join(row.may_import) or
          'the standard library only')
      yield line, text + (
          ', but not ' + ', '.join(row.but_not) if row.but_not else '')


def _command_line_faults(path, tree):
  """Yields (line, text) of what reads the command line in a library."""
  if _row_of(path).is_program:
    return
  uses = list(_imports(path, tree))
  for node in ast.walk(tree):
    if isinstance(node, (ast.Name, ast.Attribute)):
      uses.append((node.lineno, _dotted(node)))
  for line, name in uses:
    if name in _COMMAND_LINE or name.split('.')[-1] == 'FLAGS':
      yield line, ('uses %s; only the programs, examples and benchmarks read '
                   'the command line, through training/flags.py' % name)


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


def _faults(path, source):
  """Returns a line of text for each rule that a file breaks."""
  tree = ast.parse(source, filename=path)
  found = {fault for check in (
      _import_faults, _command_line_faults, _matplotlib_faults,
      _contrib_faults)
           for fault in check(path, tree)}
  return ['%s:%d %s' % ((path,) + fault) for fault in sorted(found)]


def test_every_import_goes_downwards():
  faults = []
  for path in _python_files():
    faults += _faults(path, (_ROOT / path).read_text(encoding='utf-8'))
  assert not faults, '\n' + '\n'.join(faults)


def test_finds_the_files():
  files = set(_python_files())
  assert {'setup.py', 'nets/nets_factory.py', 'training/flags.py',
          'tests/imports_test.py'} <= files


@pytest.mark.parametrize('path, source', [
    ('nets/new.py', 'import os\nimport tensorflow.compat.v1 as tf'),
    ('nets/new.py', 'from nets import layer_utils'),
    ('nets/mobilenet/new.py', 'from . import conv_blocks'),
    ('nets/mobilenet/new.py', 'from .. import layer_utils'),
    ('datasets/mnist.py', 'from datasets import image_dataset'),
    ('datasets/download_and_convert_mnist.py', 'from training import flags'),
    ('deployment/sync_batch_norm.py', 'from nets import normalization'),
    ('training/loops.py', 'from datasets import input_pipeline'),
    ('training/loops.py', 'from deployment.model_deploy import deploy'),
    ('training/losses.py', 'from training import options'),
    ('training/flags.py', 'import sys\nfrom absl import flags\nsys.argv'),
    ('training/options/data.py',
     'import dataclasses\nfrom training.options import rules'),
    ('training/quantization.py',
     'def f():\n  from tensorflow.contrib import quantize'),
    ('train_image_classifier.py', 'from training import flags, loops'),
    ('examples/new.py', 'def f():\n  import matplotlib.pyplot'),
    ('training/plots.py', 'def f():\n  from matplotlib import figure'),
    ('tests/new_test.py', 'import matplotlib, pytest, classify_image'),
])
def test_allows(path, source):
  assert _faults(path, source) == []


@pytest.mark.parametrize('path, source, message', [
    ('nets/new.py', 'from datasets import mnist', 'imports datasets.mnist'),
    ('nets/new.py', 'def f():\n  import training.losses',
     'new.py:2 imports training.losses'),
    ('nets/new.py', 'import pandas', 'imports pandas; nets/* may import tens'),
    ('preprocessing/new.py', 'from nets import vgg', 'imports nets.vgg'),
    ('datasets/new.py', 'from training import flags', 'imports training.flags'),
    ('datasets/mnist.py', 'from datasets import download_and_convert_mnist',
     'imports datasets.download_and_convert_mnist'),
    ('datasets/download_and_convert_mnist.py',
     'from datasets.mnist import get_split',
     'imports datasets.mnist.get_split'),
    ('datasets/build_imagenet_data.py', 'from . import imagenet',
     'imports datasets.imagenet'),
    ('deployment/model_deploy.py', 'from nets import normalization',
     'imports nets.normalization'),
    ('deployment/sync_batch_norm.py', 'from nets import vgg',
     'imports nets.vgg'),
    ('training/losses.py', 'from training import loops',
     'imports training.loops'),
    ('training/losses.py', 'from deployment import model_deploy',
     'imports deployment.model_deploy'),
    ('training/loops.py', 'from nets import lenet', 'imports nets.lenet'),
    ('training/options/data.py', 'import numpy', 'imports numpy'),
    ('eval_image_classifier.py', 'import matplotlib', 'imports matplotlib'),
    ('training/plots.py', 'import matplotlib.figure',
     'imports matplotlib.figure, which only the extra'),
    ('nets/new.py', 'from tests import conftest', 'imports tests.conftest'),
    ('nets/new.py', 'from absl import flags', 'uses absl.flags; only'),
    ('training/losses.py', 'import sys\nsys.argv', ':2 uses sys.argv; only'),
    ('training/losses.py', 'from sys import argv', 'uses sys.argv; only'),
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
    ('training/quantization.py', 'from tensorflow.contrib import quantize',
     'uses tensorflow.contrib.quantize; only'),
])
def test_refuses(path, source, message):
  assert message in '\n'.join(_faults(path, source))
