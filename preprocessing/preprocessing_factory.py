"""Finds the preprocessing of a network by its name.

One table maps the names of networks to families, by the longest name that the
given one begins with: `mobilenet_v1_050` is of `mobilenet`, and so of the
inception family.
"""
import difflib

from preprocessing import cifarnet_preprocessing
from preprocessing import inception_preprocessing
from preprocessing import lenet_preprocessing
from preprocessing import vgg_preprocessing

_FAMILIES = {
    'inception': inception_preprocessing,
    'vgg': vgg_preprocessing,
    'cifarnet': cifarnet_preprocessing,
    'lenet': lenet_preprocessing,
}
# Which family the networks of a name belong to. Networks for video, i3d and
# s3dg, are not here: their frames come preprocessed.
_FAMILY_OF = {
    'inception': 'inception',
    'mobilenet': 'inception',
    'nasnet': 'inception',
    'nasnet_cifar': 'cifarnet',
    'pnasnet': 'inception',
    'vgg': 'vgg',
    'resnet': 'vgg',
    'alexnet': 'vgg',
    'overfeat': 'vgg',
    'cifarnet': 'cifarnet',
    'lenet': 'lenet',
}


def get_preprocessing(name, is_training=False, use_grayscale=False):
  """Returns the function that preprocesses one image for a network.

  Args:
    name: the name of a network, as in `nets_factory.networks_map`, or of a
      family: inception, vgg, cifarnet, lenet.
    is_training: whether for training or for evaluation.
    use_grayscale: whether to convert the images to one channel.

  Returns:
    preprocessing_fn(image, output_height, output_width, **kwargs). The image is
    [height, width, channels] of uint8, the result float32 [output_height,
    output_width, channels]. The keyword arguments are those of the family's
    `preprocess_image`: bbox, fast_mode, add_image_summaries, crop_image
    (inception); resize_side_min, resize_side_max (vgg); add_image_summaries
    (cifarnet).

  Raises:
    ValueError: the name is not known, or the network has no preprocessing.
  """
  family = _FAMILIES[_find(name)]

  def preprocessing_fn(image, output_height, output_width, **kwargs):
    return family.preprocess_image(
        image, output_height, output_width, is_training=is_training,
        use_grayscale=use_grayscale, **kwargs)

  return preprocessing_fn


def describe(name):
  """Says what the preprocessing of a network does in evaluation.

  A value x in [0, 255] becomes (x - mean) * scale.

  Args:
    name: as for `get_preprocessing`.

  Returns:
    A dict that JSON can hold: `family`; `value_range`, a text; `mean`, a list
    of one number a channel or of one for all, and `scale`, a number, both None
    where each image has its own; `central_fraction`, the share of the sides
    that is kept before resizing, or None; `size`, a text.

  Raises:
    ValueError: as for `get_preprocessing`.
  """
  family = _find(name)
  return dict(_FAMILIES[family].EVALUATION, family=family)


def _find(name):
  """Returns the name of the family of the network `name`."""
  prefixes = [prefix for prefix in _FAMILY_OF
              if ('%s_' % name).startswith(prefix + '_')]
  if prefixes:
    return _FAMILY_OF[max(prefixes, key=len)]
  near = difflib.get_close_matches(
      str(name).split('_')[0], _FAMILY_OF, n=1, cutoff=0.8)
  raise ValueError(
      'Preprocessing name [%s] was not recognized%s. Choose one with '
      '--preprocessing_name: %s, or the name of a network whose preprocessing '
      'fits.' % (name, ', did you mean %s?' % near[0] if near else '',
                 ', '.join(_FAMILIES)))
