"""Arguments that select images."""
import io
import os

import pytest

from image_classifier.classify import image_inputs


def _names(arguments, content=None):
  return [image.name for image in image_inputs.find(
      list(map(str, arguments)), content and io.BytesIO(content))]


@pytest.fixture(name='directory')
def _directory(tmp_path):
  (tmp_path / 'inner').mkdir()
  for name in ('b.JPG', 'a.png', 'notes.txt', 'inner/c.jpeg'):
    (tmp_path / name).write_bytes(b'content of ' + name.encode())
  return tmp_path


def test_files_directories_and_patterns(directory):
  assert _names([directory / 'notes.txt', directory]) == [
      str(directory / name) for name in ('notes.txt', 'a.png', 'b.JPG')]
  assert _names([directory / '*.[Jp]*']) == [
      str(directory / 'a.png'), str(directory / 'b.JPG')]
  assert _names([directory / '**' / '*.jpeg']) == [
      str(directory / 'inner/c.jpeg')]
  image, = image_inputs.find([str(directory / 'a.png')])
  assert image.read() == b'content of a.png'
  assert image.open() == str(directory / 'a.png')


def test_a_file_named_like_a_pattern(directory):
  (directory / 'a[1].png').write_bytes(b'')
  assert _names([directory / 'a[1].png']) == [str(directory / 'a[1].png')]


@pytest.mark.parametrize('start', [
    b'\xff\xd8\xff\xe0', b'\x89PNG\r\n\x1a\n', b'GIF89a', b'BM1'])
def test_an_image_on_standard_input(start):
  image, = image_inputs.find(['-'], io.BytesIO(start + b'\n\x00rest'))
  assert image.name == 'standard input'
  assert image.read() == start + b'\n\x00rest'
  assert image.open().read() == image.read()


def test_paths_on_standard_input(directory):
  lines = '%s\n\n%s\r\n' % (directory / 'a.png', directory / 'inner')
  assert _names(['-'], lines.encode()) == [
      str(directory / 'a.png'), str(directory / 'inner' / 'c.jpeg')]


def test_names_of_any_bytes(directory):
  names = ['a b.png', 'k\u00e4tzchen \u732b.png', os.fsdecode(b'\xff.png')]
  for name in names:
    (directory / name).write_bytes(b'content of ' + os.fsencode(name))
  lines = b'\n'.join(os.fsencode(str(directory / name)) for name in names)
  for images in (
      image_inputs.find(['-'], io.BytesIO(lines)),
      image_inputs.find([str(directory / name) for name in names])):
    assert [image.name for image in images] == [
        '%s/%s' % (directory, shown) for shown in names[:2] + ['\\xff.png']]
    assert [image.read() for image in images] == [
        b'content of ' + os.fsencode(name) for name in names]
    assert images[2].open() == str(directory / names[2])


@pytest.mark.parametrize('argument, content, message', [
    ('none.png', None, 'There is no image or directory .*none.png'),
    ('*.gif', None, r'No file matches .*\*.gif'),
    ('empty', None, r'empty has no images \(.bmp, .gif, .jpeg, .jpg, .png'),
    ('-', b'\xfe\x00', 'Standard input is neither an image'),
    ('-', b'\n', 'Standard input is neither an image')])
def test_arguments_without_images(directory, argument, content, message):
  (directory / 'empty').mkdir()
  with pytest.raises(ValueError, match=message):
    _names([argument if argument == '-' else directory / argument], content)
