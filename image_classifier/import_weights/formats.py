"""Tells the format of a file of weights by its content, and reads it."""
import os
import zipfile

from image_classifier.import_weights import graph_files
from image_classifier.import_weights import keras_files
from image_classifier.import_weights import safetensors_files
from image_classifier.import_weights import tflite_files
from image_classifier.import_weights import torch_files

TORCH, KERAS, GRAPH, TFLITE = 'torch', 'keras', 'graph', 'tflite'
_HDF5 = b'\x89HDF\r\n\x1a\n'
_PICKLE = b'\x80'


def read(path: str):
  """Returns (kind, tensors) of a file of weights.

  Args:
    path: a .pth or .safetensors file of PyTorch; an .h5, .weights.h5 or .keras
      file of Keras; a .tflite file; a frozen GraphDef (.pb), or the directory
      of a SavedModel. But for .pb the name does not matter.

  Returns:
    TORCH, KERAS, GRAPH or TFLITE, and a dict {name: array} in the form of that
    framework.

  Raises:
    ValueError: the file is none of these, or damaged.
    OSError: it cannot be read.
  """
  if graph_files.is_saved_model(path) or path.endswith('.pb'):
    return GRAPH, graph_files.read(path)
  if os.path.isdir(path):
    raise ValueError('%s is a directory, but no SavedModel: give a file of '
                     'weights.' % path)
  with open(path, 'rb') as file:
    head = file.read(9)
  if head.startswith(_HDF5):
    return KERAS, keras_files.read_h5(path)
  if head[4:8] == tflite_files.IDENTIFIER:  # It may end with a zip archive.
    return TFLITE, tflite_files.read(path)
  if zipfile.is_zipfile(path):
    with zipfile.ZipFile(path) as archive:
      if keras_files.WEIGHTS in archive.namelist():
        return KERAS, keras_files.read_archive(path)
    return TORCH, torch_files.read(path)
  if head[8:9] == b'{':
    return TORCH, safetensors_files.read(path)
  if head.startswith(_PICKLE):
    return TORCH, torch_files.read(path)
  raise ValueError(
      '%s is no file of weights that can be read: give a .pth or .safetensors '
      'file of PyTorch, an .h5 or .keras file of Keras, a .tflite file or a '
      'frozen GraphDef (.pb). Is the download complete?' % path)
