"""Arguments that select images."""
import io
import os

from PIL import Image
import pytest

from datasets.conversion import image_checks
from image_classifier.classify import image_inputs
from tests.datasets.conversion import odd_images

_PNG = odd_images.encoded(odd_images.photo(), 'PNG')


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


@pytest.mark.parametrize('odd', [
    odd for odd in odd_images.corpus() if odd.fate != odd_images.REJECTED],
                         ids=lambda odd: odd.name)
def test_an_image_is_read_as_it_would_be_converted(odd, tmp_path):
  (tmp_path / odd.name).write_bytes(odd.content)
  image, = image_inputs.find([str(tmp_path)])
  assert image.read() == image_checks.check(odd.content).content
  assert image.open().read() == image.read()


@pytest.mark.parametrize('content, message', [
    (b'', 'empty file'), (_PNG[:-20], 'truncated PNG'),
    (b'\0\0\0\x20ftypavif' + bytes(20), 'AVIF: not read; convert it')])
def test_an_image_that_cannot_be_read(content, message, tmp_path):
  (tmp_path / 'a.png').write_bytes(content)
  image, = image_inputs.find([str(tmp_path)])
  with pytest.raises(ValueError, match=message):
    image.read()
  assert image.open().read() == b''


def test_what_a_directory_has_besides_images_is_named(directory, capsys):
  (directory / 'no ending').write_bytes(_PNG)
  (directory / '.hidden').write_bytes(b'x')
  assert _names([directory]) == [
      str(directory / name) for name in ('a.png', 'b.JPG', 'no ending')]
  assert capsys.readouterr().err == (
      'Not images, in %s: inner/ (give %s/inner for the images in it), '
      'notes.txt\n' % (directory, directory))


def test_a_file_named_like_a_pattern(directory):
  (directory / 'a[1].png').write_bytes(b'')
  assert _names([directory / 'a[1].png']) == [str(directory / 'a[1].png')]


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'GIF', 'BMP', 'WEBP', 'TIFF'])
def test_an_image_on_standard_input(kind):
  content = odd_images.encoded(odd_images.photo(), kind)
  image, = image_inputs.find(['-'], io.BytesIO(content))
  assert image.name == 'standard input'
  assert Image.open(image.open()).size == (48, 32)


def test_paths_on_standard_input(directory):
  lines = '%s\n\n%s\r\n' % (directory / 'a.png', directory / 'inner')
  assert _names(['-'], lines.encode()) == [
      str(directory / 'a.png'), str(directory / 'inner' / 'c.jpeg')]


def test_names_of_any_bytes(directory):
  names = ['a b.png', 'k\u00e4tzchen \u732b.png', os.fsdecode(b'\xff.png')]
  for name in names:
    (directory / name).write_bytes(_PNG)
  lines = b'\n'.join(os.fsencode(str(directory / name)) for name in names)
  for images in (
      image_inputs.find(['-'], io.BytesIO(lines)),
      image_inputs.find([str(directory / name) for name in names])):
    assert [image.name for image in images] == [
        '%s/%s' % (directory, shown) for shown in names[:2] + ['\\xff.png']]
    assert [image.read() for image in images] == [_PNG] * 3


@pytest.mark.parametrize('argument, content, message', [
    ('none.png', None, 'There is no image or directory .*none.png'),
    ('*.gif', None, r'No file matches .*\*.gif'),
    ('empty', None, r'empty has no images\.$'),
    ('texts', None, r'texts has no images, but a\.txt, b/ \(give .*texts/b for '
     r'the images in it\)\.$'),
    ('-', b'\xfe\x00', 'Standard input is neither an image'),
    ('-', b'\n', 'Standard input is neither an image')])
def test_arguments_without_images(directory, argument, content, message):
  (directory / 'empty').mkdir()
  (directory / 'texts' / 'b').mkdir(parents=True)
  (directory / 'texts' / 'a.txt').write_text('a')
  with pytest.raises(ValueError, match=message):
    _names([argument if argument == '-' else directory / argument], content)
