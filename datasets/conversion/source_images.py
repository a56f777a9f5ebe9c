"""The images of a source, a million of them in some 50 MB."""
import array
import collections
import collections.abc
import itertools
import os
import random


class Image(collections.namedtuple('Image', 'path name label class_names')):
  """An image of a source, as `shards` describes it.

  Attributes:
    path: path of the file.
    name: its path in the source.
    label: class id, or tuple of class ids of a multi-label list; None until
      the classes have ids.
    class_names: tuple of names; of one name unless the list is multi-label.
  """


class Images(collections.abc.Sequence):
  """A sequence of `Image`s, each of which is made when it is asked for.

  All names are in one buffer, and each image has the number of its label among
  the few different ones. A slice or another order of the images shares these
  tables. What is pickled is only what it has itself.

  Attributes:
    numbers: array of the place of each image in the tables: unique among all
      that share them.
  """

  def __init__(self, root):
    """Makes an empty sequence.

    Args:
      root: the directory that names start from.
    """
    self._root = os.path.join(root, '')
    self._names = bytearray()  # One after the other, encoded.
    self._ends = array.array('Q', [0])  # Of the names, with a first 0.
    self._label_numbers = array.array('I')
    self._labels = []  # Different (label, class_names).
    self._number_of = {}  # Of each class_names.
    self.numbers = array.array('I')

  def append(self, name, class_names):
    """Appends an image without a label; not to a part of other images.

    Args:
      name: its path in the source, any str.
      class_names: tuple of the names of its classes.
    """
    if class_names not in self._number_of:
      self._number_of[class_names] = len(self._labels)
      self._labels.append((None, class_names))
    self.numbers.append(len(self._label_numbers))
    # Bytes of file names that are not UTF-8 are surrogates in a str.
    self._names += name.encode('utf-8', 'surrogatepass')
    self._ends.append(len(self._names))
    self._label_numbers.append(self._number_of[class_names])

  def __len__(self):
    return len(self.numbers)

  def __iter__(self):
    return map(self._image, self.numbers)

  def __getitem__(self, index):
    if isinstance(index, slice):
      return self._with(numbers=self.numbers[index])
    return self._image(self.numbers[index])

  def __getstate__(self):
    names = [self._encoded_name(number) for number in self.numbers]
    return dict(
        vars(self), _names=bytearray().join(names),
        _ends=array.array('Q', itertools.accumulate(
            itertools.chain([0], map(len, names)))),
        _label_numbers=array.array(
            'I', (self._label_numbers[number] for number in self.numbers)),
        numbers=array.array('I', range(len(names))))

  def class_names(self, index):
    """Returns the tuple of the names of the classes of an image."""
    return self._labels[self._label_numbers[self.numbers[index]]][1]

  def select(self, indices):
    """Returns the images with some indices, in their order."""
    return self._with(numbers=array.array(
        'I', (self.numbers[index] for index in indices)))

  def shuffled(self, seed):
    """Returns the images in the order of `random.Random(seed).shuffle`."""
    numbers = self.numbers[:]
    random.Random(seed).shuffle(numbers)
    return self._with(numbers=numbers)

  def sorted(self):
    """Returns the images sorted by name."""
    # UTF-8 is in the order of the code points.
    return self._with(numbers=array.array(
        'I', sorted(self.numbers, key=self._encoded_name)))

  def labeled(self, label_of):
    """Returns the images with other labels.

    Args:
      label_of: function of a tuple of class names that returns (label, names).
    """
    return self._with(_labels=[label_of(names) for _, names in self._labels])

  def classes(self):
    """Returns the set of the names of the classes of the images."""
    used = {self._label_numbers[number] for number in self.numbers}
    return {name for k in used for name in self._labels[k][1]}

  def _with(self, **attributes):
    other = Images.__new__(Images)
    vars(other).update(vars(self), **attributes)
    return other

  def _image(self, number):
    name = self._encoded_name(number).decode('utf-8', 'surrogatepass')
    path = name if os.path.isabs(name) else self._root + name
    return Image(path, name, *self._labels[self._label_numbers[number]])

  def _encoded_name(self, number):
    return self._names[self._ends[number]:self._ends[number + 1]]
