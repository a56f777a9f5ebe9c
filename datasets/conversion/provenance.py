"""What a dataset was made of, and whether another conversion would differ.

The key "origin" of `dataset_info.json`:

  {"sources": ["/data/cats"], "options": {"seed": 0, ...},
   "num_files": 120, "num_bytes": 48123, "contents": "8d5e...", "times": "..."}

`contents` is a digest of the names, sizes and contents of the files, `times`
one of their names, sizes and times. Equal times are enough, so that looking
again costs no reading; a folder that was copied has other times, but the same
contents. What is downloaded has no files here; it is known by its address.
"""
import fnmatch
import hashlib
import os

from datasets.conversion import class_directories
from datasets.conversion import list_files
from slim_common import help_page

# Of the files of a directory; others are looked for one directory deep.
ALL = ('*',)
# Larger files, such as archives, count by three samples, in bytes: the
# conversion has read them once already.
_READ_WHOLE = 1 << 18
_SAMPLE = 1 << 16
# In place of the contents of files that changed while they were converted;
# equal to no others.
_CHANGED = 'changed'
# What it decides is seen in whether the dataset has a report of bad images.
BAD_IMAGES = 'on_bad_image'


class Origin:
  """The sources and options of a conversion."""

  def __init__(self, sources, options, patterns=ALL, read=True,
               lists_count=False, directory_flag='dataset_dir'):
    """Looks at names, sizes and times of the files.

    Args:
      sources: list of paths of directories, archives or lists, and of URLs;
        empty for the published files.
      options: dict {flag: value} of what the records depend on.
      patterns: patterns of the names of the files that count in a directory.
      read: whether contents are compared; if not, names and sizes are.
      lists_count: whether a csv or jsonl file stands for the images in it.
      directory_flag: name of the flag of the dataset's directory.
    """
    self._directory_flag = directory_flag
    self._sources = [source if '://' in source else os.path.abspath(source)
                     for source in sources]
    self._options = dict(options)
    self._read = read
    self._look_for = patterns, lists_count
    self._num_files, self._num_bytes, self._times, _ = self._look()

  def record(self, has_bad_images):
    """Returns the dict for `dataset_info.json`; reads the files."""
    options = dict(self._options)
    if not has_bad_images:
      options.pop(BAD_IMAGES, None)
    return {'sources': self._sources, 'options': options,
            'num_files': self._num_files, 'num_bytes': self._num_bytes,
            'contents': self._contents(), 'times': self._times}

  def check(self, recorded, what):
    """Raises ValueError if a dataset was made of something else.

    Args:
      recorded: what `record` returned for the dataset.
      what: the start of the message, `DIR holds NAME`.
    """
    found = self.differences(recorded)
    if found:
      raise ValueError(
          '%s already, but made otherwise: %s. Give --overwrite to convert it '
          'again, another --%s, or --keep to leave it as it is' % (
              what, '; '.join(found), self._directory_flag))

  def differences(self, recorded):
    """Returns a list of phrases: how a dataset's record differs from this.

    Args:
      recorded: what `record` returned for the dataset.
    """
    found = []
    if not self._is_same_source(recorded):
      then = _described(recorded['sources'], recorded['num_files'],
                        recorded['num_bytes'])
      now = _described(self._sources, self._num_files, self._num_bytes)
      found.append('its source was %s, not %s' % (then, now) if then != now else
                   'files of its source, %s, have changed' % now)
    theirs, ours = dict(recorded['options']), dict(self._options)
    if ours.get(BAD_IMAGES) == 'skip' or BAD_IMAGES not in theirs:
      ours.pop(BAD_IMAGES, None)
      theirs.pop(BAD_IMAGES, None)
    return found + [
        'it has %s, not %s' % (_setting(name, theirs.get(name)),
                               _setting(name, ours.get(name)))
        for name in sorted(set(theirs) | set(ours))
        if theirs.get(name) != ours.get(name)]

  def _is_same_source(self, recorded):
    gone = any(not os.path.exists(path) for path in self._sources
               if '://' not in path)
    if gone or not self._num_files or not recorded['num_files']:
      return self._sources == recorded['sources']
    if self._times == recorded['times']:
      return True
    return ((self._num_files, self._num_bytes) == (
        recorded['num_files'], recorded['num_bytes']) and
            self._contents() == recorded['contents'] != _CHANGED)

  def _contents(self):
    """Returns a digest of the files, or _CHANGED if they have changed."""
    try:
      _, _, times, contents = self._look(read=True)
    except (OSError, ValueError):  # A list that is gone, or no list any more.
      return _CHANGED
    return contents if times == self._times else _CHANGED

  def _look(self, read=False):
    """Looks at the files, one after the other.

    Args:
      read: whether to read them.

    Returns:
      (number, size in bytes, `times`, `contents`); the last is None if they
      are not read.
    """
    number, num_bytes = 0, 0
    times, contents = hashlib.sha1(), hashlib.sha1()
    for k, source in enumerate(self._sources):
      for name, path in _files(source, str(k), *self._look_for):
        size, time = _status(path)
        number, num_bytes = number + 1, num_bytes + size
        _add(times, (name, size, time))
        if read:
          _add(contents, (
              name, size, _sampled(path, size) if self._read else ''))
    return (number, num_bytes, times.hexdigest(),
            contents.hexdigest() if read else None)


def _files(source, prefix, patterns, lists_count):
  """Yields the (name, path) of the files of a source, sorted by name."""
  if '://' in source:
    return
  if not os.path.isdir(source):
    yield prefix, source
    if lists_count and source.lower().endswith(list_files.SUFFIXES):
      directory = os.path.dirname(source)
      for name in sorted({row.path for row in list_files.read(source)}):
        yield prefix + '/' + name, os.path.join(directory, name)
    return
  for above, names, files in os.walk(source, followlinks=True):
    names[:] = sorted(
        name for name in names if not class_directories.is_left_out(name) and
        not _is_above(os.path.join(above, name), above))
    if patterns != ALL:  # As `downloads.candidates` looks for them.
      names[:] = names if above == source else []
    inner = os.path.relpath(above, source)
    start = prefix + '/' if inner == os.curdir else '%s/%s/' % (prefix, inner)
    for name in sorted(files):
      if not class_directories.is_left_out(name) and (patterns == ALL or any(
          fnmatch.fnmatch(name, pattern) for pattern in patterns)):
        yield start + name, os.path.join(above, name)


def _is_above(path, directory):
  """Whether a link leads to a directory that it is in."""
  return os.path.islink(path) and (
      os.path.realpath(directory) + os.sep).startswith(
          os.path.realpath(path) + os.sep)


def _status(path):
  """Returns (size, time of the last change in ns) of a file."""
  try:
    status = os.stat(path)
  except OSError:
    return -1, 0
  return status.st_size, status.st_mtime_ns


def _sampled(path, size):
  """Returns a digest of a file's content, of three parts of it if large."""
  digest = hashlib.sha1()
  try:
    with open(path, 'rb') as source:
      if size <= _READ_WHOLE:
        digest.update(source.read())
      else:
        for at in (0, size // 2, size - _SAMPLE):
          source.seek(at)
          digest.update(source.read(_SAMPLE))
  except OSError:
    return ''
  return digest.hexdigest()


def _add(digest, row):
  digest.update(repr(row).encode('utf-8', 'surrogateescape'))


def _described(sources, num_files, num_bytes):
  if not num_files:
    return ' and '.join(sources) or 'what is published'
  return '%s (%d files, %d bytes)' % (
      ' and '.join(sources), num_files, num_bytes)


def _setting(name, value):
  return ('no --' + name if value in (None, '') else
          help_page.setting(name, value))
