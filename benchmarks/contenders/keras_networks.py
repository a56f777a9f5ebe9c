"""Keras 3 as its users write it, on TensorFlow or JAX."""
import json
import os
import sys

import numpy as np

from benchmarks.contenders import turns

_CLASSES = 10
_MOMENTUM, _RATE, _WEIGHT_DECAY = 0.9, 0.01, 4e-5


def _lenet(classes, unused_size):
  from keras import layers
  return [layers.Input([28, 28, 1]),
          layers.Conv2D(32, 5, padding='same', activation='relu'),
          layers.MaxPooling2D(),
          layers.Conv2D(64, 5, padding='same', activation='relu'),
          layers.MaxPooling2D(), layers.Flatten(),
          layers.Dense(1024, activation='relu'), layers.Dropout(0.5),
          layers.Dense(classes, activation='softmax')]


def _network(name, classes, size):
  """Returns an application with new weights."""
  import keras
  if name == 'lenet':
    return keras.Sequential(_lenet(classes, size))
  function, keywords = {
      'mobilenet_v1': (keras.applications.MobileNet, {}),
      'mobilenet_v1_025': (keras.applications.MobileNet, {'alpha': 0.25}),
      'mobilenet_v2': (keras.applications.MobileNetV2, {}),
      'resnet_v1_50': (keras.applications.ResNet50, {}),
      'inception_v3': (keras.applications.InceptionV3, {})}[name]
  return function(weights=None, classes=classes, input_shape=[size, size, 3],
                  **keywords)


def _compiled(work):
  import keras
  network = _network(work['network'], _CLASSES, work['size'])
  network.compile(
      keras.optimizers.SGD(_RATE, _MOMENTUM, weight_decay=_WEIGHT_DECAY),
      'sparse_categorical_crossentropy')
  return network


def step(work):
  """Serves the training step on a batch in memory."""
  network = _compiled(work)
  random = np.random.RandomState(0)
  shape = [work['batch'], work['size'], work['size'], work['channels']]
  images = random.uniform(-1, 1, shape).astype(np.float32)
  labels = random.randint(0, _CLASSES, work['batch'])
  turns.serve(lambda: network.train_on_batch(images, labels), work['batch'])


def _batches(work, flipped):
  """Returns batches of the images of a directory, for ever."""
  import keras
  from keras import layers
  batches = keras.utils.image_dataset_from_directory(
      os.path.join(work['data'], 'jpegs'), batch_size=work['batch'],
      image_size=[work['size']] * 2, shuffle=flipped, verbose=False)
  scale, flip = layers.Rescaling(1 / 127.5, -1), layers.RandomFlip('horizontal')
  return batches.map(lambda images, labels: (
      flip(scale(images), training=True) if flipped else scale(images),
      labels)).repeat().prefetch(2)


def _pausing(paused):
  """Returns the callback that waits after each batch."""
  import keras

  class Pause(keras.callbacks.Callback):

    def on_train_batch_end(self, batch, logs=None):
      paused.pause()

    on_test_batch_end = on_train_batch_end

  return [Pause()]


def end_to_end(work):
  """Serves the steps of `fit` from a directory of images."""
  paused = turns.Paused()
  paused.serve_beside(work['batch'], warm=2)
  _compiled(work).fit(_batches(work, flipped=True), steps_per_epoch=10 ** 6,
                      epochs=1, verbose=0, callbacks=_pausing(paused))


def evaluation(work):
  """Serves the steps of `evaluate` from a directory of images."""
  paused = turns.Paused()
  paused.serve_beside(work['batch'], warm=2)
  _compiled(work).evaluate(_batches(work, flipped=False), steps=10 ** 6,
                           verbose=0, callbacks=_pausing(paused))


def inference(work):
  """Serves the network on one batch."""
  network = _network(work['network'], work['classes'], work['size'])
  images = np.random.RandomState(0).uniform(-1, 1, [
      work['batch'], work['size'], work['size'], 3]).astype(np.float32)
  turns.serve(lambda: network.predict_on_batch(images), work['batch'])


if __name__ == '__main__':
  _work = json.loads(sys.argv[1])
  os.environ['KERAS_BACKEND'] = _work['backend']
  {'step': step, 'end_to_end': end_to_end, 'evaluation': evaluation,
   'inference': inference}[_work['work']](_work)
