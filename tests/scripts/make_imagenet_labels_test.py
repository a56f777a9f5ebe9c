"""Tests of the making of ImageNet's label files, from wheels like the true."""
import zipfile

import pytest

from datasets.imagenet_tools import synsets
from scripts import make_imagenet_labels
from slim_common import flags

_TIMM = 'timm/data/_info/imagenet'
_VALIDATION = (
    'tensorflow_datasets/datasets/imagenet2012/validation_labels.txt')


def _bundled(name):
  with open(synsets.bundled(name), encoding='utf-8') as source:
    return source.read()


def _wheels(folder, changed=()):
  """Writes the two wheels, with some files changed; returns their paths."""
  names = _bundled(synsets.NAMES_FILENAME)
  covered = [line.split('\t')[0] for line in names.splitlines()]
  contents = {
      _TIMM + '_synsets.txt': _bundled(synsets.CLASSES_FILENAME),
      # Not sorted, as it comes.
      _TIMM + '22k_ms_synsets.txt': '\n'.join(covered[::-1]),
      _TIMM + '_synset_to_lemma.txt': names + 'n99999999\tnot covered\n',
      _VALIDATION: _bundled(synsets.VALIDATION_FILENAME)}
  contents.update(changed)
  paths = [str(folder / 'timm-1.whl'), str(folder / 'tfds-1.whl')]
  for path, package in zip(paths, ('timm', 'tensorflow_datasets')):
    with zipfile.ZipFile(path, 'w') as wheel:
      for name, text in contents.items():
        if name.startswith(package + '/') and text is not None:
          wheel.writestr(name, text)
  return paths


def test_makes_the_files_of_this_project(tmp_path, capsys):
  out = tmp_path / 'out'
  out.mkdir()
  config, _ = flags.parse(
      ['--timm=%s' % _wheels(tmp_path)[0], '--tensorflow_datasets=%s' %
       (tmp_path / 'tfds-1.whl'), '--output_directory=%s' % out],
      make_imagenet_labels.LabelOptions)
  make_imagenet_labels.main(config)
  assert '21842 lines' in capsys.readouterr().out
  for name in (synsets.CLASSES_FILENAME, synsets.NAMES_FILENAME,
               synsets.VALIDATION_FILENAME):
    assert (out / name).read_text() == _bundled(name)
  assert len(list(out.iterdir())) == 3


@pytest.mark.parametrize('name,change,message', [
    (_TIMM + '_synsets.txt', lambda text: text[:-10],
     '999 classes were found, not 1000'),
    (_TIMM + '_synsets.txt', lambda text: text[10:20] + text[:10] + text[20:],
     'the classes are not distinct and sorted'),
    (_TIMM + '_synsets.txt', lambda text: text[:-10] + 'n99999999\n',
     'the class n99999999 has no name'),
    (_TIMM + '_synset_to_lemma.txt', lambda text: text.partition('\n')[2],
     '21841 names were found, not 21842'),
    (_TIMM + '_synset_to_lemma.txt',
     lambda text: text.partition('\n')[0] + '\n' + text.replace(
         'n15102894\tknothole\n', ''),
     'the names are not distinct and sorted'),
    (_VALIDATION, lambda text: text[10:],
     '49999 validation labels were found, not 50000'),
    (_VALIDATION, lambda text: text[10:20] + text[10:],
     'the validation labels are not 50 of each class'),
    (_TIMM + '22k_ms_synsets.txt', lambda text: None,
     'timm-1.whl holds no timm/data/_info/imagenet22k_ms_synsets.txt: another '
     'release of the package may'),
])
def test_one_thing_wrong(tmp_path, name, change, message):
  with zipfile.ZipFile(_wheels(tmp_path)[name == _VALIDATION]) as wheel:
    text = wheel.read(name).decode()
  wheels = _wheels(tmp_path, {name: change(text)})
  with pytest.raises((ValueError, OSError), match=message):
    make_imagenet_labels.run(*wheels, str(tmp_path))
  assert len(list(tmp_path.iterdir())) == 2


def test_package_that_is_not_installed(tmp_path, monkeypatch):
  monkeypatch.setattr(
      make_imagenet_labels.importlib.util, 'find_spec', lambda name: None)
  with pytest.raises(FileNotFoundError, match='the package timm is not '
                     'installed: give its wheel as --timm'):
    make_imagenet_labels.run(None, None, str(tmp_path))


def test_installed_package(tmp_path, monkeypatch):
  for path in _wheels(tmp_path):
    with zipfile.ZipFile(path) as wheel:
      wheel.extractall(str(tmp_path / 'site'))
  for package in ('timm', 'tensorflow_datasets'):
    (tmp_path / 'site' / package / '__init__.py').write_text('1 / 0')
  monkeypatch.syspath_prepend(str(tmp_path / 'site'))
  make_imagenet_labels.run(None, None, str(tmp_path))
  assert (tmp_path / synsets.NAMES_FILENAME).read_text() == _bundled(
      synsets.NAMES_FILENAME)
