r"""Unpacks the archives of ImageNet (ILSVRC 2012).

  python datasets/imagenet_tools/unpack_imagenet.py --source=ARCHIVES \
      --output_directory=OUT

| archive in ARCHIVES              | becomes                                |
|----------------------------------|----------------------------------------|
| ILSVRC2012_img_train.tar         | OUT/train/n01440764/n01440764_18.JPEG  |
| ILSVRC2012_img_val.tar           | OUT/validation/ILSVRC2012_val_*.JPEG   |
| ILSVRC2012_bbox_train_v2.tar.gz  | OUT/bounding_boxes/*/n01440764_18.xml  |

Those who sign up at https://image-net.org can download them there. The archives
stay as they are, and another 150 GB are needed. A directory gets its name when
it is complete, so the same command resumes a run that was stopped, and does not
need the archive of a complete directory.
"""
import collections
import contextlib
import dataclasses
import io
import os
import re
import shutil
import sys
import tarfile
from typing import Optional

if __name__ == '__main__':
  # Started as a file, the directory of the file is first on the path.
  sys.path[0] = os.path.abspath(
      os.path.join(os.path.dirname(__file__), os.pardir, os.pardir))

# pylint: disable=wrong-import-position
from datasets.conversion import archives
from datasets.conversion import downloads
from datasets.imagenet_tools import synsets
from slim_common import atomic_files
from slim_common import flags
from slim_common import progress
from slim_common import transfer
from slim_common.flags import flag

_CLASS_ARCHIVE = re.compile(r'(?:\./)?(n\d{8})\.tar$')
_NUM_CLASSES = 1000
_DOWNLOADS = '.downloads'

# The archive of each directory; size and SHA-256 if they were published.
_ARCHIVES = collections.OrderedDict((
    ('train', downloads.RemoteFile(
        'ILSVRC2012_img_train.tar', 147897477120,
        'b08200a27a8e34218a0e58fde36b0fe8f73bc377f4acea2d91602057c3ca45bb')),
    ('validation', downloads.RemoteFile(
        'ILSVRC2012_img_val.tar', 6744924160,
        'c7e06a6c0baccf06d8dbeb6577d71efff84673a5dbdd50633ab44f8ea0456ae0')),
    ('bounding_boxes', downloads.RemoteFile(
        'ILSVRC2012_bbox_train_v2.tar.gz', None, None)),
))


@dataclasses.dataclass(frozen=True)
class UnpackOptions:
  """Options of unpack_imagenet.py."""
  source: Optional[str] = flag(
      None, 'Directory of the archives, or its URL (http, https, file), from '
      'which they are downloaded.', required=True)
  output_directory: Optional[str] = flag(
      None, 'Directory for train/, validation/ and bounding_boxes/.',
      required=True)
  allow_subset: bool = flag(
      False, 'Accept archives of other sizes than the published ones, and '
      'other numbers of synsets than 1,000.')


def run(source, output_directory, allow_subset=False):
  """Unpacks what is not unpacked yet.

  Args:
    source: directory of the archives, or its URL.
    output_directory: directory for train/, validation/ and bounding_boxes/.
    allow_subset: whether archives of any size are accepted.

  Raises:
    ValueError: an archive is damaged, unsafe or of the wrong size.
    OSError: an archive does not exist, or the disk is full.
  """
  for part, remote in _ARCHIVES.items():
    directory = os.path.join(output_directory, part)
    if _is_complete(part, directory):
      print('%s: unpacked already' % part)
      continue
    if '://' in source:
      archive = transfer.fetch(
          [source.rstrip('/') + '/' + remote.name],
          os.path.join(output_directory, _DOWNLOADS, remote.name),
          *((None, None) if allow_subset else remote[1:]),
          advice=downloads.GIVE_SOURCE)
    else:
      archive = _find(source, remote, allow_subset)
    if part == 'train':
      _unpack_classes(archive, directory, allow_subset)
    else:
      _unpack(archive, directory)
    if '://' in source:
      os.remove(archive)


def _is_complete(part, directory):
  """Returns whether nothing is left to unpack."""
  if not os.path.isdir(directory):
    return False
  return part != 'train' or _NUM_CLASSES == len(
      [name for name in os.listdir(directory) if synsets.is_synset(name)])


def _find(source, remote, allow_subset):
  """Returns the path of an archive; checks its size."""
  path = os.path.join(source, remote.name)
  if not os.path.exists(path):
    raise FileNotFoundError(
        'there is no %s: sign up at https://image-net.org, download it, and '
        'give its directory as --source' % path)
  size = os.path.getsize(path)
  if remote.size not in (None, size) and not allow_subset:
    raise ValueError(
        '%s has %d bytes, not the %d of the published one: download it again, '
        'or give --allow_subset' % (path, size, remote.size))
  return path


def _unpack(archive, directory, title=None):
  """Unpacks an archive; the directory appears when it is complete."""
  with atomic_files.new_directory(directory) as unpacked:
    archives.unpack(archive, unpacked, title)


def _unpack_classes(archive, directory, allow_subset):
  """Unpacks the archive that holds one archive per synset."""
  os.makedirs(directory, exist_ok=True)
  total = os.path.getsize(archive)
  try:
    with tarfile.open(
        archive, 'r:', tarinfo=archives.StrictTarInfo) as opened, (
            progress.of_bytes(
                'unpacking ' + os.path.basename(archive), total)) as shown:
      count = 0
      for member in opened:
        count += 1
        _unpack_class(opened, member, os.path.join(
            directory, _synset(archive, member)))
        shown.add(member.size)
  except tarfile.TarError as error:
    raise ValueError('%s is no tar archive, or a damaged one (%s): download '
                     'it again' % (archive, error))
  if count != _NUM_CLASSES and not allow_subset:
    raise ValueError('%s holds %d synsets, not %d: download it again, or give '
                     '--allow_subset' % (archive, count, _NUM_CLASSES))
  print('train: %d synsets in %s' % (count, directory))


def _synset(archive, member):
  """Returns the synset whose archive a member is."""
  match = _CLASS_ARCHIVE.match(member.name)
  if not match or not member.isfile():
    raise ValueError('%s holds %r where archives like n01440764.tar should be'
                     % (archive, member.name))
  return match.group(1)


def _unpack_class(opened, member, directory):
  """Unpacks the archive of a synset, unless its directory exists."""
  if os.path.isdir(directory):
    return
  archive = atomic_files.unfinished(directory + '.tar')
  with opened.extractfile(member) as source, open(archive, 'wb') as target:
    shutil.copyfileobj(source, target)
  # One bar for all says more than a line for each of a thousand archives.
  with contextlib.redirect_stdout(io.StringIO()):
    _unpack(archive, directory, '%s in %s' % (member.name, opened.name))
  os.remove(archive)


def main(config):
  run(config.source, config.output_directory, config.allow_subset)


if __name__ == '__main__':
  flags.run(main, UnpackOptions, __doc__)
