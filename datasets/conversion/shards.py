"""Builds record files in worker processes; what is complete is built once.

A shard grows under a name that ends in `.part` and gets its own when it is
whole and on the disk. Beside it, a `.json` file says what it was made from: a
digest of all that is known of every picture, of the length and time of change
of its file, and of the policy. A later run with the same digest keeps the
shard, whatever ended the earlier one.

A picture is a named tuple whose first fields are `path` (of the file), `name`
(the path below the source's folder) and `label` (the class id). What goes into
its record, a function says: of the picture and its `image_checks.Verdict`,
which is on a JPEG, it returns the features for `encoding.serialize_example`.
"""
import collections
import errno
import hashlib
import io
import json
import os

from PIL import Image

from datasets.conversion import encoding
from datasets.conversion import image_checks
from slim_common import atomic_files

_FORMAT = 2
_JPEG_QUALITY = 95

# digest: of what the shard was made from; size: in bytes.
# examples_per_class: a dict of class id to number.
# bad: a list of [name, reason], of what was left out.
# conversions: a dict of reason to the number converted for it.
Report = collections.namedtuple(
    'Report', 'digest size examples_per_class bad conversions')


def find(path, pictures, features_of, policy, may_skip):
  """Returns the Report of a complete shard, or None if it is to be built.

  Args:
    path: of the record file.
    pictures: a list of pictures.
    features_of: the function that says what goes into a record.
    policy: an `image_checks.Policy`.
    may_skip: whether a shard that lacks bad pictures will do.
  """
  try:
    with open(path + '.json', encoding='utf-8') as source:
      content = json.load(source)
    content['examples_per_class'] = {
        int(label): count
        for label, count in content['examples_per_class'].items()}
    report = Report(**content)
    whole = os.path.getsize(path) == report.size
  except (OSError, ValueError, KeyError, TypeError, AttributeError):
    return None
  if not whole or (report.bad and not may_skip):
    return None
  digest = _digest(pictures, features_of, policy)
  return report if report.digest == digest else None


def build(path, pictures, features_of, policy, may_skip):
  """Builds a shard; the arguments are those of `find`.

  Returns:
    A `Report`. The file is there if no picture is bad, or `may_skip`.

  Raises:
    OSError: the file cannot be written.
  """
  digest = _digest(pictures, features_of, policy)
  bad, conversions = [], collections.Counter()
  labels = collections.Counter()
  _write(path + '.part', _records(
      pictures, features_of, policy, labels, bad, conversions))
  report = Report(digest, os.path.getsize(path + '.part'), dict(labels), bad,
                  dict(conversions))
  if bad and not may_skip:
    os.remove(path + '.part')
    return report
  if os.path.exists(path):
    os.remove(path)  # Else the new text could stand beside the old records.
  with open(path + '.json.part', 'w', encoding='utf-8') as target:
    json.dump(report._asdict(), target)
  atomic_files.sync(path + '.json.part')
  os.replace(path + '.json.part', path + '.json')
  os.replace(path + '.part', path)
  return report


def _digest(pictures, features_of, policy):
  """Returns the SHA-256, in hex, of what a shard is made from."""
  digest = hashlib.sha256(repr(
      (_FORMAT, features_of.__name__, tuple(policy))).encode())
  for picture in pictures:
    try:
      status = os.stat(picture.path)
      state = status.st_size, status.st_mtime_ns
    except OSError:
      state = None
    digest.update(repr((tuple(picture[1:]), state)).encode())
  return digest.hexdigest()


def _records(pictures, features_of, policy, labels, bad, conversions):
  """Yields the record of each good picture and counts what is met."""
  for picture in pictures:
    try:
      with open(picture.path, 'rb') as source:
        content = source.read()
    except OSError as error:
      bad.append((picture.name, 'cannot be read: %s' % (
          error.strerror or error)))
      continue
    verdict = image_checks.check(content, policy)
    if verdict.fault:
      bad.append((picture.name, verdict.fault))
      continue
    if verdict.image_format != 'jpg':
      verdict = _as_jpeg(verdict)
    if verdict.conversion:
      conversions[verdict.conversion] += 1
    labels[picture.label] += 1
    yield encoding.serialize_example(features_of(picture, verdict))


def _as_jpeg(verdict):
  """Returns the verdict on a PNG that is stored as a JPEG."""
  target = io.BytesIO()
  Image.open(io.BytesIO(verdict.content)).convert('RGB').save(
      target, 'JPEG', quality=_JPEG_QUALITY, subsampling=0)
  return verdict._replace(content=target.getvalue(), image_format='jpg',
                          conversion=verdict.conversion or 'PNG')


def _write(path, records):
  """Writes a record file to the disk."""
  # Imported in the workers alone, once in each.
  import tensorflow.compat.v1 as tf  # pylint: disable=g-import-not-at-top
  try:
    with tf.io.TFRecordWriter(path) as writer:
      for record in records:
        writer.write(record)
  except tf.errors.ResourceExhaustedError as error:
    raise OSError(errno.ENOSPC, error.message)
  except tf.errors.OpError as error:
    raise OSError(error.message)
  atomic_files.sync(path)
