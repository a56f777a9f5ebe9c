"""The input images of classify_image.py."""
import glob
import io
import os
import sys

from slim_common import image_formats

_ENDINGS = ('.bmp', '.gif', '.jpeg', '.jpg', '.png')


class ImageInput:
  """An image to be read, from a file or from bytes.

  Attributes:
    name: str, its printable path, with bytes that are not UTF-8 as \\xff.
  """

  def __init__(self, path, content=None):
    self.name = os.fsencode(path).decode('utf-8', 'backslashreplace')
    self._path = path
    self._content = content

  def read(self):
    """Returns the content, bytes; OSError if the file cannot be read."""
    if self._content is not None:
      return self._content
    with open(self._path, 'rb') as file:
      return file.read()

  def open(self):
    """Returns the path, or a file object of the content."""
    return self._path if self._content is None else io.BytesIO(self._content)


def find(arguments, standard_input=None):
  """Returns the images that command-line arguments select.

  Args:
    arguments: files; directories, for the images in them, sorted by name;
      patterns with *, ? and [] (** for nested directories); and - for standard
      input, which is either an image or such arguments, one per line.
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
  if image_formats.detect(content) in image_formats.READ_BY_TENSORFLOW:
    return [ImageInput('standard input', content)]
  # File names are bytes without zeros.
  lines = [] if b'\0' in content else content.splitlines()
  arguments = [os.fsdecode(line.strip()) for line in lines if line.strip()]
  if not arguments:
    raise ValueError('Standard input is neither an image (JPEG, PNG, GIF, BMP) '
                     'nor a list of image paths, one per line.')
  return [ImageInput(file)
          for argument in arguments for file in _files(argument)]


def _files(argument):
  """Returns the paths that an argument selects."""
  if os.path.isdir(argument):
    found = [os.path.join(argument, name) for name in os.listdir(argument)
             if name.lower().endswith(_ENDINGS)]
    fault = 'The directory %s has no images (%s).' % (
        argument, ', '.join(_ENDINGS))
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
