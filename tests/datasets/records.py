"""Reads converted records back."""
import io
import json
import os

import numpy as np
from PIL import Image
import tensorflow.compat.v1 as tf


def read(path):
  """Returns the list of tf.train.Examples in a record file."""
  return [tf.train.Example.FromString(record)
          for record in tf.python_io.tf_record_iterator(str(path))]


def values(example, key):
  """Returns the list of values of a feature."""
  feature = example.features.feature[key]
  return list(getattr(feature, feature.WhichOneof('kind')).value)


def pictures(path):
  """Returns (images, labels) of a record file, decoded by Pillow."""
  examples = read(path)
  images = [np.asarray(Image.open(io.BytesIO(values(e, 'image/encoded')[0])))
            for e in examples]
  return np.stack(images), [values(e, 'image/class/label')[0]
                            for e in examples]


def snapshot(directory):
  """Returns a dict of relative path to content of all files in a directory."""
  content = {}
  for parent, _, names in os.walk(str(directory)):
    for name in names:
      path = os.path.join(parent, name)
      with open(path, 'rb') as source:
        content[os.path.relpath(path, str(directory))] = source.read()
  return content


def without_origin(directory):
  """Returns `snapshot`, with a dataset_info.json that names no source."""
  content = snapshot(directory)
  info = json.loads(content['dataset_info.json'].decode('utf-8'))
  del info['origin']
  return dict(content, **{'dataset_info.json': info})
