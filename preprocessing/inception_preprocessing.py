"""The recipe of the inception networks and of most that came after.

Training: a random crop of 5 % to 100 % of the image, resized to the size of the
network, randomly flipped and colored. Evaluation: the central part, resized to
the size of the network. Both give values in [-1, 1].

C. Szegedy et al.: Going deeper with convolutions, arXiv:1409.4842.
"""
import functools

import tensorflow.compat.v1 as tf

from preprocessing import image_ops
from preprocessing import random_numbers
from preprocessing.fast import color
from preprocessing.fast import compiled
from preprocessing.fast import jpeg

_AREA_RANGE = (0.05, 1.0)
_ASPECT_RATIO_RANGE = (0.75, 1.33)
_MIN_OBJECT_COVERED = 0.1
_CENTRAL_FRACTION = 0.875

EVALUATION = {
    'value_range': '-1 to 1',
    'mean': [127.5],
    'scale': 1 / 127.5,
    'central_fraction': _CENTRAL_FRACTION,
    'size': 'the central part is resized; its aspect ratio may change',
}

_MAX_BRIGHTNESS = 32.0 / 255.0
_SATURATIONS = (0.5, 1.5)
_BRIGHTNESS = functools.partial(
    image_ops.random_brightness, max_delta=_MAX_BRIGHTNESS)
_SATURATION = functools.partial(
    image_ops.random_saturation, lower=_SATURATIONS[0], upper=_SATURATIONS[1])
_HUE = functools.partial(image_ops.random_hue, max_delta=0.2)
_CONTRAST = functools.partial(image_ops.random_contrast, lower=0.5, upper=1.5)

# The steps do not commute: one of the orders is chosen for each image.
_COLOR_ORDERS = (
    (_BRIGHTNESS, _SATURATION, _HUE, _CONTRAST),
    (_SATURATION, _BRIGHTNESS, _CONTRAST, _HUE),
    (_CONTRAST, _HUE, _BRIGHTNESS, _SATURATION),
    (_HUE, _SATURATION, _CONTRAST, _BRIGHTNESS),
)
# Without hue and contrast, which take most of the time.
_FAST_COLOR_ORDERS = ((_BRIGHTNESS, _SATURATION),) + (
    (_SATURATION, _BRIGHTNESS),) * 3

_RESIZE_METHODS = (
    tf.image.ResizeMethod.BILINEAR, tf.image.ResizeMethod.NEAREST_NEIGHBOR,
    tf.image.ResizeMethod.BICUBIC, tf.image.ResizeMethod.AREA)


def apply_with_random_selector(x, func, num_cases):
  """Computes `func(x, case)` for a random case.

  Args:
    x: a tensor.
    func: function of a tensor and a Python int.
    num_cases: the case is uniformly distributed in [0, num_cases).

  Returns:
    The result of the function. The other cases are not computed.
  """
  if num_cases == 1:
    return func(x, 0)
  case = random_numbers.uniform(0, num_cases, tf.int32)
  return tf.switch_case(
      case, [functools.partial(func, x, i) for i in range(num_cases)])


def distort_color(image, color_ordering=0, fast_mode=True, scope=None):
  """Randomly changes brightness, saturation, hue and contrast.

  Args:
    image: float32 image in [0, 1] of 3 channels, or of 1, whose hue and
      saturation stay.
    color_ordering: index of the order of the steps, 0 to 3.
    fast_mode: whether to leave out hue and contrast.
    scope: name scope.

  Returns:
    A float32 image in [0, 1].

  Raises:
    ValueError: there is no such order.
  """
  orders = _FAST_COLOR_ORDERS if fast_mode else _COLOR_ORDERS
  if not 0 <= color_ordering < len(orders):
    raise ValueError('color_ordering is %s; it must be from 0 to %d.' % (
        color_ordering, len(orders) - 1))
  with tf.name_scope(scope, 'distort_color', [image]):
    for step in orders[color_ordering]:
      image = step(image)
    return tf.clip_by_value(image, 0.0, 1.0)


def distorted_bounding_box_crop(
    image, bbox, min_object_covered=_MIN_OBJECT_COVERED,
    aspect_ratio_range=_ASPECT_RATIO_RANGE, area_range=_AREA_RANGE,
    max_attempts=image_ops.MAX_ATTEMPTS, scope=None):
  """Crops an image to a random box.

  The arguments are those of `image_ops.sample_distorted_box`, with `bbox` for
  `boxes`.

  Returns:
    The cropped image, and float32 [1, 1, 4], the crop in the form of `bbox`.
  """
  with tf.name_scope(scope, 'distorted_bounding_box_crop', [image, bbox]):
    begin, size, box = image_ops.sample_distorted_box(
        tf.shape(image), bbox, min_object_covered, aspect_ratio_range,
        area_range, max_attempts)
    return image_ops.crop(image, begin, size), box


def preprocess_for_train(
    image, height, width, bbox, fast_mode=True, scope=None,
    add_image_summaries=True, random_crop=True, use_grayscale=False,
    area_range=None, aspect_ratio_range=_ASPECT_RATIO_RANGE, augment=None):
  """Distorts an image for training.

  Args:
    image: [height, width, channels], integers or floats in [0, 1].
    height, width: size of the result in pixels.
    bbox: float32 [1, count, 4], boxes around objects: top, left, bottom, right
      as fractions of height and width; None for the whole image.
    fast_mode: whether to resize bilinearly and to leave out hue and contrast;
      otherwise the resize method and the order of the color steps are random.
    scope: name scope.
    add_image_summaries: whether to add image summaries of the stages.
    random_crop: whether to crop; if not, the whole image is resized.
    use_grayscale: whether to convert the result to one channel.
    area_range: minimum and maximum fraction of the area; None for (0.05, 1).
    aspect_ratio_range: minimum and maximum width / height of the crop.
    augment: function applied to the resized image, float32 in [0, 255], before
      the color steps; or None.

  Returns:
    float32 [height, width, channels] in [-1, 1].

  Raises:
    ValueError: a size or the image's shape is invalid.
  """
  image_ops.check_size(height, width)
  image_ops.num_channels(image)
  summarize = _summarize if add_image_summaries else lambda *unused: None

  def resize(crop, case):
    return image_ops.resize_to_unit_range(
        crop, height, width, _RESIZE_METHODS[case])

  with tf.name_scope(scope, 'distort_image', [image, bbox]):
    if bbox is None:
      bbox = tf.constant(image_ops.WHOLE_IMAGE)
    summarize('image_with_bounding_boxes', image, bbox)
    net = image
    if random_crop:
      net, box = distorted_bounding_box_crop(
          image, bbox, _min_object_covered(area_range), aspect_ratio_range,
          area_range or _AREA_RANGE)
      summarize('images_with_distorted_bounding_box', image, box)
    net = apply_with_random_selector(
        net, resize, 1 if fast_mode else len(_RESIZE_METHODS))
    summarize('cropped_resized_image' if random_crop else 'resized_image', net)
    net = image_ops.random_flip(net)
    if augment is not None:
      net = augment(net * 255.0) / 255.0
    net = apply_with_random_selector(
        net, lambda image, case: distort_color(image, case, fast_mode),
        1 if fast_mode else len(_COLOR_ORDERS))
    if use_grayscale:
      net = image_ops.to_grayscale(net)
    summarize('final_distorted_image', net)
    return image_ops.to_signed_range(net)


def preprocess_jpeg_for_train(
    encoded, channels, height, width, use_grayscale=False,
    area_range=None, aspect_ratio_range=_ASPECT_RATIO_RANGE, augment=None,
    use_compiled=False):
  """Decodes and distorts a JPEG as `preprocess_for_train` does in fast mode.

  Picks the crop first and decodes nothing else.

  Args:
    encoded: string scalar, the JPEG.
    channels: channels to decode, 1 (grayscale) or 3 (RGB).
    height, width, use_grayscale, area_range, aspect_ratio_range, augment: see
      `preprocess_for_train`.
    use_compiled: whether to use the functions of `compiled` where they do the
      same: for three channels and without `augment`.

  Returns:
    float32 [height, width, channels] in [-1, 1].

  Raises:
    ValueError: a size is invalid, or `use_compiled` without numba.
  """
  image_ops.check_size(height, width)
  with tf.name_scope('distort_jpeg'):
    begin, size, _ = image_ops.sample_distorted_box(
        tf.image.extract_jpeg_shape(encoded), image_ops.WHOLE_IMAGE,
        _min_object_covered(area_range), aspect_ratio_range,
        area_range or _AREA_RANGE)
    crop = jpeg.decode_crop_to_resize(
        encoded, begin, size, channels, height, width)
    flipped = random_numbers.bernoulli(0.5)
    delta = random_numbers.uniform(-_MAX_BRIGHTNESS, _MAX_BRIGHTNESS)
    factor = random_numbers.uniform(*_SATURATIONS)
    if use_compiled and channels == 3 and augment is None:
      net = compiled.resize_and_color(
          crop, height, width, flipped, delta, factor)
    else:
      net = image_ops.flip(image_ops.resize(crop, height, width), flipped)
      if augment is not None:
        net = augment(net)
      net = color.brighten_and_saturate(net, delta, factor)
    return image_ops.to_grayscale(net) if use_grayscale else net


def preprocess_for_eval(
    image, height, width, central_fraction=_CENTRAL_FRACTION, scope=None,
    central_crop=True, use_grayscale=False):
  """Crops the center of an image and resizes it, for evaluation.

  Args:
    image: [height, width, channels], integers or floats in [0, 1].
    height: height of the result in pixels; None to keep the size of the crop.
    width: width of the result in pixels; None if `height` is.
    central_fraction: fraction of height and width to crop to; None for no crop.
    scope: name scope.
    central_crop: whether to crop.
    use_grayscale: whether to convert the image to one channel.

  Returns:
    float32 [height, width, channels] in [-1, 1].

  Raises:
    ValueError: a size, the fraction or the image's shape is invalid.
  """
  keeps_size = height is None and width is None
  if not keeps_size:
    image_ops.check_size(height, width)
  image_ops.num_channels(image)
  with tf.name_scope(scope, 'eval_image', [image]):
    if central_crop and central_fraction is not None:
      image = image_ops.central_fraction(image, central_fraction)
    image = image_ops.to_unit_range(image) if keeps_size else (
        image_ops.resize_to_unit_range(image, height, width))
    if use_grayscale:
      image = image_ops.to_grayscale(image)
    return image_ops.to_signed_range(image)


def preprocess_image(
    image, height, width, is_training=False, bbox=None, fast_mode=True,
    add_image_summaries=True, crop_image=True, use_grayscale=False,
    area_range=None, aspect_ratio_range=_ASPECT_RATIO_RANGE, augment=None):
  """Preprocesses an image for the inception networks.

  For the other arguments, the result and the errors see `preprocess_for_train`.

  Args:
    is_training: whether to distort the image for training.
    crop_image: whether to crop before resizing.
  """
  if is_training:
    return preprocess_for_train(
        image, height, width, bbox, fast_mode, None, add_image_summaries,
        crop_image, use_grayscale, area_range, aspect_ratio_range, augment)
  return preprocess_for_eval(
      image, height, width, _CENTRAL_FRACTION, None, crop_image, use_grayscale)


def _min_object_covered(area_range):
  """Returns the minimum fraction of one of the objects in a crop."""
  if area_range is None:
    return _MIN_OBJECT_COVERED
  # The smallest crops could never cover more.
  return min(_MIN_OBJECT_COVERED, area_range[0])


def _summarize(name, image, boxes=None):
  """Adds a summary of an image with boxes drawn on it."""
  images = tf.expand_dims(image_ops.to_unit_range(image), 0)
  if boxes is not None:
    images = tf.image.draw_bounding_boxes(images, boxes)
  tf.summary.image(name, images)
