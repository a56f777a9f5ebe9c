"""SavedModels: a frozen graph with signatures."""
import tensorflow.compat.v1 as tf

# The signature that takes whole files, JPEG, PNG, GIF or BMP.
BYTES_SIGNATURE = 'serving_bytes'


def write(folder, graph_def, shape, read_picture=None):
  """Writes a SavedModel.

  Its `serving_default` takes `input`, float32 pictures as the network wants
  them; its `serving_bytes` takes `image_bytes`, string [batch], the content of
  picture files, and preprocesses them. Both give `logits` and `predictions`,
  float32 [batch, classes].

  Args:
    folder: the folder to make.
    graph_def: a frozen GraphDef with the nodes input, logits, predictions.
    shape: the shape of the input, None where free.
    read_picture: function of a string scalar that returns the float32 picture
      [height, width, channels]; None leaves the second signature out.
  """
  with tf.Graph().as_default() as graph:
    sources = {}
    if read_picture:
      encoded = tf.placeholder(tf.string, shape[:1], name='image_bytes')
      sources = {'pictures': tf.map_fn(
          read_picture, encoded, dtype=tf.float32)}
      graph_def = _with_default(graph_def, 'pictures')
    tf.import_graph_def(graph_def, name='', input_map=sources)
    tensor = graph.get_tensor_by_name
    outputs = {name: tensor(name + ':0') for name in ('logits', 'predictions')}
    signatures = {'serving_default': _signature(
        {'input': tensor('input:0')}, outputs)}
    if read_picture:
      signatures[BYTES_SIGNATURE] = _signature(
          {'image_bytes': encoded}, outputs)
    builder = tf.saved_model.builder.SavedModelBuilder(folder)
    with tf.Session(config=tf.ConfigProto(
        device_count={'GPU': 0})) as session:
      builder.add_meta_graph_and_variables(
          session, ['serve'], signature_def_map=signatures)
    builder.save()


def _with_default(graph_def, source):
  """Returns a copy whose `input`, where it is not fed, is `source`."""
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
