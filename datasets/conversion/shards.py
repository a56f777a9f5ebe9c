"""Builds record files in worker processes; what is complete is built once.

A shard is written in one part or several, by one worker each, under hidden
names. Complete parts are joined and brought to the disk, the shard gets its
name, and a JSON file beside it says what it was made from: a digest of all that
is known of every image, of the size and modification time of its file, and of
the policy. A later run with the same digest keeps the shard, whatever ended the
earlier one.

An image is a named tuple whose first fields are `path` (of its file), `name`
(its path in the source) and `label` (the class id, or a tuple of class ids
where there may be several or none). A function, `features_of`, returns the
features of its record for `encoding.serialize_example`, given the image and the
`image_checks.Verdict` on it.
"""
import collections
import contextlib
import errno
import hashlib
import json
import os
import shutil
import stat
import struct

from datasets.conversion import encoding
from datasets.conversion import image_checks
from slim_common import atomic_files
from slim_common import image_formats

_FORMAT = 4
_REPORT_SUFFIX = '.json'
_BLOCK = 1 << 20
# In a record file: bytes of length and checksum before a record, and of its
# checksum behind it.
_LENGTH = struct.Struct('<Q')
_BEFORE, _AFTER = 12, 4


class Part(collections.namedtuple(
    'Part',
    'path digests num_examples examples_per_class bad conversions warnings')):
  """Records that one worker wrote.

  Attributes:
    path: path of the file.
    digests: bytes, the SHA-256 of each image and of the state of its file.
    num_examples: number of records.
    examples_per_class: dict of class id to number of records.
    bad: list of (name, reason) of the images left out.
    conversions: dict of reason to number of images converted.
    warnings: list of (name, warning) of images that may have lost something.
  """


class Report(collections.namedtuple(
    'Report',
    'digest size num_examples examples_per_class bad conversions warnings')):
  """What is known of a complete shard.

  Attributes:
    digest: SHA-256, in hex, of what it was made from.
    size: size of the record file, in bytes.
    num_examples: number of records.
    examples_per_class: dict of class id to number of records.
    bad: list of (name, reason) of the images left out.
    conversions: dict of reason to number of images converted.
    warnings: list of (name, warning) of images that may have lost something.
  """


@contextlib.contextmanager
def record_writer(path):
  """Opens a record file for writing, with errors as OSErrors."""
  # A second and more, which programs that write no records do without.
  import tensorflow.compat.v1 as tf  # pylint: disable=g-import-not-at-top
  try:
    with tf.io.TFRecordWriter(path) as writer:
      yield writer
  except tf.errors.ResourceExhaustedError as error:
    raise OSError(errno.ENOSPC, error.message)
  except tf.errors.OpError as error:
    raise OSError(error.message)


def class_ids(label):
  """Returns the class ids of an image's label, as a tuple."""
  return label if isinstance(label, tuple) else (label,)


def keep_complete(directory):
  """Removes all but complete shards; returns the number of those."""
  names = set(os.listdir(directory))
  kept = {name for name in names if name + _REPORT_SUFFIX in names}
  for name in names - kept - {name + _REPORT_SUFFIX for name in kept}:
    os.remove(os.path.join(directory, name))
  return len(kept)


def find(path, images, features_of, policy):
  """Returns the Report of a complete shard, or None if it must be built.

  Args:
    path: path of the record file.
    images: list of the images it is made from.
    features_of: function that returns the features of a record.
    policy: an `image_checks.Policy`.
  """
  try:
    with open(path + _REPORT_SUFFIX, encoding='utf-8') as source:
      report = Report(**json.load(source))
    report = report._replace(
        bad=[tuple(entry) for entry in report.bad],
        warnings=[tuple(entry) for entry in report.warnings],
        examples_per_class={
            int(label): count
            for label, count in report.examples_per_class.items()})
    is_whole = os.path.getsize(path) == report.size
  except (OSError, ValueError, KeyError, TypeError, AttributeError):
    return None
  if is_whole and report.digest == _digest(
      _digests(images), features_of, policy):
    return report
  return None


def write_part(path, images, features_of, policy):
  """Writes the records of images, bad ones left out.

  Args:
    path: path of the file.
    images: list of images.
    features_of: as for `find`.
    policy: as for `find`.

  Returns:
    A `Part`.

  Raises:
    OSError: the file cannot be written.
  """
  digests = _digests(images)
  bad, warned, num_examples = [], [], 0
  conversions, class_counts = collections.Counter(), collections.Counter()
  with record_writer(path) as writer:
    for image in images:
      verdict = _check(image.path, policy)
      if verdict.fault:
        bad.append((image.name, verdict.fault))
        continue
      if verdict.conversion:
        conversions[verdict.conversion] += 1
      if verdict.warning:
        warned.append((image.name, verdict.warning))
      class_counts.update(class_ids(image.label))
      num_examples += 1
      writer.write(encoding.serialize_example(features_of(image, verdict)))
  return Part(
      path, digests, num_examples, class_counts, bad, conversions, warned)


def join(path, parts, features_of, policy):
  """Makes a shard of its parts, whose files go.

  Args:
    path: path of the record file.
    parts: list of `Part`s.
    features_of: as for `find`.
    policy: as for `find`.

  Returns:
    A `Report`.

  Raises:
    OSError: a file cannot be read or written.
  """
  joined = parts[0].path
  with open(joined, 'ab') as target:
    for part in parts[1:]:
      with open(part.path, 'rb') as source:
        shutil.copyfileobj(source, target, _BLOCK)
      os.remove(part.path)
  atomic_files.sync(joined)
  bad, warned = [], []
  counts = [collections.Counter(), collections.Counter()]
  for part in parts:
    bad += part.bad
    warned += part.warnings
    counts[0].update(part.examples_per_class)
    counts[1].update(part.conversions)
  report = Report(
      _digest(b''.join(part.digests for part in parts), features_of, policy),
      os.path.getsize(joined), sum(part.num_examples for part in parts),
      counts[0], bad, counts[1], warned)
  # No report is ever beside records that it does not describe.
  with contextlib.suppress(FileNotFoundError):
    os.remove(path + _REPORT_SUFFIX)
  os.replace(joined, path)
  with atomic_files.publish(
      path + _REPORT_SUFFIX, durable=True, encoding='utf-8') as target:
    json.dump(report._asdict(), target)
  return report


def _digest(digests, features_of, policy):
  """Returns the SHA-256, in hex, of what a shard is made from."""
  return hashlib.sha256(repr(
      (_FORMAT, features_of.__name__, tuple(policy))).encode() +
                        digests).hexdigest()


def _digests(images):
  """Returns the SHA-256 of each image and of the state of its file."""
  digests = []
  for image in images:
    try:
      status = os.stat(image.path)
      state = status.st_size, status.st_mtime_ns
    except OSError:
      state = None
    digests.append(hashlib.sha256(
        repr((tuple(image[1:]), state)).encode()).digest())
  return b''.join(digests)


def _check(path, policy):
  """Returns the `image_checks.Verdict` on a file."""
  try:
    return image_checks.check(_read(path), policy)
  except OSError as error:
    return image_checks.rejected(
        'cannot be read: %s' % (error.strerror or error))


def _read(path):
  """Returns the content of a file; of one that is no image, its start."""
  # Opening a pipe would otherwise wait for a writer.
  descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
  try:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
      raise OSError(errno.EINVAL, 'not a file')
    content = os.read(descriptor, min(status.st_size, _BLOCK))
    if len(content) < status.st_size and image_formats.detect(content):
      content += os.read(descriptor, status.st_size - len(content))
    return content
  finally:
    os.close(descriptor)


def locate_records(path):
  """Yields (offset, size) of each record in a record file, in bytes."""
  offset = 0
  with open(path, 'rb') as source:
    for start in iter(lambda: source.read(_BEFORE), b''):
      size = _BEFORE + _LENGTH.unpack_from(start)[0] + _AFTER
      yield offset, size
      offset = source.seek(offset + size)


def copy_records(path, source_paths, records):
  """Writes a record file of records of others.

  Args:
    path: path of the new file.
    source_paths: list of the paths of the others.
    records: yields (index of the path, offset, size), the latter two as
      `locate_records` finds them.
  """
  with open(path, 'wb') as target:
    for index, offset, size in records:
      with open(source_paths[index], 'rb') as source:
        source.seek(offset)
        target.write(source.read(size))
  atomic_files.sync(path)
