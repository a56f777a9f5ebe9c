"""Tests of finding ImageNet's images and reading its boxes."""
import collections

import pytest

from datasets.imagenet_tools import synset_images
from datasets.imagenet_tools import synsets
from tests.datasets.imagenet_tools import imagenet_files

_SYNSETS = imagenet_files.SYNSETS


def test_folders_of_synsets(tmp_path):
  contents = imagenet_files.train_images(2)
  contents.update({'.DS_Store': b'', 'notes.txt': b'',
                   'n99999999/n99999999_1.JPEG': b'',
                   'n01440764/.hidden.JPEG': b'', 'n01440764/list.txt': b'',
                   'n01440764/n01440764_10.jpg': b''})
  folder = imagenet_files.write(tmp_path, contents)
  found = synset_images.find(folder, _SYNSETS)
  assert found.directory == folder
  assert found.files[:3] == [('n01440764/n01440764_0.JPEG', 'n01440764'),
                             ('n01440764/n01440764_1.JPEG', 'n01440764'),
                             ('n01440764/n01440764_10.jpg', 'n01440764')]
  assert len(found.files) == 7
  assert found.skipped == collections.Counter({
      'not directories of synsets': 2, 'directories of other classes': 1,
      'no images by name': 2})


def test_validation_images_as_they_come(tmp_path):
  folder = imagenet_files.write(
      tmp_path, imagenet_files.validation_images(3))
  (tmp_path / 'readme.txt').write_text('')
  labels = synsets.read_list(synsets.bundled(synsets.VALIDATION_FILENAME))
  found = synset_images.find(folder, labels[:3])
  assert found.files == [('ILSVRC2012_val_%08d.JPEG' % (k + 1), labels[k])
                         for k in range(3)]
  assert found.skipped == {'beside the validation images': 1}
  found = synset_images.find(folder, labels[1:2])
  assert len(found.files) == 1
  assert found.skipped['images of other classes'] == 2


@pytest.mark.parametrize('contents,message', [
    ({}, 'holds no image: it should have one directory per synset, such as '
         'n01440764'),
    ({'n01440764': b''}, 'n01440764 is a file, not the directory of a synset'),
    ({'ILSVRC2012_val_00050001.JPEG': b''},
     'has no label: the validation images are 1 to 50000'),
    ({'ILSVRC2012_val_00000000.JPEG': b''}, 'has no label'),
    ({'ILSVRC2012_val_00000001.JPEG': b'', 'n01440764/x.JPEG': b''},
     'holds validation images and the directory n01440764 of a synset'),
])
def test_faults_of_a_folder(tmp_path, contents, message):
  imagenet_files.write(tmp_path, contents)
  with pytest.raises(ValueError, match=message):
    synset_images.find(str(tmp_path), _SYNSETS)


def test_folder_that_is_not_there():
  with pytest.raises(FileNotFoundError, match='there is no directory /no/such'):
    synset_images.find('/no/such', _SYNSETS)


def _check(split, counts, expected, allow_subset=False):
  files = [('%d' % k, synset) for synset, count in zip(_SYNSETS, counts)
           for k in range(count)]
  synset_images.check_counts(
      split, synset_images.SourceImages('F', files, {}), _SYNSETS, expected,
      allow_subset)


def test_counts(capsys):
  _check('validation', (2, 2, 2), 6)
  _check('train', (5, 1, 1), 7)
  assert not capsys.readouterr().out
  for split, counts, expected, message in (
      ('train', (5, 1, 0), 7, 'train in F: 1 synsets have none (n01484850); '
       '6 images, not 7'),
      ('train', (5, 1, 1), 8, 'train in F: 7 images, not 8'),
      ('validation', (2, 2, 1), 6, 'validation in F: 5 images, not 6; not 2 '
       'of each class (n01484850 has 1)')):
    with pytest.raises(ValueError) as caught:
      _check(split, counts, expected)
    assert str(caught.value) == (
        message + '. Unpack the rest, or give --allow_subset to convert what '
        'is there')
    _check(split, counts, expected, allow_subset=True)
    assert capsys.readouterr().out == 'Note: %s\n' % message


def test_boxes(tmp_path):
  path = tmp_path / 'boxes.csv'
  path.write_text('filename,xmin,ymin,xmax,ymax\n'
                  'a.JPEG,0.1,0.2,0.3,1.0000\n\nb.JPEG,0,0,1,1\n'
                  'a.JPEG,0.5,0.5,0.75,0.75\n')
  assert synset_images.read_boxes(str(path)) == {
      'a.JPEG': [(.1, .2, .3, 1.), (.5, .5, .75, .75)],
      'b.JPEG': [(0., 0., 1., 1.)]}


@pytest.mark.parametrize('line', [
    'a.JPEG,0.1,0.2,0.3', 'a.JPEG,0.1,0.2,0.3,0.4,0.5', 'a.JPEG,a,0.2,0.3,0.4',
    ',0.1,0.2,0.3,0.4', 'a.JPEG,0.1,0.2,0.3,1.2', 'a.JPEG,-1,0.2,0.3,1',
    'a.JPEG,nan,0.2,0.3,1'])
def test_faults_of_boxes(tmp_path, line):
  path = tmp_path / 'boxes.csv'
  path.write_text('a.JPEG,0.1,0.2,0.3,1\n%s\n' % line)
  with pytest.raises(ValueError, match='line 2 is .*: a line is filename,xmin,'
                     'ymin,xmax,ymax, with numbers from 0 to 1'):
    synset_images.read_boxes(str(path))
