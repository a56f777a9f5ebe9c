"""Words that mean pictures."""
import io
import os

import pytest

from image_classifier.classify import image_inputs


def _names(words, content=None):
  return [picture.name for picture in image_inputs.find(
      [str(word) for word in words], content and io.BytesIO(content))]


@pytest.fixture(name='folder')
def _folder(tmp_path):
  (tmp_path / 'inner').mkdir()
  for name in ('b.JPG', 'a.png', 'notes.txt', 'inner/c.jpeg'):
    (tmp_path / name).write_bytes(b'content of ' + name.encode())
  return tmp_path


def test_files_folders_and_patterns(folder):
  assert _names([folder / 'notes.txt', folder]) == [
      str(folder / name) for name in ('notes.txt', 'a.png', 'b.JPG')]
  assert _names([folder / '*.[Jp]*']) == [
      str(folder / 'a.png'), str(folder / 'b.JPG')]
  assert _names([folder / '**' / '*.jpeg']) == [str(folder / 'inner/c.jpeg')]
  picture, = image_inputs.find([str(folder / 'a.png')])
  assert picture.read() == b'content of a.png'
  assert picture.open() == str(folder / 'a.png')


def test_a_file_named_like_a_pattern(folder):
  (folder / 'a[1].png').write_bytes(b'')
  assert _names([folder / 'a[1].png']) == [str(folder / 'a[1].png')]


@pytest.mark.parametrize('beginning', [
    b'\xff\xd8\xff\xe0', b'\x89PNG\r\n', b'GIF89a', b'BM1'])
def test_a_picture_on_standard_input(beginning):
  picture, = image_inputs.find(['-'], io.BytesIO(beginning + b'\n\x00rest'))
  assert picture.name == 'standard input'
  assert picture.read() == beginning + b'\n\x00rest'
  assert picture.open().read() == picture.read()


def test_paths_on_standard_input(folder):
  lines = '%s\n\n%s\r\n' % (folder / 'a.png', folder / 'inner')
  assert _names(['-'], lines.encode()) == [
      str(folder / 'a.png'), str(folder / 'inner' / 'c.jpeg')]


def test_names_of_any_letters_and_of_none(folder):
  names = ['a b.png', 'k\u00e4tzchen \u732b.png', os.fsdecode(b'\xff.png')]
  for name in names:
    (folder / name).write_bytes(b'content of ' + os.fsencode(name))
  lines = b'\n'.join(os.fsencode(str(folder / name)) for name in names)
  for pictures in (
      image_inputs.find(['-'], io.BytesIO(lines)),
      image_inputs.find([str(folder / name) for name in names])):
    assert [picture.name for picture in pictures] == [
        '%s/%s' % (folder, shown) for shown in names[:2] + ['\\xff.png']]
    assert [picture.read() for picture in pictures] == [
        b'content of ' + os.fsencode(name) for name in names]
    assert pictures[2].open() == str(folder / names[2])


@pytest.mark.parametrize('word, content, message', [
    ('none.png', None, 'There is no picture or folder .*none.png'),
    ('*.gif', None, r'No file matches .*\*.gif'),
    ('empty', None, r'empty holds no picture \(.bmp, .gif, .jpeg, .jpg, .png'),
    ('-', b'\xfe\x00', 'Standard input holds neither a picture'),
    ('-', b'\n', 'Standard input holds neither a picture')])
def test_what_is_not_there(folder, word, content, message):
  (folder / 'empty').mkdir()
  with pytest.raises(ValueError, match=message):
    _names([word if word == '-' else folder / word], content)
