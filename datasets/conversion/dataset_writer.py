"""Writes a dataset: record files that appear all at once.

A conversion works in hidden directories inside the dataset's directory:

  .NAME.downloads    what it downloads; kept when it fails, so that the next
                     run resumes the downloads
  .NAME.unpacked     what an archive holds; removed in any case
  .NAME.building     the files it writes; complete shards (see `shards`) are
                     kept when it fails, all else is removed
  .NAME.publishing   the same directory, renamed when all files are complete
                     and on the disk; from then on the new dataset counts

Publishing moves each file to its final name and `dataset_info.json` last. A
run that finds `.NAME.publishing` first finishes that; readers wait for it to
go. So a reader sees the old dataset or the new one.
"""
import collections
import concurrent.futures
import contextlib
import errno
import itertools
import os
import shutil

from datasets import dataset_info
from datasets.conversion import directories
from datasets.conversion import downloads
from datasets.conversion import encoding
from datasets.conversion import provenance
from datasets.conversion import shards
from datasets.conversion import worker_pool
from slim_common import atomic_files
from slim_common import progress

_IMAGES_PER_TASK = 256
_DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT)


def convert_images(name, files, published, read, patterns, dataset_dir,
                   source=None, overwrite=False, num_workers=None, keep=False):
  """Converts a dataset whose images, all of one size, fit in memory.

  Args:
    name: name of the dataset.
    files: dict of split name to list of the names of its record files.
    published: a `downloads.Published`, for where no source is given.
    read: function of the source's directory that returns the class names and a
      dict of split name to (images, labels): uint8 [count, height, width, 1
      or 3] and class ids [count].
    patterns: patterns of the names of the files that `read` reads.
    dataset_dir: directory for the files.
    source: as for `downloads.obtain`.
    overwrite: whether an existing dataset is replaced.
    num_workers: number of processes; None for one per core.
    keep: whether a dataset of another source stays.

  Raises:
    ValueError: the source is damaged or something else, or the directory holds
      another dataset, or one of another source.
    OSError: a file or a mirror cannot be reached, or the disk is full.
  """
  with DatasetWriter(dataset_dir, name, num_workers) as writer:
    origin = provenance.Origin([source] if source else [], {}, patterns)
    if writer.keep_existing(sum(files.values(), []), overwrite, origin, keep):
      return
    directory = downloads.obtain(
        source, published, writer.download_dir, writer.unpack_dir)
    with downloads.told_as(source or name, writer.unpack_dir):
      class_names, splits = read(directory)
    for split in files:
      images, labels = splits[split]
      writer.write_images(split, files[split], images, labels)
    _, height, width, channels = images.shape
    writer.publish(class_names, {
        'height': height, 'width': width, 'channels': channels})


class DatasetWriter:
  """Writes one dataset into a directory and publishes it whole.

  A context manager. Leaving it without `publish` leaves the dataset as it was,
  and keeps complete shards for the next run.

  Attributes:
    name: name of the dataset.
    download_dir: directory for what is downloaded.
    unpack_dir: directory for what an archive holds.
    workers: a `worker_pool.WorkerPool`.
  """

  def __init__(self, dataset_dir, name, num_workers=None):
    """Prepares to write; changes nothing yet.

    Args:
      dataset_dir: the directory; made if it does not exist.
      name: name of the dataset, such as 'mnist'.
      num_workers: number of processes; None for one per core. The files do not
        depend on it.

    Raises:
      ValueError: `num_workers` is under 1.
    """
    self._dir, self.name = dataset_dir, name
    self._building = os.path.join(dataset_dir, '.%s.building' % name)
    self._publishing = os.path.join(
        dataset_dir, dataset_info.publishing_directory(name))
    self.download_dir = os.path.join(dataset_dir, '.%s.downloads' % name)
    self.unpack_dir = os.path.join(dataset_dir, '.%s.unpacked' % name)
    self.workers = worker_pool.WorkerPool(num_workers)
    # Files are brought to the disk while the next ones are written.
    self._disk = concurrent.futures.ThreadPoolExecutor(1)
    self._pending = []
    self._splits = collections.OrderedDict()
    self._side_files = []
    self._origin = None
    self._is_complete = False
    self._exit_stack = contextlib.ExitStack()

  def __enter__(self):
    with contextlib.ExitStack() as stack:
      stack.callback(directories.remove_if_empty, *directories.make(self._dir))
      stack.enter_context(directories.lock(self._dir))
      stack.push(self._clean_up)
      stack.enter_context(self.workers)
      stack.enter_context(self._disk)
      if os.path.isdir(self._publishing):
        print('An earlier conversion into %s was stopped while it moved its '
              'files into place: finishing that.' % self._dir)
        self._move_into_place()
      if os.path.isdir(self._building) and not self._keep_complete():
        print('An earlier conversion into %s did not finish: its half-written '
              'files are removed.' % self._dir)
      self._exit_stack = stack.pop_all()
    return self

  def __exit__(self, kind, error, traceback):
    self._exit_stack.__exit__(kind, error, traceback)
    if self._is_complete:
      return
    if isinstance(error, KeyboardInterrupt):
      print('\nStopped: nothing was published, the content of %s is unchanged.'
            % self._dir)
    if isinstance(error, OSError) and error.errno in _DISK_IS_FULL:
      raise OSError(error.errno, (
          'no space left on the disk of %s (%s). Nothing was published: make '
          'room and start again, or choose another --dataset_dir'
          % (self._dir, error))) from error

  def _clean_up(self, unused_kind, error, unused_traceback):
    shutil.rmtree(self.unpack_dir, ignore_errors=True)
    directories.remove_if_empty(self.download_dir)
    num_complete = self._keep_complete()
    if num_complete and error:
      print('%d complete files stay in %s: the same command continues from '
            'them.' % (num_complete, self._building))

  def _keep_complete(self):
    """Removes what is no complete shard; returns the number of those."""
    if not os.path.isdir(self._building):
      return 0
    num_complete = shards.keep_complete(self._building)
    directories.remove_if_empty(self._building)
    return num_complete

  def existing_info(self):
    """Returns the `dataset_info.json` of an existing dataset of this name.

    Returns:
      A dict, or None if there is no such dataset.

    Raises:
      ValueError: the file is damaged.
    """
    info = self._read_info(self._dir)
    return info if info and info['name'] == self.name else None

  def keep_existing(self, files, overwrite=False, origin=None, keep=False):
    """Returns whether the dataset exists already and stays; says so.

    Args:
      files: list of the names of the record files to come.
      overwrite: whether the dataset is converted again in any case.
      origin: a `provenance.Origin`, recorded with what is published.
      keep: whether a dataset of another origin stays, too.

    Raises:
      ValueError: the directory holds another dataset, one of another origin,
        or a damaged `dataset_info.json`.
    """
    self._origin = origin
    info = self._read_info(self._dir, tolerate_damage=overwrite)
    if info and info['name'] != self.name:
      raise ValueError(
          '%s holds the dataset %s: choose another --dataset_dir for %s'
          % (self._dir, info['name'], self.name))
    if info:
      files = _files_of(info)
    present = [f for f in files if os.path.exists(os.path.join(self._dir, f))]
    if not present:
      return False
    if overwrite:
      print('%s already holds %s: it is converted again, and replaced when '
            'that is done.' % (self._dir, self.name))
      return False
    if len(present) == len(files):
      if origin and not keep and info and info['origin']:
        origin.check(info['origin'], '%s holds %s' % (self._dir, self.name))
      print('%s already holds %s: nothing to do (--overwrite converts it '
            'again).' % (self._dir, self.name))
      return True
    print('%s holds %s but not %s: an earlier conversion did not finish, so '
          'all is converted again.' % (self._dir, ', '.join(present), ', '.join(
              f for f in files if f not in present)))
    return False

  def path(self, file_name):
    """Returns the path of a file until the dataset is published."""
    os.makedirs(self._building, exist_ok=True)
    return os.path.join(self._building, file_name)

  def submit(self, function, *arguments):
    """Runs work on the disk in a thread; returns a Future."""
    self._pending.append(self._disk.submit(function, *arguments))
    return self._pending[-1]

  def write_images(self, split, file_names, images, labels):
    """Writes a split from pixels, each image as a PNG.

    Args:
      split: name of the split.
      file_names: list of the names of its record files.
      images: uint8 [count, height, width, 1 or 3].
      labels: integers [count], class ids.
    """
    tasks = ((images[start:start + _IMAGES_PER_TASK],
              labels[start:start + _IMAGES_PER_TASK])
             for start in range(0, len(labels), _IMAGES_PER_TASK))
    self.write_split(split, file_names, len(labels),
                     self.workers.map(encoding.encode_images, tasks))

  def write_split(self, split, file_names, num_examples, encoded):
    """Writes a split; consecutive examples share a file.

    Args:
      split: name of the split.
      file_names: list of the names of its record files.
      num_examples: number of examples.
      encoded: yields lists of (serialized tf.train.Example, class id, or a
        tuple of class ids where there may be several or none).

    Raises:
      ValueError: `encoded` does not hold `num_examples`.
    """
    examples = itertools.chain.from_iterable(encoded)
    per_file = -(-num_examples // len(file_names))
    class_counts = collections.Counter()
    with progress.Progress('%s %s' % (self.name, split), num_examples,
                           'images') as shown:
      examples_per_file = [
          self._write_file(file_name, itertools.islice(examples, per_file),
                           class_counts, shown)
          for file_name in file_names]
    written = sum(examples_per_file)
    if written != num_examples or next(examples, None):
      raise ValueError('%s %s: %d examples announced, %s came' % (
          self.name, split, num_examples,
          'more' if written == num_examples else written))
    self.add_split(split, file_names, examples_per_file, class_counts)

  def _write_file(self, file_name, examples, class_counts, shown):
    """Writes one record file and returns its number of examples."""
    count = 0
    with shards.record_writer(self.path(file_name)) as writer:
      for record, label in examples:
        writer.write(record)
        class_counts.update(shards.class_ids(label))
        shown.add(1)
        count += 1
    self.submit(atomic_files.sync, self.path(file_name))
    return count

  def add_split(self, split, files, examples_per_file, class_counts):
    """Adds a split whose record files are written.

    Args:
      split: name of the split.
      files: list of the names of its record files.
      examples_per_file: list of their numbers of examples.
      class_counts: Counter of the examples of each class id.
    """
    self._splits[split] = files, examples_per_file, class_counts

  def replace_shards(self, file_names):
    """Puts unfinished files, complete now, in place of all shards.

    Args:
      file_names: list of the names of the record files.
    """
    # Reports first: what follows may be interrupted.
    for name in sorted(os.listdir(self._building), reverse=True):
      if not name.startswith('.'):
        os.remove(self.path(name))
    for name in file_names:
      os.rename(atomic_files.unfinished(self.path(name)), self.path(name))

  def add_file(self, name, text):
    """Writes a text file that is published with the records.

    It goes when a later dataset replaces this one.

    Args:
      name: name of the file.
      text: its content.
    """
    self._write_text(name, text)
    self._side_files.append(name)

  def publish(self, class_names, image=None, multi_label=False,
              max_pixels=dataset_info.MAX_PIXELS):
    """Puts the written splits in place of an existing dataset.

    Args:
      class_names: list of the name of each class id from 0.
      image: dict of 'height', 'width' and 'channels' if all images have them,
        else None.
      multi_label: whether an example has any number of classes, not one.
      max_pixels: maximum height times width that the images were held to.
    """
    splits = collections.OrderedDict()
    for split, (files, examples_per_file, counts) in self._splits.items():
      splits[split] = collections.OrderedDict(
          num_examples=sum(examples_per_file), files=files,
          examples_per_file=examples_per_file,
          examples_per_class=[counts[k] for k in range(len(class_names))])
    self._write_text(dataset_info.LABELS_FILENAME,
                     dataset_info.labels_text(dict(enumerate(class_names))))
    info = dataset_info.info_text(
        self.name, class_names, image, splits, self._side_files, multi_label,
        max_pixels, self._origin and self._origin.record(
            bool(self._side_files)))
    self._write_text(dataset_info.INFO_FILENAME, info)
    for future in self._pending:
      future.result()
    wanted = {dataset_info.LABELS_FILENAME, dataset_info.INFO_FILENAME}.union(
        self._side_files, *(split['files'] for split in splits.values()))
    for file_name in set(os.listdir(self._building)) - wanted:
      os.remove(self.path(file_name))
    atomic_files.sync(self._building)
    self._is_complete = True
    os.rename(self._building, self._publishing)
    self._move_into_place()
    shutil.rmtree(self.download_dir, ignore_errors=True)
    print('%s: %s, %d classes, in %s' % (
        self.name, ', '.join('%d %s' % (splits[s]['num_examples'], s)
                             for s in splits), len(class_names), self._dir))

  def _write_text(self, file_name, text):
    with atomic_files.publish(self.path(file_name), durable=True,
                              encoding='utf-8', newline='') as target:
      target.write(text)

  def _move_into_place(self):
    """Gives published files their final names; can be repeated."""
    new_info = self._read_info(self._publishing)
    if new_info:
      for name in os.listdir(self._publishing):
        if name != dataset_info.INFO_FILENAME:
          self._move(name)
      old_info = self._read_info(self._dir, tolerate_damage=True)
      if old_info and old_info['name'] == self.name:
        for name in (set(_files_of(old_info) + old_info['side_files']) -
                     set(_files_of(new_info) + new_info['side_files'])):
          with contextlib.suppress(FileNotFoundError):
            os.remove(os.path.join(self._dir, os.path.basename(name)))
      atomic_files.sync(self._dir)
      self._move(dataset_info.INFO_FILENAME)
    os.rmdir(self._publishing)
    atomic_files.sync(self._dir)

  def _move(self, name):
    os.replace(os.path.join(self._publishing, name),
               os.path.join(self._dir, name))

  @staticmethod
  def _read_info(directory, tolerate_damage=False):
    """Returns the content of a directory's `dataset_info.json`, or None."""
    path = os.path.join(directory, dataset_info.INFO_FILENAME)
    if not os.path.exists(path):
      return None
    try:
      with open(path, 'rb') as source:
        return dataset_info.parse_info(source.read(), path)
    except ValueError:
      if tolerate_damage:
        return None
      raise


def _files_of(info):
  return [name for split in info['splits'].values() for name in split['files']]
