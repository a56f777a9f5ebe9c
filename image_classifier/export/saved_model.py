"""SavedModels: a frozen graph with signatures."""
import tensorflow.compat.v1 as tf

# The signature that takes the content of files: JPEG, PNG, GIF or BMP.
BYTES_SIGNATURE = 'serving_bytes'


def write(directory, graph_def, shape, read_image=None):
  """Writes a SavedModel.

  Its `serving_default` takes `input`, float32 preprocessed images; its
  `serving_bytes` takes `image_bytes`, string [batch], the content of image
  files, and preprocesses them. Both return `logits` and `predictions`, float32
  [batch, classes].

  Args:
    directory: path of the directory to make.
    graph_def: a frozen GraphDef with the nodes input, logits, predictions.
    shape: list of the dimensions of the input, None where any size is taken.
    read_image: function from a string scalar to a float32 image [height,
      width, channels]; None leaves out `serving_bytes`.
  """
  with tf.Graph().as_default() as graph:
    sources = {}
    if read_image:
      encoded = tf.placeholder(tf.string, shape[:1], name='image_bytes')
      sources = {'decoded': tf.map_fn(read_image, encoded, dtype=tf.float32)}
      graph_def = _with_default(graph_def, 'decoded')
    tf.import_graph_def(graph_def, name='', input_map=sources)
    tensor = graph.get_tensor_by_name
    outputs = {name: tensor(name + ':0') for name in ('logits', 'predictions')}
    signatures = {
        'serving_default': _signature({'input': tensor('input:0')}, outputs)}
    if read_image:
      signatures[BYTES_SIGNATURE] = _signature(
          {'image_bytes': encoded}, outputs)
    builder = tf.saved_model.builder.SavedModelBuilder(directory)
    on_cpu = tf.ConfigProto(device_count={'GPU': 0})
    with tf.Session(config=on_cpu) as session:
      builder.add_meta_graph_and_variables(
          session, ['serve'], signature_def_map=signatures)
    builder.save()


def _with_default(graph_def, source):
  """Returns a copy whose `input` is `source` by default."""
  changed = tf.GraphDef()
  changed.CopyFrom(graph_def)
  node, = [node for node in changed.node if node.name == 'input']
  node.op = 'PlaceholderWithDefault'
  node.input.append(source)
  return changed


def _signature(inputs, outputs):
  info = tf.saved_model.utils.build_tensor_info
  return tf.saved_model.signature_def_utils.build_signature_def(
      {name: info(tensor) for name, tensor in inputs.items()},
      {name: info(tensor) for name, tensor in outputs.items()},
      'tensorflow/serving/predict')
