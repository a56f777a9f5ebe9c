"""Reads and writes safetensors: a JSON header, then the bytes of each tensor.

https://huggingface.co/docs/safetensors describes the format: the length of the
header (8 bytes, little-endian), the header {name: {dtype, shape,
data_offsets}}, the data without gaps.
"""
import collections
import json
import os
from typing import Dict

import numpy as np

_DTYPES = {'F64': np.float64, 'F32': np.float32, 'F16': np.float16,
           'I64': np.int64, 'I32': np.int32, 'I16': np.int16, 'I8': np.int8,
           'U8': np.uint8, 'BOOL': np.bool_}
_NAMES = {np.dtype(kind): name for name, kind in _DTYPES.items()}
_METADATA = '__metadata__'


def read(path: str) -> Dict[str, np.ndarray]:
  """Returns the tensors of a file, {name: array}; bfloat16 as float32.

  Raises:
    ValueError: the file is damaged.
    OSError: the file cannot be read.
  """
  with open(path, 'rb') as file:
    content = file.read()
  try:
    start = 8 + int.from_bytes(content[:8], 'little')
    header = json.loads(content[8:start].decode('utf-8'))
    data = memoryview(content)[start:]  # A slice of bytes would be a copy.
    return {name: _array(name, row, data)
            for name, row in header.items() if name != _METADATA}
  except (ValueError, KeyError, TypeError) as error:
    raise ValueError('%s is no complete safetensors file: %s.' % (path, error))


def _array(name, row, data):
  begin, end = row['data_offsets']
  part = data[begin:end]
  if len(part) != end - begin:
    raise ValueError('the tensor %s ends %d bytes behind the file' % (
        name, end - begin - len(part)))
  if row['dtype'] == 'BF16':  # The upper half of a float32.
    upper = np.frombuffer(part, '<u2').astype(np.uint32)
    return (upper << 16).view(np.float32).reshape(row['shape'])
  if row['dtype'] not in _DTYPES:
    raise ValueError('the tensor %s is of type %s' % (name, row['dtype']))
  return np.frombuffer(part, _DTYPES[row['dtype']]).reshape(row['shape'])


def write(path: str, tensors: Dict[str, np.ndarray], metadata: Dict[str, str]):
  """Writes tensors, sorted by name, to a new file."""
  header = collections.OrderedDict([(_METADATA, metadata)])
  offset = 0
  for name in sorted(tensors):
    value = tensors[name]
    header[name] = collections.OrderedDict([
        ('dtype', _NAMES[value.dtype]), ('shape', list(value.shape)),
        ('data_offsets', [offset, offset + value.nbytes])])
    offset += value.nbytes
  text = json.dumps(header, separators=(',', ':')).encode('utf-8')
  text += b' ' * (-len(text) % 8)  # Aligns the data.
  with open(path, 'wb') as file:
    file.write(len(text).to_bytes(8, 'little') + text)
    for name in sorted(tensors):
      file.write(np.ascontiguousarray(tensors[name]).tobytes())
  assert os.path.getsize(path) == 8 + len(text) + offset
