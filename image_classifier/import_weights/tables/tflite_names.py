"""Networks in TensorFlow Lite files, whose layers are in the order of ours.

Batch normalization is folded into the weights there.
"""
from image_classifier.import_weights import layers
from image_classifier.import_weights.name_rules import Rule
from image_classifier.import_weights.sources import Row

PREPROCESSING = 'inception'

_IN_ORDER = Row([
    Rule('.*/squeeze_excite/Conv_1', 'layer_{c}' + layers.GATE),
    Rule('.*', 'layer_{c}', 'layer_{c}')])
ROWS = {name: _IN_ORDER for name in (
    'mobilenet_v1', 'mobilenet_v1_075', 'mobilenet_v1_050', 'mobilenet_v1_025',
    'mobilenet_v2', 'mobilenet_v2_140', 'mobilenet_v2_035',
    'mobilenet_v3_large', 'mobilenet_v3_large_minimalistic',
    'mobilenet_v3_small', 'mobilenet_v3_small_minimalistic',
    'mobilenet_edgetpu', 'mobilenet_edgetpu_075')}
