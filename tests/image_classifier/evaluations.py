"""Options, checkpoints and datasets for the tests of evaluation."""
import dataclasses
import io
import json
import os
import shutil

import numpy as np
from PIL import Image
import tensorflow.compat.v1 as tf

from datasets import dataset_info
from image_classifier import options


def options_for(digits, checkpoint, **changes):
  """Returns options to evaluate a LeNet on digits, without summaries.

  Args:
    digits: directory of the records.
    checkpoint: checkpoint or directory of one.
    **changes: values of flags, by their names.
  """
  values = dict({
      'checkpoint_path': str(checkpoint), 'eval_dir': '', 'model_name': 'lenet',
      'dataset_name': 'mnist', 'dataset_dir': str(digits)}, **changes)
  default = options.Evaluate()
  parts = {}
  for part in dataclasses.fields(default):
    component = getattr(default, part.name)
    own = {field.name: values.pop(field.name)
           for field in dataclasses.fields(component) if field.name in values}
    parts[part.name] = dataclasses.replace(component, **own)
  assert not values, values
  return options.Evaluate(**parts)


def rewrite_checkpoint(checkpoint, new, change):
  """Writes a checkpoint with changed variables.

  Args:
    checkpoint: its prefix.
    new: prefix of the new one.
    change: function of the dict {name: value}, which it alters.
  """
  reader = tf.train.NewCheckpointReader(str(checkpoint))
  values = {name: reader.get_tensor(name)
            for name in reader.get_variable_to_shape_map()}
  change(values)
  with tf.Graph().as_default(), tf.Session() as session:
    variables = [tf.Variable(value, name=name)
                 for name, value in values.items()]
    session.run(tf.global_variables_initializer())
    tf.train.Saver(variables).save(
        session, str(new), write_meta_graph=False, write_state=False)


def rewrite_digits(digits, directory, names, labels, count, multi_label=False):
  """Writes the first test digits with other labels.

  Args:
    digits: directory of the records.
    directory: new directory.
    names: list of the names of the classes.
    labels: function from a digit to the list of its labels.
    count: number of digits.
    multi_label: whether the dataset has several labels per image.
  """
  info = json.loads(open(os.path.join(digits, 'dataset_info.json')).read())
  file, = info['splits']['test']['files']
  directory.mkdir()
  counts = [0] * len(names)
  records = tf.python_io.tf_record_iterator(os.path.join(digits, file))
  with tf.python_io.TFRecordWriter(str(directory / file)) as writer:
    for _, record in zip(range(count), records):
      example = tf.train.Example.FromString(record)
      value = example.features.feature['image/class/label'].int64_list.value
      new = labels(value[0])
      value[:] = new
      for label in new:
        counts[label] += 1
      writer.write(example.SerializeToString())
  (directory / 'dataset_info.json').write_text(dataset_info.info_text(
      'mnist', names, info['image'], {'test': {
          'num_examples': count, 'files': [file], 'examples_per_file': [count],
          'examples_per_class': counts}}, multi_label=multi_label))


def pixels(path):
  """Returns the images of a record file, uint8 [n, height, width]."""
  return np.stack([
      np.asarray(Image.open(io.BytesIO(
          tf.train.Example.FromString(record).features.feature[
              'image/encoded'].bytes_list.value[0])))
      for record in tf.python_io.tf_record_iterator(str(path))])


def corrupt_images(digits, directory, numbers):
  """Copies digits, with images of the test split that cannot be decoded."""
  shutil.copytree(str(digits), str(directory))
  path, = directory.glob('*test*.tfrecord')
  records = list(tf.python_io.tf_record_iterator(str(path)))
  with tf.python_io.TFRecordWriter(str(path)) as writer:
    for number, record in enumerate(records):
      example = tf.train.Example.FromString(record)
      if number in numbers:
        example.features.feature['image/encoded'].bytes_list.value[:] = [
            b'\x89PNG broken']
      writer.write(example.SerializeToString())


def with_count(digits, directory, count):
  """Copies digits, with a wrong number of test examples in their info."""
  shutil.copytree(digits, str(directory))
  path = directory / 'dataset_info.json'
  info = json.loads(path.read_text())
  info['splits']['test'].update(num_examples=count, examples_per_file=[count])
  path.write_text(json.dumps(info))
