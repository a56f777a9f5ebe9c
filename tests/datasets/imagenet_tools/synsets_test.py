"""Tests of ImageNet's label files and of reading them."""
import collections

import pytest

from datasets.imagenet_tools import synsets


def test_bundled_files():
  classes = synsets.read_classes(synsets.bundled(synsets.CLASSES_FILENAME))
  assert len(classes) == len(set(classes)) == 1000
  assert classes == sorted(classes)
  assert (classes[0], classes[-1]) == ('n01440764', 'n15075141')
  names = synsets.read_names(synsets.bundled(synsets.NAMES_FILENAME))
  assert len(names) == 21842 and list(names) == sorted(names)
  assert set(classes) <= set(names)
  assert names['n01440764'] == 'tench, Tinca tinca'
  assert names['n00004475'] == 'organism, being'
  validation = synsets.read_list(
      synsets.bundled(synsets.VALIDATION_FILENAME))
  assert len(validation) == 50000
  assert collections.Counter(validation) == {one: 50 for one in classes}


@pytest.mark.parametrize('name,count,size', [
    (synsets.CLASSES_FILENAME, 1000, 10000),
    (synsets.NAMES_FILENAME, 21842, 741401),
    (synsets.VALIDATION_FILENAME, 50000, 500000)])
def test_lines_of_the_bundled_files(name, count, size):
  with open(synsets.bundled(name), 'rb') as source:
    content = source.read()
  assert (content.count(b'\n'), len(content)) == (count, size)
  assert content.endswith(b'\n') and b'\r' not in content


def test_class_names():
  names = synsets.class_names(
      ['n00000002', 'n00000001'], {'n00000001': 'a', 'n00000002': 'b'})
  assert names == ['background', 'b', 'a']
  with pytest.raises(ValueError, match='no name is given for 1 of the synsets, '
                     'such as n00000009: add them to --imagenet_metadata_file'):
    synsets.class_names(['n00000009'], {})


def test_find(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  for name in (synsets.CLASSES_FILENAME, synsets.NAMES_FILENAME):
    assert synsets.find(name) == synsets.bundled(name)
    (tmp_path / name).write_text('')
    assert synsets.find(name) == name
  with pytest.raises(FileNotFoundError, match='there is no mine.txt; give the '
                     'path of a file, or leave the flag out'):
    synsets.find('mine.txt')


@pytest.mark.parametrize('read,text,message', [
    (synsets.read_list, 'n00000001\nx1\n', "line 2 is 'x1': a line is a synset"),
    (synsets.read_list, '\n\n', 'names no synset'),
    (synsets.read_classes, 'n00000002\nn00000001\nn00000002\n',
     'names n00000002 twice: a class has one line'),
    (synsets.read_names, 'n00000001 a\n',
     r"line 1 is 'n00000001 a': a line is a synset, a tab and its words"),
    (synsets.read_names, 'n00000001\t\n', 'line 1 is'),
])
def test_faults_of_a_file(tmp_path, read, text, message):
  path = tmp_path / 'list.txt'
  path.write_text(text)
  with pytest.raises(ValueError, match=message) as caught:
    read(str(path))
  assert str(path) in str(caught.value)
