"""Who may import whom, folder by folder; imports_test.py checks it.

The longest folder of the table that holds a file decides for it; the first row
is for the files at the top, which are the programs. What a row allows, it
allows with everything inside; the standard library is open to all.
"""
_LIBRARIES = ('tensorflow', 'tf_slim', 'numpy', 'absl', 'PIL')
ISLANDS = ('nets', 'preprocessing', 'datasets')
PROJECT = ISLANDS + ('slim_common', 'deployment', 'image_classifier')
_PROGRAMS = (
    'download_and_convert_data', 'train_image_classifier',
    'eval_image_classifier', 'export_inference_graph', 'classify_image')
_BASE = _LIBRARIES + ('slim_common',)
_FACTORIES = (
    'nets.nets_factory', 'nets.normalization', 'nets.variants',
    'preprocessing.preprocessing_factory', 'datasets.dataset_factory',
    'datasets.reading', 'datasets.conversion.image_checks')
_IC = 'image_classifier.'
_BELOW_RUNS = (_IC + 'options', _IC + 'checkpoints', _IC + 'losses')
_BELOW_EVALUATE = _BASE + _FACTORIES + _BELOW_RUNS + (
    'deployment', _IC + 'graphs', _IC + 'runs')

# Folder to what its files may import besides each other.
TABLE = {
    '': _LIBRARIES + PROJECT + ('setuptools',),
    'tests': _LIBRARIES + PROJECT + _PROGRAMS + (
        'scripts', 'examples', 'benchmarks', 'google.protobuf', 'h5py',
        'importlib_metadata', 'keras', 'matplotlib', 'numba', 'onnx', 'packaging',
        'pytest', 'safetensors', 'setuptools', 'timm', 'openvino', 'torch',
        'torchvision'),
    'examples': _LIBRARIES + PROJECT + _PROGRAMS + ('matplotlib',),
    'benchmarks': _LIBRARIES + PROJECT + _PROGRAMS + (
        'cv2', 'matplotlib', 'simplejpeg'),
    # With the frameworks that could be used instead.
    'benchmarks/contenders': _LIBRARIES + PROJECT + (
        'benchmarks', 'keras', 'onnxruntime', 'openvino', 'torch', 'torchvision'),
    'scripts': _BASE + ('datasets', 'nets.pretrained', _IC + 'import_weights'),
    'slim_common': _LIBRARIES,
    'nets': _BASE,
    'preprocessing': _BASE,
    # Nowhere else, as numba may be missing.
    'preprocessing/fast': _BASE + ('preprocessing', 'numba'),
    'datasets': _BASE + ('matplotlib',),
    'datasets/samples': ('numpy',),
    'datasets/reading': _BASE,
    'datasets/conversion': _BASE + (
        'datasets.dataset_info', 'datasets.imagenet_tools'),
    'datasets/imagenet_tools': _BASE + ('datasets.conversion',),
    'deployment': _BASE + ('nets.normalization',),
    'image_classifier': ('slim_common',),
    'image_classifier/options': ('slim_common',),
    'image_classifier/checkpoints': _BASE + ('nets.pretrained',),
    'image_classifier/losses': _BASE,
    'image_classifier/graphs': _BASE + _BELOW_RUNS,
    'image_classifier/runs': _BASE + _FACTORIES + _BELOW_RUNS + ('matplotlib',),
    'image_classifier/evaluate': _BELOW_EVALUATE + ('matplotlib',),
    'image_classifier/inference': _BELOW_EVALUATE + ('onnxruntime',),
    'image_classifier/evaluate_export': _BELOW_EVALUATE + (
        _IC + 'evaluate', _IC + 'inference'),
    'image_classifier/train': _BELOW_EVALUATE + (_IC + 'evaluate',),
    'image_classifier/import_weights': _BELOW_EVALUATE + ('h5py',),
    'image_classifier/import_weights/tables': (_IC + 'import_weights',),
    'image_classifier/own_images': _LIBRARIES + PROJECT,
    'image_classifier/export': _BELOW_EVALUATE + (
        _IC + 'inference', _IC + 'import_weights', 'h5py', 'onnx', 'tf2onnx'),
    'image_classifier/classify': _BELOW_EVALUATE + (_IC + 'inference',),
}
