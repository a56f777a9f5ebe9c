"""Pictures to be classified, by whatever words their owner has for them."""
import glob
import io
import os
import sys

from slim_common import image_formats

_ENDINGS = ('.bmp', '.gif', '.jpeg', '.jpg', '.png')
_STANDARD_INPUT = '-'


class Picture:
  """A picture that can be read: a file, or bytes.

  Attributes:
    name: how it is shown: its path, where bytes that are not UTF-8 are written
      as \\xff.
  """

  def __init__(self, path, content=None):
    self.name = os.fsencode(path).decode('utf-8', 'backslashreplace')
    self._path = path
    self._content = content

  def read(self):
    """Returns the bytes.

    Raises:
      OSError: the file cannot be read.
    """
    if self._content is not None:
      return self._content
    with open(self._path, 'rb') as file:
      return file.read()

  def open(self):
    """Returns a path, or a file that can be read."""
    return self._path if self._content is None else io.BytesIO(self._content)


def find(words, standard_input=None):
  """Returns the pictures that words mean.

  Args:
    words: files, folders (their pictures, by name), patterns with *, ? and []
      (** for folders within folders), and - for standard input. If that begins
      as a picture does, it is one; otherwise it is read as words, one a line.
    standard_input: a binary file; that of the program if None.

  Returns:
    A list of Picture.

  Raises:
    ValueError: a word is none of these, or a folder holds no picture.
  """
  pictures = []
  for word in words:
    if word == _STANDARD_INPUT:
      pictures += _piped((standard_input or sys.stdin.buffer).read())
    else:
      pictures += [Picture(file) for file in _files(word)]
  return pictures


def _piped(content):
  if image_formats.detect(content) in image_formats.READ_BY_TENSORFLOW:
    return [Picture('standard input', content)]
  # Names of files are bytes; they hold no zero.
  lines = [] if b'\0' in content else content.splitlines()
  words = [os.fsdecode(line.strip()) for line in lines if line.strip()]
  if not words:
    raise ValueError('Standard input holds neither a picture (JPEG, PNG, GIF, '
                     'BMP) nor paths of pictures, one a line.')
  return [Picture(file) for word in words for file in _files(word)]


def _files(word):
  """Returns the paths that a word means."""
  if os.path.isdir(word):
    found = sorted(os.path.join(word, name) for name in os.listdir(word)
                   if name.lower().endswith(_ENDINGS))
    if not found:
      raise ValueError('The folder %s holds no picture (%s).' % (
          word, ', '.join(_ENDINGS)))
    return found
  if os.path.exists(word):
    return [word]
  if glob.has_magic(word):
    found = sorted(file for file in glob.glob(word, recursive=True)
                   if os.path.isfile(file))
    if not found:
      raise ValueError('No file matches %s.' % word)
    return found
  raise ValueError('There is no picture or folder %s.' % word)
