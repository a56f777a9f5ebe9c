"""Writes a dataset: sharded TFRecord files that appear all at once.

A conversion works in hidden folders inside the dataset's folder:

  .NAME.downloads    what it fetches; kept when it fails, so that the next run
                     goes on from there
  .NAME.unpacked     what an archive holds; removed in any case
  .NAME.scratch      what waits to be written; removed in any case
  .NAME.partial      the files it writes; whatever stands there at the start
                     of a run is of a run that did not finish, and is removed
  .NAME.publishing   the same folder, renamed when all files are whole and on
                     the disk; from then on the new dataset is what counts

Publishing moves each file to its final name and `dataset_info.json` last. A
run that finds `.NAME.publishing` first finishes what its predecessor began;
readers wait for it to go. So a reader sees the old dataset or the new one.
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
from datasets.conversion import worker_pool
from slim_common import atomic_files
from slim_common import progress

_PICTURES_PER_TASK = 256
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def convert_pictures(name, files, published, read, dataset_dir, source=None,
                     overwrite=False, num_workers=None):
  """Converts a dataset whose pictures, all of one size, fit in memory.

  Args:
    name: of the dataset.
    files: a dict of split name to a list of the record files it goes to.
    published: a `downloads.Published`, for where no source is given.
    read: a function of the source's folder that returns the class names and a
      dict of split name to (images, labels): uint8 [count, height, width, 1
      or 3] and class ids [count].
    dataset_dir: the folder for the files.
    source: see `downloads.obtain`.
    overwrite: whether a dataset that stands there is replaced.
    num_workers: how many processes encode; None for one a core.

  Raises:
    ValueError: the source is damaged or holds something else, or the folder
      another dataset.
    OSError: a file or a mirror cannot be reached, or the disk is full.
  """
  with DatasetWriter(dataset_dir, name, num_workers) as writer:
    if writer.keep_existing(sum(files.values(), []), overwrite):
      return
    folder = downloads.obtain(
        source, published, writer.download_dir, writer.unpack_dir)
    class_names, splits = read(folder)
    for split in files:
      images, labels = splits[split]
      writer.write_pictures(split, files[split], images, labels)
    _, height, width, channels = images.shape
    writer.publish(class_names, {
        'height': height, 'width': width, 'channels': channels})


class DatasetWriter:
  """Writes one dataset into a folder and publishes it whole.

  A context manager. Leaving it without `publish` removes what was written and
  leaves the folder as it was.

  Args:
    dataset_dir: the folder; made if it is not there.
    name: of the dataset, such as 'mnist'.
    num_workers: how many processes encode; None for one a core. The files do
      not depend on it.

  Raises:
    ValueError: `num_workers` is under 1.
    OSError: the folder cannot be made, another converter is at work in it, or
      (on leaving) the disk is full.
  """

  def __init__(self, dataset_dir, name, num_workers=None):
    self._dir, self._name = dataset_dir, name
    self._partial = os.path.join(dataset_dir, '.%s.partial' % name)
    self._publishing = os.path.join(
        dataset_dir, dataset_info.publishing_folder(name))
    self.download_dir = os.path.join(dataset_dir, '.%s.downloads' % name)
    self.unpack_dir = os.path.join(dataset_dir, '.%s.unpacked' % name)
    self.scratch_dir = os.path.join(dataset_dir, '.%s.scratch' % name)
    self._workers = worker_pool.WorkerPool(num_workers)
    # Files are brought to the disk while the next ones are written.
    self._disk = concurrent.futures.ThreadPoolExecutor(1)
    self._start_anew()
    self._is_complete = False
    self._exit_stack = contextlib.ExitStack()

  def __enter__(self):
    with contextlib.ExitStack() as stack:
      stack.callback(directories.remove_if_empty, *directories.make(self._dir))
      stack.enter_context(directories.lock(self._dir))
      stack.enter_context(self._workers)
      stack.enter_context(self._disk)
      if os.path.isdir(self._publishing):
        print('An earlier conversion into %s was stopped while it moved its '
              'files into place: finishing that.' % self._dir)
        self._move_into_place()
      if os.path.isdir(self._partial):
        print('An earlier conversion into %s did not finish: its half-written '
              'files are removed.' % self._dir)
        shutil.rmtree(self._partial)
      shutil.rmtree(self.scratch_dir, ignore_errors=True)
      self._exit_stack = stack.pop_all()
    return self

  def __exit__(self, kind, error, traceback):
    with self._exit_stack:
      for folder in (self._partial, self.unpack_dir, self.scratch_dir):
        shutil.rmtree(folder, ignore_errors=True)
      directories.remove_if_empty(self.download_dir)
    if self._is_complete:
      return
    if isinstance(error, KeyboardInterrupt):
      print('\nStopped: nothing was published, what stood in %s before is '
            'unchanged.' % self._dir)
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
      raise OSError(error.errno, (
          'no space left on the disk of %s (%s). Nothing was published: make '
          'room and start again, or choose another --dataset_dir'
          % (self._dir, error))) from error

  def keep_existing(self, files, overwrite=False):
    """Whether the dataset stands already and is to stay; says so.

    Args:
      files: a list of the names of the record files to come.
      overwrite: whether the dataset is to be written anew in any case.

    Raises:
      ValueError: the folder holds another dataset, whose class names would be
        lost, or a `dataset_info.json` that cannot be read.
    """
    info = self._read_info(self._dir, tolerate_damage=overwrite)
    if info and info['name'] != self._name:
      raise ValueError(
          '%s holds the dataset %s: choose another --dataset_dir for %s'
          % (self._dir, info['name'], self._name))
    if info:
      files = _files_of(info)
    present = [f for f in files if os.path.exists(os.path.join(self._dir, f))]
    if not present:
      return False
    if overwrite:
      print('%s holds %s already: it is converted anew, and replaced when that '
            'is done.' % (self._dir, self._name))
      return False
    if len(present) == len(files):
      print('%s holds %s already: nothing to do (--overwrite converts it '
            'anew).' % (self._dir, self._name))
      return True
    missing = [f for f in files if f not in present]
    print('%s holds %s but not %s: an earlier conversion did not finish, so '
          'all is converted anew.'
          % (self._dir, ', '.join(present), ', '.join(missing)))
    return False

  def write_pictures(self, split, file_names, images, labels):
    """Writes a split from pixels, each picture as a PNG.

    Args:
      split: its name.
      file_names: a list of the record files to share it out over.
      images: uint8 [count, height, width, 1 or 3].
      labels: integers [count], class ids.
    """
    tasks = ((images[start:start + _PICTURES_PER_TASK],
              labels[start:start + _PICTURES_PER_TASK])
             for start in range(0, len(labels), _PICTURES_PER_TASK))
    self.write_split(split, file_names, len(labels),
                     self._workers.map(encoding.encode_pictures, tasks))

  def write_split(self, split, file_names, num_examples, encoded):
    """Writes a split; consecutive examples share a file.

    Args:
      split: its name.
      file_names: a list of the record files to share it out over.
      num_examples: how many there are.
      encoded: yields lists of (serialised tf.train.Example, class id, or a
        tuple of class ids where there may be several or none).

    Raises:
      ValueError: `encoded` does not hold `num_examples`.
    """
    os.makedirs(self._partial, exist_ok=True)
    examples = itertools.chain.from_iterable(encoded)
    per_file = -(-num_examples // len(file_names))
    class_counts = collections.Counter()
    with progress.Progress('%s %s' % (self._name, split), num_examples,
                           'pictures') as shown:
      examples_per_file = [
          self._write_file(file_name, itertools.islice(examples, per_file),
                           class_counts, shown)
          for file_name in file_names]
    written = sum(examples_per_file)
    if written != num_examples or next(examples, None):
      raise ValueError('%s %s: %d examples announced, %s came' % (
          self._name, split, num_examples,
          'more' if written == num_examples else written))
    self._splits[split] = (file_names, examples_per_file, class_counts)

  def _write_file(self, file_name, examples, class_counts, shown):
    """Writes one record file to the disk and returns its number of examples."""
    # Imported here, while the workers are busy: it takes a second or more.
    import tensorflow.compat.v1 as tf  # pylint: disable=g-import-not-at-top
    path = os.path.join(self._partial, file_name)
    count = 0
    try:
      with tf.io.TFRecordWriter(path) as writer:
        for record, label in examples:
          writer.write(record)
          class_counts.update(label if isinstance(label, tuple) else (label,))
          shown.add(1)
          count += 1
    except tf.errors.ResourceExhaustedError as error:
      raise OSError(errno.ENOSPC, error.message)
    except tf.errors.OpError as error:
      raise OSError(error.message)
    self._syncs.append(self._disk.submit(atomic_files.sync, path))
    return count

  def add_file(self, name, text):
    """Writes a text file that is published with the records.

    It goes when a later dataset takes the place of this one.

    Args:
      name: of the file.
      text: its content.
    """
    self._write_text(name, text)
    self._side_files.append(name)

  def discard(self):
    """Drops all that was written so far, so that it can be written anew."""
    concurrent.futures.wait(self._syncs)
    shutil.rmtree(self._partial, ignore_errors=True)
    self._start_anew()

  def _start_anew(self):
    self._splits = collections.OrderedDict()
    self._side_files, self._syncs = [], []

  def publish(self, class_names, image=None, multi_label=False):
    """Puts the written splits in place of whatever stood there.

    Args:
      class_names: a list, a name for each class id from 0.
      image: a dict of 'height', 'width' and 'channels' where all pictures
        have them, else None.
      multi_label: whether an example has any number of classes, not one.
    """
    splits = collections.OrderedDict()
    for split, (files, examples_per_file, counts) in self._splits.items():
      splits[split] = collections.OrderedDict(
          num_examples=sum(examples_per_file), files=files,
          examples_per_file=examples_per_file,
          examples_per_class=[counts[k] for k in range(len(class_names))])
    self._write_text(dataset_info.LABELS_FILENAME,
                     dataset_info.labels_text(dict(enumerate(class_names))))
    self._write_text(
        dataset_info.INFO_FILENAME,
        dataset_info.info_text(self._name, class_names, image, splits,
                               self._side_files, multi_label))
    for sync in self._syncs:
      sync.result()
    atomic_files.sync(self._partial)
    self.publish_folder(self._partial)
    shutil.rmtree(self.download_dir, ignore_errors=True)
    print('%s: %s, %d classes, in %s' % (
        self._name, ', '.join('%d %s' % (splits[s]['num_examples'], s)
                              for s in splits), len(class_names), self._dir))

  def publish_folder(self, folder):
    """Puts the files of a folder in place of whatever stood there.

    Args:
      folder: of the record files, labels.txt and dataset_info.json, all whole
        and on the disk; it lies in the dataset's folder, and goes.
    """
    self._is_complete = True
    os.rename(folder, self._publishing)
    self._move_into_place()

  def _write_text(self, file_name, text):
    os.makedirs(self._partial, exist_ok=True)
    path = os.path.join(self._partial, file_name)
    with open(path, 'w', encoding='utf-8', newline='') as target:
      target.write(text)
    atomic_files.sync(path)

  def _move_into_place(self):
    """Gives the files to publish their final names; may be done again."""
    new_info = self._read_info(self._publishing)
    if new_info:
      for name in os.listdir(self._publishing):
        if name != dataset_info.INFO_FILENAME:
          self._move(name)
      old_info = self._read_info(self._dir, tolerate_damage=True)
      if old_info and old_info['name'] == self._name:
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
  def _read_info(folder, tolerate_damage=False):
    """Returns the content of the folder's `dataset_info.json`, or None."""
    path = os.path.join(folder, dataset_info.INFO_FILENAME)
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
