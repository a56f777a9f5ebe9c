"""The meaning of `--labels_offset=auto`.

ImageNet has 1000 classes; the records number them from 1 and keep 0 for the
background. Some networks were published with 1001 outputs, one of them for the
background, others with 1000, for which 1 is subtracted from every label.
"""
import re
from typing import Optional, Union

from image_classifier.checkpoints import checkpoint_reader
from image_classifier.checkpoints import shape_mismatch

AUTO = 'auto'
_IMAGENET_WITH_BACKGROUND = 1001
_WITHOUT_BACKGROUND = re.compile(r'(vgg|resnet_v1)_')
_AUXILIARY = re.compile(r'(^|/)aux', re.IGNORECASE)


def resolve(option: Union[int, str], num_classes: int,
            checkpoint: Optional[str], model_name: str) -> int:
  """Returns the number to subtract from labels and from the class count.

  1. A number: that number.
  2. auto, and the last layer in the checkpoint has as many outputs as the
     dataset has classes: 0. One output fewer: 1.
  3. auto otherwise: 1 for VGG and ResNet V1 on the 1001 classes of ImageNet,
     which were published without a background class; 0 for all others.

  Args:
    option: an int or 'auto'.
    num_classes: number of the dataset's classes.
    checkpoint: the checkpoint to load, in any form that
      `checkpoint_reader.find` takes; None if there is none.
    model_name: name of the network.

  Raises:
    ValueError: there is no such checkpoint.
  """
  if option != AUTO:
    return option
  outputs = _outputs(checkpoint) if checkpoint else None
  if outputs in (num_classes, num_classes - 1):
    return num_classes - outputs
  return int(num_classes == _IMAGENET_WITH_BACKGROUND and
             bool(_WITHOUT_BACKGROUND.match(model_name)))


def _outputs(checkpoint):
  """Returns the width of the last layer in a checkpoint; None if unknown."""
  shapes = checkpoint_reader.shapes_in(checkpoint_reader.find(checkpoint))
  widths = {shape[-1] for name, shape in shapes.items()
            if name.endswith('/biases') and shape_mismatch.is_head(name)
            and not _AUXILIARY.search(name)}
  return widths.pop() if len(widths) == 1 else None
