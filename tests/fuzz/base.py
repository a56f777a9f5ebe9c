"""The forms of a target of the fuzzing, and what targets share."""
import collections
import gzip
import io

from tests.datasets.conversion import raw_files


class Seed(collections.namedtuple('Seed', 'name content wrap')):
  """A file to damage.

  Attributes:
    name: name of the file.
    content: bytes, which are damaged, or else what `wrap` returns.
    wrap: function of `content` that returns the bytes of the file.
  """


class Target(collections.namedtuple('Target', 'name weight seeds write run')):
  """Code that reads files.

  Attributes:
    name: name in the summary.
    weight: number of inputs per round.
    seeds: function that returns a list of `Seed`s.
    write: function of (directory, name, content) that writes the file and all
      that belongs to it to an empty directory.
    run: function of (source directory, directory to write to, name) that
      returns if the file was read, and raises a documented error if it was
      refused.
  """


class Wrong(Exception):
  """Something was accepted, or left behind, that should not be."""


def as_it_is(content):
  return content


def write_alone(directory, name, content):
  raw_files.write(directory, name, content)


def gzipped(content):
  target = io.BytesIO()
  with gzip.GzipFile(fileobj=target, mode='wb', mtime=0) as packed:
    packed.write(content)
  return target.getvalue()
