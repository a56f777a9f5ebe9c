"""OpenVINO on an export of this project."""
import json
import os
import sys

import numpy as np
import openvino

from benchmarks.contenders import turns


def inference(work):
  """Serves an ONNX file on one batch.

  On processors that have it, OpenVINO computes in bfloat16 unless told not to:
  twice as fast, with three digits.
  """
  path = os.path.join(work['export'], 'model.onnx')
  if not os.path.exists(path):
    turns.refuse('model.onnx cannot be exported here')
  network = openvino.compile_model(
      path, 'CPU', {'INFERENCE_PRECISION_HINT': work['precision']})
  images = np.random.RandomState(0).uniform(-1, 1, [
      work['batch'], work['size'], work['size'], 3]).astype(np.float32)
  turns.serve(lambda: network([images]), work['batch'])


if __name__ == '__main__':
  inference(json.loads(sys.argv[1]))
