"""Downloads a dataset, and finds a source in its different forms."""
import collections
import contextlib
import os
import urllib.parse

from datasets.conversion import archives
from slim_common import transfer

# What programs with this flag advise if a download fails.
GIVE_SOURCE = 'Download it in another way and give its path as --source'


class RemoteFile(collections.namedtuple('RemoteFile', 'name size sha256')):
  """A file as its publisher announces it.

  Attributes:
    name: name of the file.
    size: in bytes; None if unknown.
    sha256: SHA-256 of the content in hex; None if unknown.
  """


class Published(collections.namedtuple('Published', 'mirrors files')):
  """Where a dataset is published.

  Attributes:
    mirrors: URLs that end with /, tried in turn; each has all files.
    files: `RemoteFile`s.
  """


def obtain(source, published, download_dir, unpack_dir):
  """Returns the directory of a dataset's files, unpacked.

  Args:
    source: None to download what is published; or the path of a directory,
      which is returned; or the path of a tar or zip archive; or a URL (http,
      https, file) of an archive or of the directory of the published files.
      The published size and checksum are not required of a given source.
    published: a `Published`.
    download_dir: directory for downloads; made if it is needed.
    unpack_dir: directory for the files of an archive; made if it is needed.

  Raises:
    ValueError: the source is none of these; an archive is damaged or unsafe.
    OSError: the source does not exist, or cannot be downloaded.
  """
  if source is None:
    return _download(published.mirrors, published.files, download_dir,
                     unpack_dir)
  if '://' in source:
    path = urllib.parse.urlsplit(source).path
    if path.lower().endswith(archives.SUFFIXES):
      archive = transfer.fetch(
          [source], os.path.join(download_dir, os.path.basename(path)),
          advice=GIVE_SOURCE)
      archives.unpack(archive, unpack_dir, source)
      return unpack_dir
    files = [RemoteFile(f.name, None, None) for f in published.files]
    return _download(
        [source.rstrip('/') + '/'], files, download_dir, unpack_dir)
  if not os.path.exists(source):
    raise FileNotFoundError('there is no %s: --source takes a directory, '
                            'an archive or a URL' % source)
  if os.path.isdir(source):
    return source
  archives.unpack(source, unpack_dir)
  return unpack_dir


def _download(mirrors, files, download_dir, unpack_dir):
  """Downloads the files; returns their directory, unpacked."""
  directory = download_dir
  for remote in files:
    path = transfer.fetch([mirror + remote.name for mirror in mirrors],
                 os.path.join(download_dir, remote.name),
                 remote.size, remote.sha256, GIVE_SOURCE)
    if remote.name.endswith(archives.SUFFIXES):
      archives.unpack(path, unpack_dir, remote.name)
      directory = unpack_dir
  return directory


@contextlib.contextmanager
def told_as(source, unpack_dir):
  """Makes errors name the source instead of where it was unpacked.

  Args:
    source: what the user knows of it: a path, a URL or a name.
    unpack_dir: directory of the files of an archive, which goes.
  """
  try:
    yield
  except (ValueError, OSError) as error:
    if unpack_dir not in str(error):
      raise
    kind = type(error) if isinstance(error, OSError) else ValueError
    raise kind(str(error).replace(unpack_dir, source)) from error


def candidates(directory):
  """Returns where a dataset's files can be: a directory and those in it.

  Archives put their files one directory deep.
  """
  return [directory] + sorted(
      entry.path for entry in os.scandir(directory) if entry.is_dir())
