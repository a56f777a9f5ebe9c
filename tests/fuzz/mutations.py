"""Ways to damage a file at random."""
import re
import struct

_EXTREMES = (0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff,
             0x7fffffffffffffff, 0xffffffffffffffff)
_HEADER = 64
# A value in JSON, and what it is replaced with.
_VALUE = re.compile(
    rb'(?<=[:\[,])\s*(?:"[^"]*"|-?[\d.]+|true|false|null|\[\]|\{\})'
    rb'(?=\s*[,\]}])')
_VALUES = (b'null', b'true', b'0', b'-1', b'1.5', b'1e999', b'NaN', b'1' * 400,
           b'""', b'"x"', b'[]', b'[null]', b'{}', b'[' * 9999)


def flip_bits(content, random, unused_others):
  """Flips one bit or a few."""
  damaged = bytearray(content)
  for _ in range(random.choice([1, 1, 2, 4, 16])):
    damaged[random.randint(len(damaged))] ^= 1 << random.randint(8)
  return bytes(damaged)


def set_bytes(content, random, unused_others):
  """Sets consecutive bytes to one value, often an extreme one."""
  at = random.randint(len(content))
  count = min(random.choice([1, 2, 4, 16, 256]), len(content) - at)
  value = random.choice([0, 0xff, 0x80, random.randint(256)])
  return content[:at] + bytes([value]) * count + content[at + count:]


def truncate(content, random, unused_others):
  """Removes the end, from anywhere or from the header on."""
  return content[:random.randint(
      len(content) if random.randint(2) else min(_HEADER, len(content)))]


def splice(content, random, others):
  """Appends the end of another file to the start of this one."""
  other = others[random.randint(len(others))]
  return content[:random.randint(len(content))] + other[
      random.randint(len(other)):]


def duplicate_block(content, random, unused_others):
  """Inserts a part of the file again, once or many times."""
  start, end = sorted(random.randint(len(content), size=2))
  at = random.randint(len(content))
  times = random.choice([1, 1, 3, 20])
  return content[:at] + content[start:end] * times + content[at:]


def remove_block(content, random, unused_others):
  """Removes a part of the file."""
  start, end = sorted(random.randint(len(content), size=2))
  return content[:start] + content[end:]


def edit_length(content, random, unused_others):
  """Changes bytes as if they were a length, often in the header."""
  at = random.randint(min(_HEADER, len(content)) if random.randint(2)
                      else len(content))
  kind = ['<B', '<H', '>H', '<I', '>I', '<Q', '>Q'][random.randint(7)]
  size = struct.calcsize(kind)
  old = content[at:at + size]
  if len(old) == size and random.randint(2):
    value = struct.unpack(kind, old)[0] + [-1, 1, 2, 1000][random.randint(4)]
  else:
    value = _EXTREMES[random.randint(len(_EXTREMES))]
  return content[:at] + struct.pack(
      kind, value % 256 ** size) + content[at + size:]


def insert_noise(content, random, unused_others):
  """Inserts random bytes."""
  at = random.randint(len(content))
  return content[:at] + random.bytes(
      random.choice([1, 4, 100, 5000])) + content[at:]


def replace_value(content, random, others):
  """Replaces a value in JSON by one of another type, or flips bits."""
  found = list(_VALUE.finditer(content))
  if not found:
    return flip_bits(content, random, others)
  value = found[random.randint(len(found))]
  return content[:value.start()] + _VALUES[
      random.randint(len(_VALUES))] + content[value.end():]


MUTATIONS = (flip_bits, set_bytes, truncate, splice, duplicate_block,
             remove_block, edit_length, insert_noise, replace_value)


def mutate(content, random, others):
  """Returns content that is damaged once or several times.

  Args:
    content: bytes.
    random: an `np.random.RandomState`.
    others: list of bytes of other files of the kind, none of them empty.
  """
  for _ in range(random.choice([1, 1, 1, 2, 5])):
    if not content:
      break
    mutation = MUTATIONS[random.randint(len(MUTATIONS))]
    content = mutation(content, random, others)
  return content
