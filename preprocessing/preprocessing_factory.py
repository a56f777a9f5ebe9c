"""Finds the preprocessing of a network by its name.

One table maps the names of networks to families, by the longest name that the
given one begins with: `mobilenet_v1_050` is of `mobilenet`, and so of the
inception family.
"""
import contextlib
import inspect

from preprocessing import augmentation as augmentations
from preprocessing import cifarnet_preprocessing
from preprocessing import inception_preprocessing
from preprocessing import lenet_preprocessing
from preprocessing import mixing
from preprocessing import random_numbers
from preprocessing import vgg_preprocessing
from preprocessing.fast import compiled
from slim_common import suggest

Augmentation = augmentations.Augmentation

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


def get_preprocessing(name, is_training=False, use_grayscale=False,
                      augmentation=None):
  """Returns the function that preprocesses one image for a network.

  Args:
    name: the name of a network, as in `nets_factory.networks_map`, or of a
      family: inception, vgg, cifarnet, lenet.
    is_training: whether for training or for evaluation.
    use_grayscale: whether to convert the images to one channel.
    augmentation: an `Augmentation`, what is done in training besides.

  Returns:
    preprocessing_fn(image, output_height, output_width, seed=None, **kwargs).
    The image is [height, width, channels] of uint8, the result float32
    [output_height, output_width, channels]. All that is drawn follows from
    the seed, int64 [2], if there is one. The keyword arguments are those of
    the family's `preprocess_image`: bbox, fast_mode, add_image_summaries,
    crop_image (inception); resize_side_min, resize_side_max (vgg);
    add_image_summaries (cifarnet).

  Raises:
    ValueError: the name is not known, the network has no preprocessing, or its
      family lacks part of the augmentation.
  """
  family = _FAMILIES[_find(name)]
  extra, finish = _arguments(name, is_training, augmentation)

  def preprocessing_fn(image, output_height, output_width, seed=None,
                       **kwargs):
    with _drawing_from(seed):
      return finish(family.preprocess_image(
          image, output_height, output_width, is_training=is_training,
          use_grayscale=use_grayscale, **dict(extra, **kwargs)))

  return preprocessing_fn


def get_jpeg_preprocessing(name, is_training=False, use_grayscale=False,
                           augmentation=None, in_one_pass=None):
  """Returns a function that does as much for a JPEG that is not decoded yet.

  It draws the window first and decodes nothing else.

  Args:
    name, is_training, use_grayscale, augmentation: as for `get_preprocessing`.
    in_one_pass: whether to use functions that numba compiles, see `compiled`;
      None to use them where numba is installed. The graph then runs in this
      Python process only.

  Returns:
    preprocessing_fn(encoded, channels, output_height, output_width, seed=None)
    of a string scalar and the number of channels to decode, 1 or 3. Or None,
    where the whole image is needed: in evaluation, and in the families of
    small images. It raises a ValueError if numba is asked for but missing.

  Raises:
    ValueError: as for `get_preprocessing`.
  """
  family = _FAMILIES[_find(name)]
  extra, finish = _arguments(name, is_training, augmentation)
  if not is_training or not hasattr(family, 'preprocess_jpeg_for_train'):
    return None
  if in_one_pass is None:
    in_one_pass = reason_against_one_pass() is None

  def preprocessing_fn(encoded, channels, output_height, output_width,
                       seed=None):
    with _drawing_from(seed):
      return finish(family.preprocess_jpeg_for_train(
          encoded, channels, output_height, output_width,
          use_grayscale=use_grayscale, in_one_pass=in_one_pass, **extra))

  return preprocessing_fn


def reason_against_one_pass():
  """Returns why numba cannot be used here, a text; None if it can."""
  return compiled.reason_against()


def get_batch_preprocessing(name, is_training=False, use_grayscale=False,
                            augmentation=None):
  """Returns a function that does as much for pictures of one size together.

  Args, raises: as for `get_preprocessing`.

  Returns:
    preprocessing_fn(images, output_height, output_width) of uint8 [n, height,
    width, channels]. Or None, where each picture has its own: in the families
    that draw or that look at the whole picture, and with an augmentation.
  """
  family = _FAMILIES[_find(name)]
  is_plain = not is_training or augmentation in (None, Augmentation())
  if not is_plain or not hasattr(family, 'preprocess_batch'):
    return None

  def preprocessing_fn(images, output_height, output_width):
    return family.preprocess_batch(
        images, output_height, output_width, use_grayscale)

  return preprocessing_fn


def get_mixing(num_classes, mixup_alpha=0.0, cutmix_alpha=0.0):
  """Returns a function that mixes the images of a batch; see `mixing.mix`.

  Args:
    num_classes: number of classes.
    mixup_alpha, cutmix_alpha: as for `mixing.mix`.

  Returns:
    mixing_fn(images, labels, seed=None) that returns images and targets; None
    if nothing is mixed.
  """
  if not mixup_alpha and not cutmix_alpha:
    return None

  def mixing_fn(images, labels, seed=None):
    with _drawing_from(seed):
      return mixing.mix(
          images, labels, num_classes, mixup_alpha, cutmix_alpha)

  return mixing_fn


def _arguments(name, is_training, augmentation):
  """Returns keyword arguments for a recipe, and what follows it."""
  if not is_training or augmentation is None:
    return {}, lambda image: image
  arguments = augmentation.recipe_arguments()
  known = inspect.signature(_FAMILIES[_find(name)].preprocess_image).parameters
  if not set(arguments) <= set(known):
    raise ValueError(
        'The preprocessing of %s crops windows of one size: '
        '--crop_min_area and --crop_max_aspect work with that of inception and '
        'vgg (see --preprocessing_name).' % name)
  return arguments, augmentation.finish


def _drawing_from(seed):
  return (contextlib.nullcontext() if seed is None
          else random_numbers.seeded(seed))


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
  raise ValueError(
      'Preprocessing name [%s] was not recognized%s Choose one with '
      '--preprocessing_name: %s, or the name of a network whose preprocessing '
      'fits.' % (name, suggest.hint(
          str(name).split('_')[0], _FAMILY_OF, cutoff=0.8),
                 ', '.join(_FAMILIES)))
