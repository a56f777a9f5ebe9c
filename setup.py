"""Installs the library and the five programs.

  pip install .               and TensorFlow: 1.15.5 on Python 3.7, else 2
  pip install .[plot]         and what draws learning curves and image sheets
  pip install .[fast]         and what compiles the input pipeline
  pip install .[onnx]         and what writes and runs ONNX models
  pip install .[gpu]          and CUDA, on Linux: see deployment/README.md
  pip install .[test]         and what the tests need

With -e the clone itself is what is installed.
"""
import setuptools

_TENSORFLOW_1 = '; python_version < "3.8"'
_TENSORFLOW_2 = '; python_version >= "3.8"'
_PLOT = ['matplotlib>=3.5']
_FAST = ['numba>=0.56']
# Programs of other people that read our exports. On Python 3.8 and 3.9 they
# ask for another protobuf than TensorFlow does.
_CLIENTS = [
    client + '; python_version < "3.8" or python_version >= "3.10"'
    for client in ('tf2onnx>=1.16', 'onnxruntime>=1.10',
                   'opencv-python-headless')]
_ONNX = _CLIENTS[:2]
_PACKAGES = ('nets', 'preprocessing', 'datasets', 'deployment',
             'slim_common', 'image_classifier')
# Command to the program, a module with a function `run`.
_PROGRAMS = {
    'tf_slim_convert': 'download_and_convert_data',
    'tf_slim_train': 'train_image_classifier',
    'tf_slim_evaluate': 'eval_image_classifier',
    'tf_slim_export': 'export_inference_graph',
    'tf_slim_classify': 'classify_image',
}

setuptools.setup(
    name='tf-slim-image-models',
    version='1.0.0',
    description='TensorFlow-Slim image classification models: training, '
                'evaluation, export and pretrained networks',
    license='Apache-2.0',
    python_requires='>=3.7,<3.14',
    packages=setuptools.find_packages(
        include=[*_PACKAGES, *(package + '.*' for package in _PACKAGES)]),
    py_modules=list(_PROGRAMS.values()),
    package_data={
        'nets': ['*.csv'],
        'datasets': ['*.csv', '*.sh', '*.txt', 'samples/*', 'samples/*/*']},
    entry_points={'console_scripts': [
        '%s = %s:run' % program for program in _PROGRAMS.items()]},
    install_requires=[
        'tensorflow==1.15.5' + _TENSORFLOW_1,
        'tensorflow>=2.12,<2.22' + _TENSORFLOW_2,
        # Holds the layers of TensorFlow 2.16 and newer that tf_slim is made of.
        'tf-keras>=2.15,<2.22' + _TENSORFLOW_2,
        'tf-slim==1.1.0',
        'absl-py>=1.0',
        'numpy<1.19' + _TENSORFLOW_1,
        'numpy>=1.22' + _TENSORFLOW_2,
        'pillow>=8',
        'protobuf<3.21' + _TENSORFLOW_1,
        'h5py<3' + _TENSORFLOW_1,
    ],
    extras_require={
        'plot': _PLOT,
        'fast': _FAST,
        'onnx': _ONNX,
        # There is no CUDA elsewhere.
        'gpu': ['tensorflow[and-cuda]>=2.21,<2.22; python_version >= "3.10" '
                'and sys_platform == "linux"'],
        'test': [*_PLOT, *_FAST, *_CLIENTS, 'pytest>=7',
                 'pytest-timeout>=2', 'pytest-xdist>=3.2', 'ruff>=0.9'],
    },
)
