"""SavedModels: a frozen graph with signatures."""
import errno

import tensorflow.compat.v1 as tf

# The signature that takes the content of files: JPEG, PNG, GIF or BMP.
BYTES_SIGNATURE = 'serving_bytes'


def write(directory, graph_def, shape, read_image=None,
          outputs=('logits', 'predictions')):
  """Writes a SavedModel.

  Its `serving_default` takes `input`, float32 preprocessed images; its
  `serving_bytes` takes `image_bytes`, string [batch], the content of image
  files, and preprocesses them. Both return the outputs, float32 [batch, ...].

  Each signature has operations of its own; they share the weights. Converters
  follow `serving_default` from its outputs, and abort at a decoder of images.

  Args:
    directory: path of the directory to make.
    graph_def: a frozen GraphDef with the nodes input, logits, predictions.
    shape: list of the dimensions of the input, None where any size is taken.
    read_image: function from a string scalar to a float32 image [height,
      width, channels]; None leaves out `serving_bytes`.
    outputs: names of the outputs, nodes of the graph.

  Raises:
    OSError: it cannot be written.
  """
  with tf.Graph().as_default() as graph:
    tf.import_graph_def(graph_def, name='')
    signatures = {'serving_default': _signature(
        {'input': graph.get_tensor_by_name('input:0')},
        _tensors(graph, outputs))}
    if read_image:
      encoded = tf.placeholder(tf.string, shape[:1], name='image_bytes')
      # A function: TensorFlow 1.15's converter aborts at its operations, even
      # where `serving_default` does not need them.
      images = tf.function(autograph=False, func=lambda encoded: tf.map_fn(
          read_image, encoded, dtype=tf.float32))(encoded)
      _import_again(graph, graph_def, images)
      signatures[BYTES_SIGNATURE] = _signature(
          {'image_bytes': encoded},
          _tensors(graph, outputs, BYTES_SIGNATURE + '/'))
    builder = tf.saved_model.builder.SavedModelBuilder(directory)
    on_cpu = tf.ConfigProto(device_count={'GPU': 0})
    with tf.Session(config=on_cpu) as session:
      builder.add_meta_graph_and_variables(
          session, ['serve'], signature_def_map=signatures)
    try:
      builder.save()
    except tf.errors.OpError as error:
      raise OSError(
          errno.EIO, '%s; free space or write elsewhere' %
          error.message.split('; ')[-1], directory)


def _import_again(graph, graph_def, images):
  """Adds the network once more, on `images`, with the constants there are."""
  rest = tf.GraphDef()
  rest.CopyFrom(graph_def)
  del rest.node[:]
  sources = {'input:0': images}
  for node in graph_def.node:
    if node.op == 'Const':
      sources[node.name + ':0'] = graph.get_tensor_by_name(node.name + ':0')
    elif node.name != 'input':
      rest.node.add().CopyFrom(node)
      # Names nodes to be placed beside, constants among them.
      rest.node[-1].attr.pop('_class', None)
  used = {name if ':' in name else name + ':0'
          for node in rest.node for name in node.input}
  tf.import_graph_def(
      rest, name=BYTES_SIGNATURE,
      input_map={name: tensor for name, tensor in sources.items()
                 if name in used})


def _tensors(graph, names, prefix=''):
  return {name: graph.get_tensor_by_name('%s%s:0' % (prefix, name))
          for name in names}


def _signature(inputs, outputs):
  info = tf.saved_model.utils.build_tensor_info
  return tf.saved_model.signature_def_utils.build_signature_def(
      {name: info(tensor) for name, tensor in inputs.items()},
      {name: info(tensor) for name, tensor in outputs.items()},
      'tensorflow/serving/predict')
