"""Files of published datasets, and archives, to damage."""
import bz2
import contextlib
import gzip
import io
import lzma
import os
import tarfile
import tempfile
import zipfile

from datasets import download_and_convert_cifar10
from datasets import download_and_convert_mnist
from datasets.conversion import archives
from datasets.conversion import restricted_pickle
from tests.datasets.conversion import raw_files
from tests.fuzz import base


def mnist_seeds():
  with tempfile.TemporaryDirectory() as directory:
    raw_files.write_mnist(directory, 10, 6)
    seeds = []
    for name in sorted(os.listdir(directory)):
      with gzip.open(os.path.join(directory, name)) as source:
        content = source.read()
      seeds += [base.Seed(name, content, base.gzipped),
                base.Seed(name[:-len('.gz')], content, base.as_it_is)]
  return seeds


def write_mnist(directory, name, content):
  raw_files.write_mnist(directory, 10, 6)
  for suffix in ('', '.gz'):
    with contextlib.suppress(FileNotFoundError):
      os.remove(os.path.join(directory, name.split('.')[0] + suffix))
  raw_files.write(directory, name, content)


def convert_mnist(source, out, unused_name):
  download_and_convert_mnist.run(out, source, num_workers=1)


def cifar_seeds():
  seeds = []
  with tempfile.TemporaryDirectory() as directory:
    for form in ('python', 'binary'):
      path = os.path.join(directory, form)
      raw_files.write_cifar10(path, form, batch_size=2)
      for name in sorted(os.listdir(path)):
        with open(os.path.join(path, name), 'rb') as source:
          seeds.append(base.Seed(name, source.read(), base.as_it_is))
  return seeds


def write_cifar(directory, name, content):
  is_binary = name.endswith(('.bin', '.txt'))
  raw_files.write_cifar10(directory, 'binary' if is_binary else 'python',
                          batch_size=2)
  raw_files.write(directory, name, content)


def convert_cifar(source, out, name):
  if not name.endswith(('.bin', '.txt')):
    restricted_pickle.load(os.path.join(source, name))
  download_and_convert_cifar10.run(out, source, num_workers=1)


def _texts():
  return [('top/a.txt', b'Some words. ' * 100),
          ('top/%s/%s/b.txt' % ('ü' * 60, 'n' * 60), b'Some words. ' * 100)]


def _cifar_files():
  with tempfile.TemporaryDirectory() as directory:
    raw_files.write_cifar10(directory, 'python', batch_size=2)
    for name in sorted(os.listdir(directory)):
      with open(os.path.join(directory, name), 'rb') as source:
        yield 'cifar-10-batches-py/' + name, source.read()


def _tar(files):
  """Returns a tar archive of (name, content), always the same."""
  target = io.BytesIO()
  with tarfile.open(fileobj=target, mode='w') as archive:
    for name, content in files:
      member = tarfile.TarInfo(name)
      member.size = len(content)
      archive.addfile(member, io.BytesIO(content))
  return target.getvalue()


def _zip(files, compression):
  """Returns a zip archive of (name, content), always the same."""
  target = io.BytesIO()
  with zipfile.ZipFile(target, 'w') as archive:
    for name, content in files:
      archive.writestr(zipfile.ZipInfo(name), content, compression)
  return target.getvalue()


def archive_seeds():
  tar, cifar = _tar(_texts()), _tar(_cifar_files())
  return [
      base.Seed('a.tar', tar, base.as_it_is), base.Seed('a.tar.gz', tar, base.gzipped),
      base.Seed('a.tar.bz2', tar, bz2.compress),
      base.Seed('a.tar.xz', tar, lzma.compress),
      base.Seed('cifar-10-python.tar.gz', cifar, base.gzipped),
      base.Seed('stored.zip', _zip(_texts(), zipfile.ZIP_STORED), base.as_it_is),
      base.Seed('packed.zip', _zip(_texts(), zipfile.ZIP_DEFLATED), base.as_it_is)]


def unpack(source, out, name):
  path = os.path.join(source, name)
  if name.startswith('cifar'):
    download_and_convert_cifar10.run(out, path, num_workers=1)
  else:
    archives.unpack(path, out)
