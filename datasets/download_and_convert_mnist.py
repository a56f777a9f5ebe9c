"""Converts MNIST to TFRecord files: 60,000 digits to train on, 10,000 to test.

Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied
to document recognition", Proceedings of the IEEE 86(11), 1998.
"""
from datasets.conversion import dataset_writer
from datasets.conversion import downloads
from datasets.conversion import idx

_IMAGE_SIZE = (28, 28)
_CLASS_NAMES = ('zero', 'one', 'two', 'three', 'four',
                'five', 'six', 'seven', 'eight', 'nine')
_FILES = {'train': ['mnist_train.tfrecord'], 'test': ['mnist_test.tfrecord']}
_PUBLISHED = downloads.Published(
    mirrors=('https://storage.googleapis.com/cvdf-datasets/mnist/',
             'https://ossci-datasets.s3.amazonaws.com/mnist/',
             'http://yann.lecun.com/exdb/mnist/'),
    files=(
        downloads.RemoteFile(
            'train-images-idx3-ubyte.gz', 9912422,
            '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609'),
        downloads.RemoteFile(
            'train-labels-idx1-ubyte.gz', 28881,
            '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c'),
        downloads.RemoteFile(
            't10k-images-idx3-ubyte.gz', 1648877,
            '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6'),
        downloads.RemoteFile(
            't10k-labels-idx1-ubyte.gz', 4542,
            'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6'),
    ))


def _read(directory):
  return _CLASS_NAMES, idx.read_splits(
      directory, _IMAGE_SIZE, len(_CLASS_NAMES))


def run(dataset_dir, source=None, overwrite=False, num_workers=None,
        keep=False):
  """Writes `mnist_train.tfrecord`, `mnist_test.tfrecord` and `labels.txt`.

  Args:
    dataset_dir: directory for them. An existing dataset is kept.
    source: a directory, archive or URL of the four IDX files; None to download
      them.
    overwrite: whether an existing dataset is replaced.
    num_workers: number of processes; None for one per core.
    keep: whether a dataset of another source is kept; else it is an error.

  Raises:
    ValueError: the source is damaged or holds something else.
    OSError: a file or a mirror cannot be reached, or the disk is full.
  """
  dataset_writer.convert_images(
      'mnist', _FILES, _PUBLISHED, _read, idx.FILES, dataset_dir, source,
      overwrite, num_workers, keep)
