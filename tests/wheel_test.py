"""The wheel of the project, installed into an environment of its own."""
import os
import pathlib
import shutil
import subprocess
import sys
import venv
import zipfile

import pytest

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_PARTS = ('nets', 'preprocessing', 'datasets', 'deployment', 'slim_common',
          'image_classifier')

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != 'posix', reason='looks for bin/')]


def _run(*command, cwd):
  variables = {name: value for name, value in os.environ.items()
               if name not in ('PYTHONPATH', 'PYTHONHOME')}
  process = subprocess.run(
      [str(word) for word in command], cwd=str(cwd), env=variables,
      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
      stderr=subprocess.STDOUT, universal_newlines=True)
  assert process.returncode == 0, process.stdout
  return process.stdout


@pytest.fixture(scope='module', name='wheel')
def _wheel(tmp_path_factory):
  """Builds from a copy: setuptools leaves a directory `build` behind."""
  source = tmp_path_factory.mktemp('source')
  for part in _PARTS:
    shutil.copytree(str(_ROOT / part), str(source / part))
  for path in [*_ROOT.glob('*.py'), _ROOT / 'pyproject.toml',
               _ROOT / 'LICENSE']:
    shutil.copy(str(path), str(source))
  _run(sys.executable, '-m', 'pip', 'wheel', '--no-deps', '-q',
       '--no-build-isolation', '--wheel-dir', source / 'dist', '.', cwd=source)
  (wheel,) = (source / 'dist').glob('*.whl')
  return wheel


@pytest.fixture(scope='module', name='bin_directory')
def _bin_directory(wheel, tmp_path_factory):
  """An environment with the wheel, which finds TensorFlow in this one."""
  directory = tmp_path_factory.mktemp('environment')
  venv.create(str(directory), with_pip=False)
  packages = next(directory.glob('lib/python*/site-packages'))
  # Editable installs of this environment are .pth files, which a .pth file
  # does not follow: the clone stays out of sight.
  (packages / 'tensorflow.pth').write_text('\n'.join(
      path for path in sys.path if path.endswith('-packages')))
  _run(sys.executable, '-m', 'pip', 'install', '--no-deps', '-q', '--target',
       packages, wheel, cwd=directory)
  _move_commands(packages / 'bin', directory / 'bin')
  return directory / 'bin'


def _move_commands(source, target):
  """Moves what pip installed for this Python to the environment's."""
  for command in source.iterdir():
    lines = command.read_text().splitlines()
    lines[0] = '#!%s' % (target / 'python')
    (target / command.name).write_text('\n'.join(lines))
    (target / command.name).chmod(0o755)


def test_data_files(wheel):
  names = zipfile.ZipFile(str(wheel)).namelist()
  assert {'nets/published_figures.csv', 'datasets/imagenet_metadata.txt',
          'datasets/samples/mnist/train-images-idx3-ubyte.gz',
          'train_image_classifier.py'} <= set(names)
  assert not [name for name in names if name.startswith(
      ('tests/', 'examples/', 'benchmarks/', 'scripts/', 'setup.py'))]


def test_commands_train_a_step_outside_the_clone(bin_directory, tmp_path):
  where = _run(bin_directory / 'python', '-c',
               'import nets; print(nets.__file__)', cwd=tmp_path)
  assert str(bin_directory.parent) in where
  sample = _ROOT / 'datasets' / 'samples' / 'mnist'
  _run(bin_directory / 'tf_slim_convert', '--dataset_name=mnist',
       '--dataset_dir=data', '--source=%s' % sample, cwd=tmp_path)
  output = _run(
      bin_directory / 'tf_slim_train', '--dataset_name=mnist',
      '--dataset_dir=data', '--model_name=lenet', '--train_dir=model',
      '--max_number_of_steps=1', '--batch_size=10', cwd=tmp_path)
  assert 'step 1 of 1' in output
  assert list(tmp_path.glob('model/model.ckpt-1.index'))


@pytest.mark.parametrize('command', [
    'tf_slim_convert', 'tf_slim_train', 'tf_slim_evaluate', 'tf_slim_export',
    'tf_slim_classify'])
def test_every_command_has_help(bin_directory, command, tmp_path):
  assert '--' in _run(bin_directory / command, '--help', cwd=tmp_path)
