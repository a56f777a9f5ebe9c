"""Outputs of networks that do not tell the classes of one task apart."""
import collections

import tensorflow.compat.v1 as tf

from image_classifier.losses import embedding
from image_classifier.losses import task_heads
from image_classifier.runs import run_record

EMBEDDING = 'embedding'


def find(options, checkpoint, outputs):
  """Returns (logits, predictions, named) of an embedding or of several tasks.

  Args:
    options: an `options.Export` or `options.Classify`.
    checkpoint: prefix of the checkpoint, whose run.json has the tasks; or None.
    outputs: float32 tensor [batch, outputs] of the network.

  Returns:
    None for a network of one task. The named outputs are {name: float32
    tensor}: `embedding` [batch, size], or of each task the probabilities of
    its classes [batch, classes]; `predictions` are those of all tasks.
  """
  if options.embedding_size:
    embeddings = embedding.embed(outputs, options.normalize_embedding)
    return embeddings, embeddings, {EMBEDDING: embeddings}
  heads = recorded_heads(checkpoint and run_record.of_checkpoint(checkpoint))
  if not heads:
    return None
  named = collections.OrderedDict(
      (head.task, task_heads.probabilities(head, outputs)) for head in heads)
  return outputs, tf.concat(list(named.values()), axis=1), named


def recorded_heads(record):
  """Returns the list of `task_heads.Head` in a run.json, maybe empty.

  They lack what only the dataset knows, the class ids.
  """
  heads, start = [], 0
  for row in (record or {}).get('tasks') or []:
    heads.append(task_heads.Head(
        row['task'], row['classes'], row['multi_label'], 1.0, start, [], None))
    start += len(row['classes'])
  return heads
