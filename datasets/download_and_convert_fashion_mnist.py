"""Converts Fashion-MNIST: 60,000 images of clothes to train on, 10,000 to test,
in the format of MNIST.

H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a novel image dataset for
benchmarking machine learning algorithms", arXiv:1708.07747.
"""
from datasets.conversion import dataset_writer
from datasets.conversion import downloads
from datasets.conversion import idx

_IMAGE_SIZE = (28, 28)
_CLASS_NAMES = ('T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat',
                'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot')
_FILES = {'train': ['fashion_mnist_train.tfrecord'],
          'test': ['fashion_mnist_test.tfrecord']}
_PUBLISHED = downloads.Published(
    mirrors=('http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
             'https://storage.googleapis.com/tensorflow/tf-keras-datasets/'),
    files=(
        downloads.RemoteFile(
            'train-images-idx3-ubyte.gz', 26421880,
            '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84'),
        downloads.RemoteFile(
            'train-labels-idx1-ubyte.gz', 29515,
            'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845'),
        downloads.RemoteFile(
            't10k-images-idx3-ubyte.gz', 4422102,
            '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073'),
        downloads.RemoteFile(
            't10k-labels-idx1-ubyte.gz', 5148,
            '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5'),
    ))


def _read(directory):
  return _CLASS_NAMES, idx.read_splits(
      directory, _IMAGE_SIZE, len(_CLASS_NAMES))


def run(dataset_dir, source=None, overwrite=False, num_workers=None,
        keep=False):
  """Writes `fashion_mnist_{train,test}.tfrecord` and `labels.txt`.

  Arguments and errors are those of `download_and_convert_mnist.run`.
  """
  dataset_writer.convert_images(
      'fashion_mnist', _FILES, _PUBLISHED, _read, idx.FILES, dataset_dir,
      source, overwrite, num_workers, keep)
