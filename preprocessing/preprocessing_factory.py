"""Finds the preprocessing of a network by its name.

One table maps prefixes of network names to families; the longest one counts:
`mobilenet_v1_050` starts with `mobilenet`, which is of the inception family.
"""
import contextlib
import inspect

from preprocessing import augmentation as augmentations
from preprocessing import cifarnet_preprocessing
from preprocessing import inception_preprocessing
from preprocessing import lenet_preprocessing
from preprocessing import mixing
from preprocessing import random_numbers
from preprocessing import torchvision_preprocessing
from preprocessing import vgg_preprocessing
from preprocessing.fast import compiled
from slim_common import suggest

Augmentation = augmentations.Augmentation
why_not_compiled = compiled.why_unavailable

_FAMILIES = {
    'inception': inception_preprocessing,
    'vgg': vgg_preprocessing,
    'torchvision': torchvision_preprocessing,
    'cifarnet': cifarnet_preprocessing,
    'lenet': lenet_preprocessing,
}
# The family of each prefix. The networks for video, i3d and s3dg, are not here:
# their frames come preprocessed.
_FAMILY_OF = {
    'inception': 'inception',
    'mobilenet': 'inception',
    'nasnet': 'inception',
    'nasnet_cifar': 'cifarnet',
    'pnasnet': 'inception',
    'vgg': 'vgg',
    'torchvision': 'torchvision',
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
    is_training: whether to distort the images for training.
    use_grayscale: whether to convert the images to one channel.
    augmentation: an `Augmentation` for training, or None.

  Returns:
    preprocessing_fn(image, output_height, output_width, seed=None, **kwargs).
    The image is uint8 [height, width, channels], the result float32
    [output_height, output_width, channels]. All random numbers follow from
    the seed, int64 [2], if given. The keyword arguments are those of the
    family's `preprocess_image`: bbox, fast_mode, add_image_summaries,
    crop_image (inception); resize_side_min, resize_side_max (vgg);
    add_image_summaries (cifarnet).

  Raises:
    ValueError: the name is unknown, the network has no preprocessing, or its
      family lacks part of the augmentation.
  """
  family = _FAMILIES[_find(name)]
  extra, finish = _augmenting(family, name, is_training, augmentation)

  def preprocessing_fn(image, output_height, output_width, seed=None, **kwargs):
    with _seeded(seed):
      return finish(family.preprocess_image(
          image, output_height, output_width, is_training=is_training,
          use_grayscale=use_grayscale, **dict(extra, **kwargs)))

  return preprocessing_fn


def get_jpeg_preprocessing(name, is_training=False, use_grayscale=False,
                           augmentation=None, use_compiled=None):
  """Returns a function that preprocesses an encoded JPEG.

  It picks the crop first and decodes nothing else. For the other arguments and
  the errors see `get_preprocessing`.

  Args:
    use_compiled: whether to use functions compiled by numba, see `compiled`;
      None to use them where numba is installed. The graph then runs in this
      Python process only.

  Returns:
    preprocessing_fn(encoded, channels, output_height, output_width, seed=None)
    of a string scalar and the number of channels to decode, 1 or 3. It raises
    a ValueError for `use_compiled` without numba. None where the whole image is
    needed: in evaluation, and in the families of small images.
  """
  family = _FAMILIES[_find(name)]
  extra, finish = _augmenting(family, name, is_training, augmentation)
  if not is_training or not hasattr(family, 'preprocess_jpeg_for_train'):
    return None
  if use_compiled is None:
    use_compiled = why_not_compiled() is None

  def preprocessing_fn(encoded, channels, output_height, output_width,
                       seed=None):
    with _seeded(seed):
      return finish(family.preprocess_jpeg_for_train(
          encoded, channels, output_height, output_width,
          use_grayscale=use_grayscale, use_compiled=use_compiled, **extra))

  return preprocessing_fn


def get_batch_preprocessing(name, is_training=False, use_grayscale=False,
                            augmentation=None):
  """Returns a function that preprocesses a batch of images of one size.

  For the arguments and the errors see `get_preprocessing`.

  Returns:
    preprocessing_fn(images, output_height, output_width) of uint8 [batch,
    height, width, channels]. None where each image is treated differently: in
    the families other than lenet, and with an augmentation.
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
  """Returns a function that mixes the images of a batch.

  For the arguments see `mixing.mix`.

  Returns:
    mixing_fn(images, labels, seed=None) that returns images and targets; None
    if both alphas are 0.
  """
  if not mixup_alpha and not cutmix_alpha:
    return None

  def mixing_fn(images, labels, seed=None):
    with _seeded(seed):
      return mixing.mix(images, labels, num_classes, mixup_alpha, cutmix_alpha)

  return mixing_fn


def _augmenting(family, name, is_training, augmentation):
  """Returns keyword arguments for a recipe, and a function that follows it."""
  if not is_training or augmentation is None:
    return {}, lambda image: image
  arguments = augmentation.recipe_arguments()
  known = inspect.signature(family.preprocess_image).parameters
  if not set(arguments) <= set(known):
    raise ValueError(
        'The preprocessing of %s crops to one size: --crop_min_area and '
        '--crop_max_aspect work with those of inception and vgg (see '
        '--preprocessing_name).' % name)
  return arguments, augmentation.finish


def _seeded(seed):
  return (contextlib.nullcontext() if seed is None
          else random_numbers.seeded(seed))


def describe(name):
  """Describes what the preprocessing of a network does in evaluation.

  A value x in [0, 255] becomes (x - mean) * scale. For the name and the errors
  see `get_preprocessing`.

  Returns:
    A dict that JSON can hold: `family`; `value_range`, a string; `mean`, a list
    of one number per channel or of one for all, and `scale`, a number or a list
    of one per channel, both None where they differ between images;
    `central_fraction`, the fraction of height and width kept before resizing,
    or None; `size`, a string.
  """
  family = _find(name)
  return dict(_FAMILIES[family].EVALUATION, family=family)


def _find(name):
  """Returns the name of the family of a network."""
  prefixes = [prefix for prefix in _FAMILY_OF
              if ('%s_' % name).startswith(prefix + '_')]
  if prefixes:
    return _FAMILY_OF[max(prefixes, key=len)]
  raise ValueError(
      'Preprocessing name [%s] was not recognized%s Choose one with '
      '--preprocessing_name: %s, or the name of a network with the '
      'preprocessing wanted.' % (name, suggest.hint(
          str(name).split('_')[0], _FAMILY_OF, cutoff=0.8),
                 ', '.join(_FAMILIES)))
