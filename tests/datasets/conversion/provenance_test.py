"""A second dataset never passes for the first."""
import json
import os
import shutil

import pytest

from datasets import dataset_info
from datasets import download_and_convert_image_folder
from datasets import download_and_convert_mnist
from datasets.conversion import convert_options
from datasets.conversion import provenance
from tests.datasets.conversion import odd_images

_WAYS_OUT = ('. Give --overwrite to convert it again, another --dataset_dir, '
             'or --keep to leave it as it is')


def _write(path, content, time=None):
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_bytes(content)
  if time:
    os.utime(str(path), (time, time))


@pytest.fixture
def folder(tmp_path):
  """A directory with three files, two of them in a subdirectory."""
  source = tmp_path / 'source'
  for name in ('a/1.jpg', 'a/2.jpg', 'list.txt'):
    _write(source / name, name.encode(), 1000)
  return source


def _origin(source, **options):
  return provenance.Origin([str(source)], options, lists_count=True)


def _differences(recorded, source, **options):
  return _origin(source, **options).differences(recorded)


def test_what_is_recorded(folder):
  recorded = _origin(folder, seed=3).record(False)
  assert recorded['sources'] == [str(folder)]
  assert (recorded['num_files'], recorded['num_bytes']) == (3, 22)
  assert recorded['options'] == {'seed': 3}
  assert json.loads(json.dumps(recorded)) == recorded


def test_the_same_again(folder):
  recorded = _origin(folder, seed=3).record(False)
  assert _differences(recorded, folder, seed=3) == []


def test_a_copy_is_the_same(folder, tmp_path):
  recorded = _origin(folder).record(False)
  shutil.copytree(str(folder), str(tmp_path / 'copy'))
  os.utime(str(tmp_path / 'copy' / 'list.txt'))
  assert _differences(recorded, tmp_path / 'copy') == []


def test_hidden_files_and_those_of_systems_do_not_count(folder):
  recorded = _origin(folder).record(False)
  _write(folder / '.DS_Store', b'x')
  _write(folder / '__MACOSX' / 'a', b'x')
  assert _differences(recorded, folder) == []


@pytest.mark.parametrize('change', [
    lambda folder: _write(folder / 'a' / '1.jpg', b'A/1.jpg'),
    lambda folder: _write(folder / 'a' / '1.jpg', b'longer than before'),
    lambda folder: _write(folder / 'a' / '3.jpg', b'new'),
    lambda folder: os.remove(str(folder / 'list.txt')),
    lambda folder: os.rename(str(folder / 'a'), str(folder / 'b'))])
def test_changed_files(folder, change):
  recorded = _origin(folder).record(False)
  change(folder)
  text, = _differences(recorded, folder)
  assert text.startswith(('its source was %s (3 files, 22 bytes), not %s' % (
      folder, folder), 'files of its source, %s (3 files, 22 bytes), have '
                          'changed' % folder))


@pytest.mark.parametrize('change', [
    lambda folder: _write(folder / 'a' / '1.jpg', b'A/1.jpg'),
    lambda folder: os.remove(str(folder / 'list.csv')),
    lambda folder: _write(folder / 'list.csv', b'path,label,split\na')])
def test_files_that_change_during_the_conversion_are_not_the_same(
    folder, change):
  _write(folder / 'list.csv', b'a/1.jpg,x\na/2.jpg,y\n')
  for source in (folder, folder / 'list.csv'):
    origin = _origin(source)
    change(folder)
    recorded = origin.record(False)
    _write(folder / 'list.csv', b'a/1.jpg,x\na/2.jpg,y\n')
    assert len(_differences(recorded, source)) == 1
    _write(folder / 'a' / '1.jpg', b'a/1.jpg', 1000)


def test_another_source(folder, tmp_path):
  recorded = _origin(folder).record(False)
  _write(tmp_path / 'other' / 'x', b'1')
  assert _differences(recorded, tmp_path / 'other') == [
      'its source was %s (3 files, 22 bytes), not %s (1 files, 1 bytes)' % (
          folder, tmp_path / 'other')]
  assert provenance.Origin([], {}).differences(recorded) == [
      'its source was %s (3 files, 22 bytes), not what is published' % folder]
  assert provenance.Origin(['http://h/x'], {}).differences(
      provenance.Origin(['http://h/y'], {}).record(False)) == [
          'its source was http://h/y, not http://h/x']


def test_a_source_that_is_gone_cannot_have_changed(folder):
  recorded = _origin(folder).record(False)
  shutil.rmtree(str(folder))
  assert _differences(recorded, folder) == []


def test_a_list_and_its_images(folder):
  listed = folder / 'list.csv'
  _write(listed, b'a/1.jpg,x\na/2.jpg,y\n')
  recorded = _origin(listed).record(False)
  _write(folder / 'a' / '3.jpg', b'not in the list')
  assert _differences(recorded, listed) == []
  _write(folder / 'a' / '2.jpg', b'A/2.jpg')
  assert len(_differences(recorded, listed)) == 1


def test_files_that_do_not_belong_to_the_dataset(tmp_path):
  _write(tmp_path / 'train-images-idx3-ubyte.gz', b'x')

  def origin():
    return provenance.Origin([str(tmp_path)], {}, ('*-ubyte*',))

  recorded = origin().record(False)
  _write(tmp_path / 'notes.txt', b'x')
  _write(tmp_path / 'a' / 'b' / 'other-ubyte', b'x')
  assert origin().differences(recorded) == []
  _write(tmp_path / 'a' / 't10k-ubyte', b'x')
  assert len(origin().differences(recorded)) == 1


def test_large_files_count_by_samples(tmp_path, monkeypatch):
  monkeypatch.setattr(provenance, '_READ_WHOLE', 10)
  monkeypatch.setattr(provenance, '_SAMPLE', 4)
  path = tmp_path / 'a.tar'
  _write(path, bytes(range(100)))
  recorded = _origin(path).record(False)
  for at in (0, 50, 99):
    content = bytearray(range(100))
    content[at] = 200
    _write(path, bytes(content))
    assert len(_differences(recorded, path)) == 1, at


def test_other_options(folder):
  recorded = _origin(folder, seed=0, num_validation=None).record(False)
  assert _differences(recorded, folder, seed=1, num_validation=4) == [
      'it has no --num_validation, not --num_validation=4',
      'it has --seed=0, not --seed=1']


@pytest.mark.parametrize('then, has_bad, now, differs', [
    ('fail', False, 'skip', False), ('skip', False, 'fail', False),
    ('skip', True, 'skip', False), ('skip', True, 'fail', True)])
def test_bad_images_that_were_left_out(folder, then, has_bad, now, differs):
  recorded = _origin(folder, on_bad_image=then).record(has_bad)
  assert bool(_differences(recorded, folder, on_bad_image=now)) == differs


def _convert(out, source, **options):
  download_and_convert_image_folder.run(
      str(out), str(source), num_workers=1, num_shards=1, **options)


def test_a_directory_of_another_source_is_refused(tmp_path, capsys):
  for name, colors in (('one', 2), ('two', 3)):
    for label in 'ab':
      for k in range(colors):
        _write(tmp_path / name / label / ('%d.png' % k), odd_images.encoded(
            odd_images.photo(width=8, height=8, seed=k), 'PNG'))
  out = tmp_path / 'out'
  _convert(out, tmp_path / 'one')
  before = (out / 'dataset_info.json').read_bytes()
  info = dataset_info.parse_info(before, 'x')
  assert info['origin']['sources'] == [str(tmp_path / 'one')]
  assert info['origin']['num_files'] == 4
  capsys.readouterr()
  _convert(out, tmp_path / 'one')
  assert 'nothing to do' in capsys.readouterr().out
  for source, options, difference in (
      ('two', {}, 'its source was %s (4 files, ' % (tmp_path / 'one')),
      ('one', {'seed': 5}, 'it has --seed=0, not --seed=5')):
    with pytest.raises(ValueError) as error:
      _convert(out, tmp_path / source, **options)
    assert str(error.value).startswith(
        '%s holds image_folder already, but made otherwise: %s' % (
            out, difference))
    assert str(error.value).endswith(_WAYS_OUT)
  _convert(out, tmp_path / 'two', keep=True)
  assert (out / 'dataset_info.json').read_bytes() == before
  _convert(out, tmp_path / 'two', overwrite=True)
  assert (out / 'dataset_info.json').read_bytes() != before


def test_a_dataset_of_an_earlier_version_is_kept(tmp_path, capsys):
  sample = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(
      os.path.dirname(os.path.abspath(__file__))))), 'datasets', 'samples',
                        'mnist')
  download_and_convert_mnist.run(str(tmp_path), sample, num_workers=1)
  with pytest.raises(ValueError, match='not what is published. Give --over'):
    download_and_convert_mnist.run(str(tmp_path))
  path = tmp_path / 'dataset_info.json'
  info = json.loads(path.read_text())
  del info['origin']
  path.write_text(json.dumps(info))
  download_and_convert_mnist.run(str(tmp_path))
  assert 'nothing to do' in capsys.readouterr().out


def test_overwrite_and_keep_exclude_each_other():
  with pytest.raises(ValueError, match='--overwrite replaces an existing '
                     'dataset and --keep keeps it: give one of the two'):
    convert_options.convert(convert_options.ConvertOptions(
        'mnist', 'd', overwrite=True, keep=True))
