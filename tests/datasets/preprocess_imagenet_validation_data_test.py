"""Tests of sorting ImageNet's validation images."""
import os
import subprocess
import sys

import pytest

from datasets import preprocess_imagenet_validation_data as preprocess
from tests.datasets import records
from tests.datasets.conversion import raw_files
from tests.datasets.imagenet_tools import imagenet_files

_SYNSETS = imagenet_files.SYNSETS


def _write(folder, count=6):
  """Writes images and labels; returns (folder, path of the labels)."""
  (folder / 'labels.txt').write_text(
      ''.join('%s\n' % _SYNSETS[k % 3] for k in range(count)))
  return (imagenet_files.write(folder / 'validation', {
      name: name.encode()
      for name in imagenet_files.validation_images(count)}),
          str(folder / 'labels.txt'))


def _expected(count=6):
  return {'%s/ILSVRC2012_val_%08d.JPEG' % (_SYNSETS[k % 3], k + 1):
          b'ILSVRC2012_val_%08d.JPEG' % (k + 1) for k in range(count)}


def test_sorts_and_then_has_nothing_to_do(tmp_path, capsys):
  folder, labels = _write(tmp_path)
  imagenet_files.write(folder, {'readme.txt': b'mine'})
  assert preprocess.run(folder, labels) == 6
  expected = dict(_expected(), **{'readme.txt': b'mine'})
  assert records.snapshot(folder) == expected
  assert preprocess.run(folder, labels) == 0
  assert '6 of 6 images are in their directories' in capsys.readouterr().out
  assert records.snapshot(folder) == expected


def test_interrupted_run_is_gone_on_with(tmp_path, monkeypatch, capsys):
  folder, labels = _write(tmp_path)
  rename, renamed = os.rename, []

  def rename_twice(source, target):
    if len(renamed) == 2:
      raise KeyboardInterrupt
    renamed.append(target)
    rename(source, target)

  monkeypatch.setattr(preprocess.os, 'rename', rename_twice)
  with pytest.raises(KeyboardInterrupt):
    preprocess.run(folder, labels)
  monkeypatch.undo()
  assert len(records.snapshot(folder)) == 6
  assert preprocess.run(folder, labels) == 4
  assert '2 of 6 images are in their directories' in capsys.readouterr().out
  assert records.snapshot(folder) == _expected()


def _remove(folder):
  os.remove(os.path.join(folder, 'ILSVRC2012_val_00000002.JPEG'))


@pytest.mark.parametrize('change,message', [
    (_remove, r'1 of 6 images in .* are missing '
     r'\(ILSVRC2012_val_00000002.JPEG\): nothing was moved'),
    (lambda folder: imagenet_files.write(
        folder, {'n01443537/ILSVRC2012_val_00000002.JPEG': b'other'}),
     r'1 of 6 images in .* are there twice, sorted and unsorted '
     r'\(n01443537/ILSVRC2012_val_00000002.JPEG\): nothing was moved'),
    (lambda folder: imagenet_files.write(
        folder, {'ILSVRC2012_val_00000007.JPEG': b'one more'}),
     r'1 of 6 images in .* have no label .*00000007.JPEG\): nothing was'),
    (lambda folder: imagenet_files.write(folder, {'n01443537': b'a file'}),
     'n01443537 is a file; a directory of that name is needed: nothing was moved'),
    (lambda folder: imagenet_files.write(folder, {'../labels.txt': b'../x'}),
     "labels.txt, line 1 is '../x': a line is a synset"),
])
def test_one_thing_wrong_moves_nothing(tmp_path, change, message):
  folder, labels = _write(tmp_path)
  change(folder)
  before = records.snapshot(tmp_path)
  with pytest.raises(ValueError, match=message):
    preprocess.run(folder, labels)
  assert records.snapshot(tmp_path) == before


def test_file_that_appears_meanwhile_is_not_overwritten(tmp_path, monkeypatch):
  folder, labels = _write(tmp_path)
  makedirs = os.makedirs

  def intrude(path, exist_ok):
    makedirs(path, exist_ok=exist_ok)
    if path.endswith(_SYNSETS[2]):
      raw_files.write(path, 'ILSVRC2012_val_00000003.JPEG', b'precious')

  monkeypatch.setattr(preprocess.os, 'makedirs', intrude)
  with pytest.raises(ValueError, match='00000003.JPEG has appeared meanwhile: '
                     'it is left as it is. Start again'):
    preprocess.run(folder, labels)
  files = records.snapshot(folder)
  assert len(files) == 7
  assert files['n01484850/ILSVRC2012_val_00000003.JPEG'] == b'precious'


def test_all_fifty_thousand_are_asked_for_by_the_projects_list(tmp_path):
  folder, _ = _write(tmp_path)
  with pytest.raises(ValueError, match='49994 of 50000 images in .* are '
                     'missing .*00000007.JPEG, .*, ...'):
    preprocess.run(folder)
  with pytest.raises(FileNotFoundError, match='there is no directory /no/such'):
    preprocess.run('/no/such')


def test_program(tmp_path):
  folder, labels = _write(tmp_path)
  command = [sys.executable, preprocess.__file__]
  process = subprocess.Popen(
      command + [folder, labels], cwd='/', stdout=subprocess.PIPE,
      stderr=subprocess.PIPE, universal_newlines=True)
  output, errors = process.communicate()
  assert (process.returncode, errors) == (0, '')
  assert output.endswith('moved: 6 images\n')
  process = subprocess.Popen(
      command + ['a', 'b', 'c'], stderr=subprocess.PIPE,
      universal_newlines=True)
  assert '3 words were given: type DIRECTORY' in process.communicate()[1]
