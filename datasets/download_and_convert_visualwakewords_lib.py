"""Visual Wake Words in three steps, as slim's users call them.

`download_and_convert_visualwakewords` does all of it at once, in several
processes, and resumes where it was stopped. Here each step is a function, for
annotations and images anywhere.
"""
import json
import os

from datasets import dataset_info
from datasets.conversion import coco
from datasets.conversion import engine
from datasets.conversion import image_checks
from datasets.conversion import shards
from slim_common import atomic_files

_SHARD = '%s-%05d-of-%05d'
# The boxes are those of the stored pixels, whatever their EXIF orientation.
_POLICY = image_checks.Policy(turn=False, only_jpeg=True)


def create_labels_file(foreground_class_of_interest,
                       visualwakewords_labels_file):
  """Writes the class names: 0 is the background, 1 the class.

  Args:
    foreground_class_of_interest: name of the class, such as 'person'.
    visualwakewords_labels_file: path of the file, such as DIR/labels.txt.
  """
  with atomic_files.publish(
      visualwakewords_labels_file, encoding='utf-8', newline='') as target:
    target.write(dataset_info.labels_text(
        {0: 'background', 1: foreground_class_of_interest}))


def create_visual_wakeword_annotations(
    annotations_file, visualwakewords_annotations_file,
    small_object_area_threshold, foreground_class_of_interest):
  """Writes which images of COCO show an object of a class, and where.

  Args:
    annotations_file: path of an `instances_*.json` of COCO.
    visualwakewords_annotations_file: path of the JSON file to write:
      `images`, a list with id, file_name, width and height of each image;
      `annotations`, by image id the `label`, 0 or 1, and the `objects` with
      area and bbox (left, top, width, height) in pixels; `categories`, by id
      the class.
    small_object_area_threshold: minimum object area, as a fraction of the
      image area; objects of this area or less are ignored.
    foreground_class_of_interest: name of the class.

  Raises:
    ValueError: the file is damaged, or has no class of that name.
    OSError: a file cannot be read or written.
  """
  category, images, objects = coco.select(
      annotations_file, foreground_class_of_interest,
      small_object_area_threshold)
  content = {
      'images': [{'id': image.id, 'file_name': image.name,
                  'width': image.width, 'height': image.height}
                 for image in images],
      'annotations': {
          str(image.id): {'label': int(bool(things)),
                          'objects': [thing._asdict() for thing in things]}
          for image, things in zip(images, objects)},
      'categories': {str(category['id']): category},
  }
  with atomic_files.publish(visualwakewords_annotations_file, encoding='utf-8',
                            newline='') as target:
    json.dump(content, target)


def create_tf_record_for_visualwakewords_dataset(
    annotations_file, image_dir, output_path, num_shards):
  """Writes images and their labels as TFRecord files.

  The files, `output_path`-00000-of-NUM and so on, take the images in turn.

  Args:
    annotations_file: path of a file that `create_visual_wakeword_annotations`
      has written.
    image_dir: directory of the images.
    output_path: start of the paths of the files.
    num_shards: number of files.

  Raises:
    ValueError: the annotations or some images are damaged; the message names
      them. Then no file is written or replaced.
    OSError: a file cannot be read or written.
  """
  if num_shards < 1:
    raise ValueError('num_shards is %s; it must be at least 1.' % num_shards)
  images = _labeled_images(annotations_file, image_dir)
  directory, start = os.path.split(output_path)
  names = [_SHARD % (start, shard, num_shards) for shard in range(num_shards)]
  with atomic_files.updated_directory(
      directory or '.', last=names[-1]) as building:
    parts = [
        shards.write_part(os.path.join(building, name),
                          images[shard::num_shards], coco.features_of, _POLICY)
        for shard, name in enumerate(names)]
    bad = [entry for part in parts for entry in part.bad]
    if bad:
      raise ValueError('%d bad images in %s; nothing was written.\n%s' % (
          len(bad), image_dir, engine.described(bad)))


def _labeled_images(annotations_file, image_dir):
  """Returns the list of `coco.LabeledImage`s of our annotations."""
  try:
    with open(annotations_file, encoding='utf-8') as source:
      content = json.load(source)
    images = [coco.to_image(entry) for entry in content['images']]
    entries = [content['annotations'][str(image.id)] for image in images]
    labels = [(0, 1).index(entry['label']) for entry in entries]
    objects = [[coco.to_object(thing) for thing in entry['objects']]
               for entry in entries]
  except coco.DAMAGED as error:
    raise ValueError(
        '%s is not what create_visual_wakeword_annotations writes, or damaged '
        '(%s: %s): write it again' % (
            annotations_file, type(error).__name__, error))
  return [coco.to_labeled(image_dir, image, things)._replace(label=label)
          for image, things, label in zip(images, objects, labels)]
