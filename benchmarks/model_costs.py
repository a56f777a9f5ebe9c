"""Counts multiply-adds and parameters of networks, beside the published ones.

Builds the network of each row of nets/published_figures.csv whose family is in
`BUILDERS`, for inference on one image and 1001 classes, and prints a Markdown
table of the published costs and those of the graph. It needs no weights and
runs no network.

  python -m benchmarks.model_costs                    all families
  python -m benchmarks.model_costs 'MobileNet V2'     only that family

Multiply-adds are those of convolutions and matrix products alone: no biases,
normalization (which folds into the weights), activations or pooling.
Parameters are the trainable variables: weights, biases, gammas and betas.
"""
import argparse
import os

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

# pylint: disable=wrong-import-position
import tensorflow.compat.v1 as tf
import tf_slim as slim

from benchmarks import common
from benchmarks import plot_model_figures
from image_classifier.inference import model_card
from nets import mobilenet_v1
from nets import nets_factory
from nets.mobilenet import mobilenet_v2
from nets.mobilenet import mobilenet_v3

CLASSES = 1001


def _mobilenet_v1(images, row):
  with slim.arg_scope(mobilenet_v1.mobilenet_v1_arg_scope(is_training=False)):
    return mobilenet_v1.mobilenet_v1(
        images, CLASSES, is_training=False, depth_multiplier=row['width'])


def _mobilenet_v2(images, row):
  return mobilenet_v2.mobilenet(
      images, CLASSES, depth_multiplier=row['width'],
      finegrain_classification_mode=True)


def _mobilenet_v3(images, row):
  network = 'edge_tpu' if 'EdgeTPU' in row['family'] else (
      'large' if 'large' in row['model'] else 'small')
  if 'minimalistic' in row['model']:
    network += '_minimalistic'
  return getattr(mobilenet_v3, network)(
      images, CLASSES, depth_multiplier=row['width'],
      finegrain_classification_mode=row['width'] < 1)


def _searched(images, row):
  # NASNet-A_Mobile_224 is nasnet_mobile in the factory, and so on.
  kind, size = row['model'].lower().split('_')[:2]
  name = '%s_%s' % (kind.split('-')[0], size)
  return nets_factory.get_network_fn(name, CLASSES)(images)


# Functions of (images, row) that build the network of a row of the table.
BUILDERS = {
    'MobileNet V1': _mobilenet_v1,
    'MobileNet V2': _mobilenet_v2,
    'MobileNet V3': _mobilenet_v3,
    'MobileNet EdgeTPU': _mobilenet_v3,
    'NASNet-A': _searched,
    'PNASNet-5': _searched,
}


def costs(row):
  """Returns (multiply-adds, parameters) of the network of a row."""
  size = int(row['size'])
  with tf.Graph().as_default() as graph:
    BUILDERS[row['family']](tf.zeros([1, size, size, 3]), row)
    parameters = sum(
        variable.shape.num_elements() for variable in tf.trainable_variables())
    return model_card.multiply_adds(graph), parameters


def main():
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  parser.add_argument('families', nargs='*', metavar='FAMILY',
                      type=common.name_in(BUILDERS), default=list(BUILDERS),
                      help='some of %s; all by default' % ', '.join(BUILDERS))
  families = parser.parse_args().families
  print('| checkpoint | width | size | multiply-adds, M | counted |'
        ' parameters, M | counted | top-1, % | top-5, % |')
  print('|---|---|---|---|---|---|---|---|---|')
  for row in plot_model_figures.read_table():
    if row['family'] in families:
      print(_line(row, *costs(row)))


def _line(row, madds, parameters):
  return '| %s | %g | %d | %g | %.1f | %g | %.3f | %.1f | %s |' % (
      row['model'], row['width'] or 1, row['size'], row['madds_millions'],
      madds / 1e6, row['params_millions'], parameters / 1e6, row['top1'],
      '-' if row['top5'] is None else '%.1f' % row['top5'])


if __name__ == '__main__':
  tf.disable_v2_behavior()
  tf.logging.set_verbosity(tf.logging.ERROR)
  main()
