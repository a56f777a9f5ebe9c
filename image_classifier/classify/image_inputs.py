"""The input images of classify_image.py, read as the converters read them."""
import glob
import io
import os
import sys

from datasets.conversion import image_checks
from slim_common import image_formats


class ImageInput:
  """An image to be read, from a file or from bytes.

  Attributes:
    name: str, its printable path, with bytes that are not UTF-8 as \\xff.
  """

  def __init__(self, path, content=None):
    self.name = _printable(path)
    self._path = path
    self._content = content

  def read(self):
    """Returns the image as the bytes of an upright JPEG or PNG, opaque, 8 bits.

    A converter would store the same, see `image_checks`.

    Raises:
      ValueError: it is damaged or no image; the message says why.
      OSError: the file cannot be read.
    """
    content = self._content
    if content is None:
      with open(self._path, 'rb') as file:
        content = file.read()
    verdict = image_checks.check(content)
    if verdict.fault:
      raise ValueError(verdict.fault)
    return verdict.content

  def open(self):
    """Returns a file object of what `read` returns, an empty one if nothing."""
    try:
      return io.BytesIO(self.read())
    except (ValueError, OSError):
      return io.BytesIO()


def find(arguments, standard_input=None):
  """Returns the images that command-line arguments select.

  Args:
    arguments: files; directories, for the images in them by name or content,
      sorted by name, while a line names the other files; patterns with *, ?
      and [] (** for nested directories); and - for standard input, which is
      either an image or such arguments, one per line.
    standard_input: a binary file; None for the standard input of the process.

  Returns:
    A list of ImageInput.

  Raises:
    ValueError: an argument is none of these, or a directory has no images.
  """
  images = []
  for argument in arguments:
    if argument == '-':
      images += _from_bytes((standard_input or sys.stdin.buffer).read())
    else:
      images += [ImageInput(file) for file in _files(argument)]
  return images


def _from_bytes(content):
  if image_formats.detect(content):
    return [ImageInput('standard input', content)]
  # File names are bytes without zeros.
  lines = [] if b'\0' in content else content.splitlines()
  arguments = [os.fsdecode(line.strip()) for line in lines if line.strip()]
  if not arguments:
    raise ValueError('Standard input is neither an image (JPEG, PNG, GIF, BMP, '
                     'WebP, TIFF and others) nor a list of image paths, one '
                     'per line.')
  return [ImageInput(file)
          for argument in arguments for file in _files(argument)]


def _files(argument):
  """Returns the paths that an argument selects."""
  if os.path.isdir(argument):
    found, others = _images_in(argument)
    fault = 'The directory %s has no images%s' % (
        argument, ', but %s.' % ', '.join(others) if others else '.')
    if found and others:
      print('Not images, in %s: %s' % (argument, ', '.join(others)),
            file=sys.stderr)
  elif os.path.exists(argument):
    return [argument]
  elif glob.has_magic(argument):
    found = filter(os.path.isfile, glob.glob(argument, recursive=True))
    fault = 'No file matches %s.' % argument
  else:
    found, fault = [], 'There is no image or directory %s.' % argument
  found = sorted(found)
  if not found:
    raise ValueError(fault)
  return found


def _images_in(directory):
  """Returns the paths of images in a directory, and the names of the others."""
  found, others = [], []
  for name in sorted(os.listdir(directory)):
    path = os.path.join(directory, name)
    if name.startswith('.'):
      continue
    if os.path.isdir(path):
      others.append('%s/ (give %s for the images in it)' % (
          _printable(name), _printable(path)))
    elif name.lower().endswith(image_formats.ENDINGS) or _begins_as_image(path):
      found.append(path)
    else:
      others.append(_printable(name))
  return found, others


def _begins_as_image(path):
  try:
    with open(path, 'rb') as file:
      return image_formats.detect(file.read(image_formats.HEAD_SIZE))
  except OSError:
    return True  # Reported where it is read.


def _printable(path):
  return os.fsencode(path).decode('utf-8', 'backslashreplace')
