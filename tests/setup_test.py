"""Tests setup.py, requirements/, the Makefile and what they install."""
import importlib
import os
import pathlib
import runpy
import shutil
import subprocess
import sys

from packaging import requirements
import pytest
import setuptools

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_PYTHONS = ('3.7', '3.8', '3.9', '3.10', '3.11', '3.12', '3.13')
_STACKS = {'stock': ('3.7',), 'mkl': ('3.7',), 'tf2': _PYTHONS[3:],
           'tf212': _PYTHONS[1:5]}
# Not asked for by TensorFlow 2.12, or not able to live beside it.
_NOT_ON_TF212 = ('tf-keras', 'opencv-python-headless', 'tf2onnx', 'onnxruntime')
_NOT_DATA = ('.py', '.pyc', '.nbc', '.nbi', '.md', '.png')
_NAME = 'tf-slim-image-models'


@pytest.fixture
def arguments(monkeypatch):
  """What setup.py hands to setuptools."""
  given = {}
  monkeypatch.setattr(setuptools, 'setup', given.update)
  monkeypatch.chdir(_ROOT)
  runpy.run_path(str(_ROOT / 'setup.py'))
  return given


def _for_python(lines, python, machine='x86_64', system='linux'):
  """Returns {name: requirement} of the lines that hold for a Python."""
  environment = {'python_version': python, 'python_full_version': python + '.5',
                 'platform_system': system.capitalize(),
                 'sys_platform': system, 'platform_machine': machine}
  parsed = [requirements.Requirement(line) for line in lines]
  return {one.name: one for one in parsed
          if not one.marker or one.marker.evaluate(environment)}


def _pinned(stack, python, machine='x86_64', system='linux'):
  """Returns {name: version} of a stack's requirement files."""
  lines = []
  files = [stack + '.txt']
  while files:
    text = (_ROOT / 'requirements' / files.pop()).read_text()
    for line in text.splitlines():
      if line.startswith('-r '):
        files.append(line[3:])
      elif line and not line.startswith('#'):
        lines.append(line)
  pins = {}
  for name, one in _for_python(
      lines, python, machine, system).items():
    (exact,) = one.specifier
    assert exact.operator == '==', '%s is not pinned' % name
    pins[name] = exact.version
  return pins


@pytest.mark.parametrize('python', _PYTHONS)
def test_one_tensorflow_for_each_python(arguments, python):
  chosen = _for_python(arguments['install_requires'], python)
  allowed = list(chosen['tensorflow'].specifier.filter(
      ['1.15.4', '1.15.5', '2.11.1', '2.12.1', '2.21.0', '2.22.0']))
  assert allowed == (['1.15.5'] if python == '3.7' else ['2.12.1', '2.21.0'])
  assert ('protobuf' in chosen) == (python == '3.7')
  assert ('tf-keras' in chosen) == (python != '3.7')


def test_python_versions(arguments):
  allowed = requirements.Requirement(
      'python' + arguments['python_requires']).specifier
  assert list(allowed.filter(
      ['2.7', '3.6', *_PYTHONS, '3.14'])) == list(_PYTHONS)


def test_every_package_is_named(arguments):
  folders = {path.parent.relative_to(_ROOT).as_posix().replace('/', '.')
             for name in ('nets', 'preprocessing', 'datasets', 'deployment',
                          'slim_common', 'image_classifier')
             for path in (_ROOT / name).glob('**/*.py')}
  # A folder of data; the script in it made them.
  folders.remove('datasets.samples')
  assert set(arguments['packages']) == folders


def test_every_data_file_is_named(arguments):
  named = {path for package, patterns in arguments['package_data'].items()
           for pattern in patterns
           for path in (_ROOT / package).glob(pattern) if path.is_file()}
  data = {path for package in arguments['packages']
          for path in (_ROOT / package.split('.')[0]).glob('**/*')
          if path.is_file() and path.suffix not in _NOT_DATA}
  assert data and data <= named


def test_extras(arguments):
  extras = arguments['extras_require']
  assert set(_for_python(extras['plot'], '3.7')) == {'matplotlib'}
  assert set(_for_python(extras['fast'], '3.13')) == {'numba'}
  assert not _for_python(extras['gpu'], '3.9')
  assert not _for_python(extras['gpu'], '3.12', 'arm64', 'darwin')
  assert _for_python(extras['gpu'], '3.12', 'aarch64')
  assert _for_python(extras['gpu'], '3.12')['tensorflow'].extras == {'and-cuda'}
  for python in ('3.7', '3.12'):
    assert set(_for_python(extras['test'], python)) == {
        'matplotlib', 'numba', 'pytest', 'pytest-timeout',
        'pytest-xdist', 'ruff', 'opencv-python-headless', 'tf2onnx', 'onnxruntime'}


@pytest.mark.parametrize(
    'stack, python', [(stack, python) for stack, pythons in _STACKS.items()
                      for python in pythons])
@pytest.mark.parametrize('system, machine', [
    ('linux', 'x86_64'), ('linux', 'aarch64'), ('darwin', 'arm64')])
def test_pins_keep_what_setup_asks(arguments, stack, python, system, machine):
  pins = _pinned(stack, python, machine, system)
  # Intel's is 1.15.2 by its own count.
  pins.setdefault('tensorflow', '1.15.5' if stack == 'mkl' else
                  pins.get('tensorflow-cpu'))
  lines = arguments['install_requires'] + arguments['extras_require']['test']
  for name, wanted in _for_python(lines, python).items():
    if stack == 'tf212' and name in _NOT_ON_TF212:
      continue
    assert name in pins, 'requirements/%s.txt lacks %s' % (stack, name)
    assert pins[name] in wanted.specifier


@pytest.mark.parametrize('stack', ['tf2', 'tf212'])
def test_the_small_wheel_where_it_fits(stack):
  assert 'tensorflow' not in _pinned(stack, '3.10')
  for machine, system in (('aarch64', 'linux'), ('arm64', 'darwin')):
    assert 'tensorflow-cpu' not in _pinned(stack, '3.10', machine, system)


def test_every_program_is_a_command(arguments):
  programs = {path.stem for path in _ROOT.glob('*.py')} - {'setup'}
  assert set(arguments['py_modules']) == programs
  for line in arguments['entry_points']['console_scripts']:
    module, _, function = line.split(' = ')[1].partition(':')
    assert function in vars(importlib.import_module(module))


def _is_installed():
  try:
    from importlib import metadata
  except ImportError:
    import importlib_metadata as metadata
  try:
    return bool(metadata.distribution(_NAME))
  except metadata.PackageNotFoundError:
    return False


@pytest.mark.skipif(not _is_installed(), reason='needs pip install -e .')
def test_imports_from_any_folder(tmp_path):
  found = subprocess.check_output(
      [sys.executable, '-W', 'ignore', '-c',
       'from nets import nets_factory; print(nets_factory.__file__)'],
      cwd=str(tmp_path), stdin=subprocess.DEVNULL, universal_newlines=True)
  assert os.path.samefile(
      found.splitlines()[-1], str(_ROOT / 'nets' / 'nets_factory.py'))


@pytest.mark.skipif(not shutil.which('make'), reason='needs make')
class TestMakefile:

  def _make(self, *words):
    return subprocess.check_output(
        ['make', '-C', str(_ROOT), '--no-print-directory', *words],
        env={'PATH': os.environ['PATH']}, stdin=subprocess.DEVNULL,
        stderr=subprocess.STDOUT, universal_newlines=True)

  def test_lists_its_targets(self):
    text = self._make()
    assert text == self._make('help')
    assert 'was found' not in text
    for word in ('make env', 'make quickstart', 'make test', 'STACK=mkl',
                 'PYTHON=', 'VENV='):
      assert word in text

  @pytest.mark.parametrize('words, folder', [
      (['STACK=stock'], '.venv'), (['STACK=mkl'], '.venv-mkl'),
      (['STACK=tf2'], '.venv-tf2'), (['STACK=tf2', 'VENV=mine'], 'mine')])
  def test_each_stack_has_its_environment(self, words, folder):
    orders = self._make('-n', 'test', *words)
    assert "VENV='%s' scripts/bootstrap.sh" % folder in orders
    assert "'%s/bin/python' -m pytest" % folder in orders
    assert "'%s/bin/python' examples/quickstart.py" % folder in self._make(
        '-n', 'quickstart', *words)

  def test_finds_the_stack_by_the_python(self, tmp_path):
    python = tmp_path / 'python'
    python.write_text('#!/bin/sh\necho 3.12\n')
    python.chmod(0o755)
    orders = self._make('-n', 'test', 'PYTHON=%s' % python)
    assert orders.startswith('STACK=tf2 (TensorFlow 2.21.0): PYTHON=')
    assert "'.venv-tf2/bin/python' -m pytest" in orders

  def test_smoke_tests_on_tensorflow_2_12(self):
    assert 'test STACK=tf212 TESTS=tests/smoke.py' in self._make(
        '-n', 'test-tf212')

  def test_runs_the_tests_named(self):
    orders = self._make(
        '-n', 'test', 'STACK=stock', 'TESTS=tests/nets -k lenet')
    assert orders.rstrip().endswith(' tests/nets -k lenet')
