"""Makes small datasets in the true formats they are published in."""
import gzip
import io
import os
import pickle
import struct
import tarfile

import numpy as np

CIFAR10_NAMES = ['airplane', 'automobile', 'bird', 'cat', 'deer',
                 'dog', 'frog', 'horse', 'ship', 'truck']


def idx_bytes(values):
  """Returns a uint8 array as the content of an IDX file."""
  return struct.pack('>HBB', 0, 8, values.ndim) + struct.pack(
      '>%dI' % values.ndim, *values.shape) + values.tobytes()


def write_mnist(folder, num_train=40, num_test=20, seed=0):
  """Writes the four packed files of MNIST with random images.

  Returns:
    A dict of split to (images, labels), uint8 [n, 28, 28] and [n].
  """
  os.makedirs(folder, exist_ok=True)
  random = np.random.RandomState(seed)
  splits = {}
  for split, stem, count in (('train', 'train', num_train),
                             ('test', 't10k', num_test)):
    images = random.randint(0, 256, [count, 28, 28]).astype(np.uint8)
    labels = (np.arange(count) % 10).astype(np.uint8)
    splits[split] = images, labels
    for name, values in (('images-idx3', images), ('labels-idx1', labels)):
      path = os.path.join(folder, '%s-%s-ubyte.gz' % (stem, name))
      with gzip.open(path, 'wb') as target:
        target.write(idx_bytes(values))
  return splits


class _Python2Pickler(pickle._Pickler):  # pylint: disable=protected-access
  """Writes bytes as Python 2 wrote its strings."""

  dispatch = dict(pickle._Pickler.dispatch)  # pylint: disable=protected-access

  def _save_bytes(self, value):
    self.write(pickle.BINSTRING + struct.pack('<i', len(value)) + value)

  dispatch[bytes] = _save_bytes


def python2_pickle(value):
  """Returns the pickle of a value whose bytes are Python 2 strings."""
  content = io.BytesIO()
  _Python2Pickler(content, protocol=2).dump(value)
  return content.getvalue()


def write_cifar10(folder, form, batch_size=4, seed=0):
  """Writes the batches of CIFAR-10 with random images.

  Args:
    folder: for the files.
    form: 'binary' or 'python'.
    batch_size: images a batch.
    seed: of the images.

  Returns:
    A dict of split to (images, labels), uint8 [n, 32, 32, 3] and [n].
  """
  os.makedirs(folder, exist_ok=True)
  random = np.random.RandomState(seed)
  batches = []
  for name in ['data_batch_%d' % k for k in range(1, 6)] + ['test_batch']:
    planes = random.randint(0, 256, [batch_size, 3072]).astype(np.uint8)
    labels = random.randint(0, 10, batch_size)
    content = {b'data': planes, b'labels': labels.tolist(),
               b'batch_label': name.encode(), b'filenames': [b'a.png']}
    if form == 'binary':
      name += '.bin'
      records = np.concatenate([labels[:, None].astype(np.uint8), planes], 1)
      write(folder, name, records.tobytes())
    else:
      write(folder, name, python2_pickle(content))
    batches.append((planes.reshape([-1, 3, 32, 32]).transpose([0, 2, 3, 1]),
                    labels))
  if form == 'binary':
    write(folder, 'batches.meta.txt',
          ('\n'.join(CIFAR10_NAMES) + '\n\n').encode())
  else:
    write(folder, 'batches.meta', python2_pickle({
        b'num_cases_per_batch': batch_size, b'num_vis': 3072,
        b'label_names': [name.encode() for name in CIFAR10_NAMES]}))
  return {'train': [np.concatenate(x) for x in zip(*batches[:5])],
          'test': batches[5]}


def write(folder, name, content):
  """Writes bytes to a file and returns its path."""
  path = os.path.join(str(folder), name)
  with open(path, 'wb') as target:
    target.write(content)
  return path


def pack(folder, archive):
  """Packs a folder, under its own name, into a tar.gz; returns its path."""
  with tarfile.open(archive, 'w:gz') as target:
    target.add(folder, os.path.basename(folder))
  return archive


def write_tar(path, members, mode='w:gz'):
  """Writes a tar archive of (name, content); one byte is a member's type."""
  with tarfile.open(str(path), mode) as archive:
    for name, content in members:
      member = tarfile.TarInfo(name)
      if len(content) != 1:
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
      else:
        member.type = content
        member.linkname = '/etc/passwd'
        archive.addfile(member)
  return str(path)
