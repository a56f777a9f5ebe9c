"""Tests of the command-line program that converts datasets."""
import os
import subprocess
import sys

import pytest

import datasets
from tests.datasets import records
from tests.datasets.conversion import raw_files

_ROOT = os.path.dirname(list(datasets.__path__)[0])


def _run(*arguments, folder='/'):
  """Returns (exit status, standard output, standard error)."""
  process = subprocess.Popen(
      [sys.executable, os.path.join(_ROOT, 'download_and_convert_data.py')] +
      list(arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
      universal_newlines=True, cwd=folder)
  output, errors = process.communicate()
  return process.returncode, output, errors


def test_help_does_not_load_tensorflow():
  code = ('import sys; sys.argv = ["x", "--help"]\n'
          'sys.path.insert(0, %r)\n'
          'import runpy\n'
          'try:\n'
          '  runpy.run_path(%r, run_name="__main__")\n'
          'finally:\n'
          '  assert "tensorflow" not in sys.modules\n'
          '  assert "numpy" not in sys.modules\n' % (
              _ROOT, os.path.join(_ROOT, 'download_and_convert_data.py')))
  output = subprocess.check_output([sys.executable, '-c', code])
  for flag in (b'--dataset_name', b'--dataset_dir', b'--source',
               b'--coco_annotations_url'):
    assert flag in output


def test_converts_and_then_has_nothing_to_do(tmp_path):
  raw_files.write_mnist(tmp_path / 'source')
  arguments = ['--dataset_name=mnist', '--dataset_dir=%s' % (tmp_path / 'out'),
               '--source=%s' % (tmp_path / 'source')]
  status, output, errors = _run(*arguments)
  assert (status, errors) == (0, '')
  assert 'mnist: 40 train, 20 test, 10 classes' in output
  before = records.snapshot(tmp_path / 'out')
  assert sorted(before) == ['dataset_info.json', 'labels.txt',
                            'mnist_test.tfrecord', 'mnist_train.tfrecord']
  status, output, errors = _run(*arguments)
  assert (status, errors) == (0, '')
  assert 'nothing to do (--overwrite converts it again)' in output
  assert records.snapshot(tmp_path / 'out') == before
  status, output, _ = _run('--overwrite', '--num_workers=1', *arguments)
  assert status == 0 and 'converted again' in output
  assert records.snapshot(tmp_path / 'out') == before


@pytest.mark.parametrize('arguments,message', [
    ([], '--dataset_name is required'),
    (['--dataset_name=mnist'], '--dataset_dir is required'),
    (['--dataset_name=mnst', '--dataset_dir=d'], 'did you mean mnist?'),
    (['--dataset_name=imagenet', '--dataset_dir=d'],
     'imagenet has separate programs'),
    (['--dataset_name=mnist', '--dataset_dir=d', '--sorce=s'],
     'did you mean --source?'),
    (['--dataset_name=mnist', '--dataset_dir=d', '--num_workers=0'],
     'must be at least 1'),
    (['--dataset_name=mnist', '--dataset_dir=d/e', '--source=/no/such'],
     'there is no /no/such')])
def test_mistakes_are_answered_in_one_line(tmp_path, arguments, message):
  status, output, errors = _run(*arguments, folder=str(tmp_path))
  assert status and not output
  assert message in errors and errors.count('\n') == 1
  assert not os.listdir(tmp_path)


def test_flag_of_another_dataset_earns_a_warning(tmp_path):
  raw_files.write_mnist(tmp_path / 'source')
  status, _, errors = _run(
      '--dataset_name=mnist', '--dataset_dir=%s' % (tmp_path / 'out'),
      '--source=%s' % (tmp_path / 'source'), '--coco_dirname=x')
  assert status == 0
  assert '--coco_dirname has no effect with --dataset_name=mnist' in errors
