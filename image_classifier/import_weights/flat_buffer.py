"""FlatBuffers, written without a schema: tables, vectors and strings.

The format is that of https://flatbuffers.dev/internals: little-endian, each
reference a distance forward from where it stands, each table a distance back or
forward to the list of the places of its fields. Parts are written in the order
of the references, so that all of them point forward.
"""
import struct
from typing import NamedTuple

_ALIGNMENT = 4
# A position after every part, for a first pass that measures the size.
_FAR = 1 << 30
_VTABLE_START = 4  # Bytes of a vtable before the places of the fields.


class Scalar(NamedTuple):
  """A number in a table: its format, as in `struct`, and its value."""
  format: str
  value: float


class Numbers(NamedTuple):
  """A vector of numbers: their format, as in `struct`, and their values."""
  format: str
  values: tuple


class Written(NamedTuple):
  """A part that another buffer holds, at a position in the finished bytes."""
  position: int


def build(root, identifier):
  """Returns the bytes of a buffer with a root table.

  Args:
    root: dict {number of a field: value}, a table. A value is a Scalar, str,
      bytes (a vector of bytes), Numbers, a table, or a list of tables or of
      strings. None leaves a field out.
    identifier: bytes [4], which name the schema.
  """
  return bytes(_Writer().write(root, identifier))


def prepend(root, identifier, rest):
  """Returns a buffer whose root table refers to parts of another buffer.

  Args:
    root: function from the position at which `rest` will start to a table, as
      for `build`, whose values may be Written.
    identifier: bytes [4], which name the schema.
    rest: bytes of a whole buffer.
  """
  # The size does not depend on the positions.
  size = len(_Writer().write(root(_FAR), identifier))
  # Parts of `rest` may be aligned to 16 bytes.
  start = -(-size // 16) * 16
  new = _Writer().write(root(start), identifier)
  return bytes(new) + bytes(start - size) + rest


class Table:
  """A table of a finished buffer.

  Args:
    content: bytes of the buffer.
    position: where the table starts; None for the root table.
  """

  def __init__(self, content, position=None):
    self._content = content
    self._position = self._follow(0) if position is None else position
    self._vtable = self._position - self._number('<i', self._position)

  def count(self):
    """Returns how many fields the table may have."""
    return (self._number('<H', self._vtable) - _VTABLE_START) // 2

  def field(self, number):
    """Returns the position of a field's value, or None."""
    if number >= self.count():
      return None
    distance = self._number('<H', self._vtable + _VTABLE_START + 2 * number)
    return self._position + distance if distance else None

  def scalar(self, number, code):
    """Returns a number of a format as in `struct`; 0 without the field."""
    place = self.field(number)
    return 0 if place is None else self._number('<' + code, place)

  def reference(self, number):
    """Returns the position of what a field refers to, or None."""
    place = self.field(number)
    return None if place is None else self._follow(place)

  def positions(self, number):
    """Returns the positions of what a vector of references refers to."""
    start = self.reference(number)
    return [] if start is None else [
        self._follow(start + 4 * (i + 1))
        for i in range(self._number('<I', start))]

  def data(self, number):
    """Returns the bytes of a string or of a vector of bytes."""
    return self.vector(number, 'B')

  def vector(self, number, code):
    """Returns the bytes of a vector of numbers of a format as in `struct`."""
    start = self.reference(number)
    if start is None:
      return b''
    size = struct.calcsize('<' + code) * self._number('<I', start)
    return self._content[start + 4:start + 4 + size]

  def _follow(self, position):
    return position + self._number('<I', position)

  def _number(self, code, position):
    return struct.unpack_from(code, self._content, position)[0]


class _Writer:
  """Writes parts one after the other, and then what they refer to."""

  def write(self, root, identifier):
    self._bytes = bytearray(4) + identifier
    self._refer(0, root)
    return self._bytes

  def _refer(self, place, value):
    """Writes a value, and at a place the distance to it."""
    position = (value.position if isinstance(value, Written)
                else self._add(value))
    struct.pack_into('<I', self._bytes, place, position - place)

  def _add(self, value):
    """Writes a value; returns its position."""
    if isinstance(value, dict):
      return self._add_table(value)
    if isinstance(value, list):
      position = self._add_bytes(
          struct.pack('<I', len(value)) + bytes(4 * len(value)))
      for i, part in enumerate(value, 1):
        self._refer(position + 4 * i, part)
      return position
    if isinstance(value, Numbers):
      return self._add_bytes(struct.pack(
          '<I%d%s' % (len(value.values), value.format), len(value.values),
          *value.values))
    text = value.encode() + b'\0' if isinstance(value, str) else value
    length = len(text) - isinstance(value, str)
    return self._add_bytes(struct.pack('<I', length) + text)

  def _add_table(self, fields):
    fields = {number: value for number, value in sorted(fields.items())
              if value is not None}
    count = max(fields, default=-1) + 1
    places = [0] * count
    # Each field takes 4 bytes: scalars here are at most that long.
    for i, number in enumerate(fields):
      places[number] = 4 + 4 * i
    size = 4 + 4 * len(fields)
    vtable = self._add_bytes(struct.pack(
        '<%dH' % (2 + count), _VTABLE_START + 2 * count, size, *places))
    table = self._add_bytes(bytes(size))
    struct.pack_into('<i', self._bytes, table, table - vtable)
    for number, value in fields.items():
      place = table + places[number]
      if isinstance(value, Scalar):
        struct.pack_into('<' + value.format, self._bytes, place, value.value)
      else:
        self._refer(place, value)
    return table

  def _add_bytes(self, content):
    self._bytes += bytes(-len(self._bytes) % _ALIGNMENT)
    position = len(self._bytes)
    self._bytes += content
    return position
