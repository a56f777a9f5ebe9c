"""Tests of unpacking ImageNet's archives and of the scripts around it."""
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

import pytest

from datasets.conversion import archives
from datasets.imagenet_tools import unpack_imagenet
from tests.datasets import records
from tests.datasets.imagenet_tools import imagenet_files

_DATASETS = os.path.dirname(os.path.dirname(unpack_imagenet.__file__))
_SCRIPTS = ('download_imagenet.sh', 'download_and_convert_imagenet.sh')
_TRAIN, _VALIDATION = imagenet_files.TRAIN, imagenet_files.VALIDATION


def _run(tmp_path, **options):
  unpack_imagenet.run(str(tmp_path / 'source'), str(tmp_path / 'out'),
                      **dict({'allow_subset': True}, **options))


def _unpacked():
  """Returns what the folders train and validation should hold."""
  content = {'train/' + name: content for name, content
             in imagenet_files.train_images().items()}
  content.update({'validation/' + name: content for name, content
                  in imagenet_files.validation_images().items()})
  return content


def test_unpacks_and_then_has_nothing_to_do(tmp_path, capsys):
  source = imagenet_files.write_archives(tmp_path / 'source')
  before = records.snapshot(source)
  _run(tmp_path)
  unpacked = records.snapshot(tmp_path / 'out')
  boxes = [name for name in unpacked if name.startswith('bounding_boxes/')]
  assert len(boxes) == 3
  assert {name: unpacked[name] for name in unpacked
          if name not in boxes} == _unpacked()
  assert records.snapshot(source) == before
  assert 'train: 3 synsets in' in capsys.readouterr().out
  for name in (_VALIDATION, imagenet_files.BOXES):
    os.remove(os.path.join(source, name))
  _run(tmp_path)
  assert 'validation: unpacked already' in capsys.readouterr().out
  assert records.snapshot(tmp_path / 'out') == unpacked


def test_whole_set_of_classes_needs_no_archive(tmp_path, monkeypatch, capsys):
  monkeypatch.setattr(unpack_imagenet, '_NUM_CLASSES', 3)
  imagenet_files.write_archives(tmp_path / 'source')
  _run(tmp_path)
  shutil.rmtree(str(tmp_path / 'source'))
  capsys.readouterr()
  _run(tmp_path, allow_subset=False)
  assert 'train: unpacked already' in capsys.readouterr().out


def test_interrupted_run_is_resumed(tmp_path, monkeypatch):
  imagenet_files.write_archives(tmp_path / 'source')
  unpack, unpacked = archives.unpack, []

  def unpack_once(archive, folder, title=None):
    if unpacked:
      imagenet_files.write(folder, {'half': b''})
      raise KeyboardInterrupt
    unpacked.append(folder)
    unpack(archive, folder)

  monkeypatch.setattr(archives, 'unpack', unpack_once)
  with pytest.raises(KeyboardInterrupt):
    _run(tmp_path)
  assert sorted(os.listdir(str(tmp_path / 'out' / 'train'))) == [
      '.n01443537.tar.unfinished', 'n01440764']
  monkeypatch.undo()
  _run(tmp_path)
  files = records.snapshot(tmp_path / 'out')
  assert {name: files[name] for name in files
          if not name.startswith('bounding')} == _unpacked()


def test_from_an_address(tmp_path):
  source = imagenet_files.write_archives(tmp_path / 'source')
  unpack_imagenet.run(pathlib.Path(source).as_uri(), str(tmp_path / 'out'),
                      allow_subset=True)
  assert sorted(os.listdir(str(tmp_path / 'out'))) == [
      '.downloads', 'bounding_boxes', 'train', 'validation']
  assert not os.listdir(str(tmp_path / 'out' / '.downloads'))


def test_published_size_and_checksum_of_a_download(tmp_path):
  source = imagenet_files.write_archives(tmp_path / 'source')
  with pytest.raises(OSError, match='bytes instead of 147897477120'):
    unpack_imagenet.run(pathlib.Path(source).as_uri(), str(tmp_path / 'out'))


def _change(name, content):
  return lambda source: imagenet_files.write(source, {name: content})


@pytest.mark.parametrize('change,message', [
    (lambda source: os.remove(os.path.join(source, _TRAIN)),
     'there is no .*ILSVRC2012_img_train.tar: sign up at https://image-net.org,'
     ' download it, and give its directory as --source'),
    (_change(_TRAIN, b'text'), 'is no tar archive, or a damaged one .*: download'),
    (_change(_TRAIN, imagenet_files.tar({'n1.tar': b''})),
     r"holds 'n1.tar' where archives like n01440764.tar should be"),
    (_change(_TRAIN, imagenet_files.tar({'../n01440764.tar': b''})),
     "holds '../n01440764.tar' where"),
    (_change(_TRAIN, imagenet_files.tar({'n01440764.tar': b'text'})),
     'n01440764.tar in .*train.tar is no tar or zip archive, or a damaged'),
    (_change(_TRAIN, imagenet_files.tar({
        'n01440764.tar': imagenet_files.tar({'../x.JPEG': b'x'})})),
     "its member '../x.JPEG' leads out of the directory; nothing was unpacked"),
    (_change(_TRAIN, imagenet_files.tar({
        'n01440764.tar': b'x' * 20000})[:15000]),
     'is no tar archive, or a damaged one'),
    (_change(_VALIDATION, b'text'), 'is no tar or zip archive'),
])
def test_one_thing_wrong(tmp_path, change, message):
  source = imagenet_files.write_archives(tmp_path / 'source')
  change(source)
  before = records.snapshot(source)
  with pytest.raises((ValueError, OSError), match=message):
    _run(tmp_path)
  assert records.snapshot(source) == before
  assert not (tmp_path / 'out' / 'train' / 'n01440764').exists() or (
      'tar or zip' in message)
  assert not (tmp_path / 'x.JPEG').exists()


def test_a_damaged_header_is_not_the_end_of_the_classes(tmp_path):
  content = imagenet_files.tar({
      name + '.tar': imagenet_files.tar({'a.JPEG': b'x'})
      for name in imagenet_files.SYNSETS})
  source = imagenet_files.write_archives(tmp_path / 'source')
  imagenet_files.write(source, {
      _TRAIN: content.replace(b'n01443537', b'damage...')})
  with pytest.raises(ValueError, match='train.tar is no tar archive, or a '
                     r'damaged one \(bad checksum at byte '):
    _run(tmp_path)


def test_sizes_are_those_published(tmp_path, monkeypatch):
  source = imagenet_files.write_archives(tmp_path / 'source')
  size = os.path.getsize(os.path.join(source, _TRAIN))
  with pytest.raises(ValueError, match='has %d bytes, not the 147897477120 of '
                     'the published one: download it again, or give '
                     '--allow_subset' % size):
    _run(tmp_path, allow_subset=False)
  remote = unpack_imagenet._ARCHIVES['train']
  monkeypatch.setitem(unpack_imagenet._ARCHIVES, 'train',
                      remote._replace(size=size))
  with pytest.raises(ValueError, match='holds 3 synsets, not 1000: download'):
    _run(tmp_path, allow_subset=False)


def test_link_in_place_of_an_archive(tmp_path):
  source = imagenet_files.write_archives(tmp_path / 'source')
  with tarfile.open(os.path.join(source, _TRAIN), 'w') as archive:
    member = tarfile.TarInfo('n01440764.tar')
    member.type, member.linkname = tarfile.SYMTYPE, '/etc/passwd'
    archive.addfile(member)
  with pytest.raises(ValueError, match="holds 'n01440764.tar' where"):
    _run(tmp_path)


def _script(name, *arguments, **variables):
  """Returns (exit status, standard output, standard error)."""
  process = subprocess.Popen(
      ['sh', os.path.join(_DATASETS, name)] + [str(a) for a in arguments],
      env=dict(os.environ, PYTHON=sys.executable, **variables), cwd='/',
      stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
  output, errors = process.communicate()
  return process.returncode, output, errors


def test_script_converts_archives(tmp_path):
  source = imagenet_files.write_archives(tmp_path / 'a source')
  before = records.snapshot(source)
  out = tmp_path / 'the out'
  arguments = (_SCRIPTS[1], out, source, '--allow_subset', '--train_shards=2',
               '--validation_shards=1', '--num_threads=1')
  status, output, errors = _script(*arguments)
  assert status == 0, errors
  assert 'train: 12 images, 3 of them with boxes' in output
  assert 'imagenet: 12 train, 6 validation, 1001 classes' in output
  assert (out / 'train-00001-of-00002').exists()
  assert records.snapshot(source) == before
  shutil.rmtree(str(out / 'raw-data'))
  status, output, errors = _script(*arguments)
  assert (status, errors) == (0, '') and 'nothing to do' in output
  assert not (out / 'raw-data').exists()


def test_script_converts_folders_and_leaves_them_alone(tmp_path):
  source = imagenet_files.write(tmp_path / 'source', _unpacked())
  before = records.snapshot(source)
  status, output, errors = _script(
      _SCRIPTS[1], tmp_path / 'out', '--allow_subset', '--train_shards=2',
      '--validation_shards=1', '--num_threads=1', IMAGENET_SOURCE=source)
  assert status == 0, errors
  assert 'the records will have no boxes' in output
  assert (tmp_path / 'out' / 'validation-00000-of-00001').exists()
  assert records.snapshot(source) == before


@pytest.mark.parametrize('name', _SCRIPTS)
def test_script_says_how_to_use_it(name, tmp_path):
  status, output, _ = _script(name)
  assert status == 2 and 'datasets/%s OUT SOURCE' % name in output
  status, _, errors = _script(name, tmp_path / 'out')
  assert status == 2 and 'Give the directory of the archives' in errors
  status, _, errors = _script(name, tmp_path / 'out', '/no/such')
  assert status == 1
  assert 'there is no /no/such/ILSVRC2012_img_train.tar: sign up' in errors


@pytest.mark.parametrize('name', _SCRIPTS)
def test_shellcheck_has_no_complaint(name):
  if not shutil.which('shellcheck'):
    pytest.skip('shellcheck is not installed')
  subprocess.check_call(['shellcheck', os.path.join(_DATASETS, name)])
