"""Makes `from nets import nets_factory` work from any folder.

  pip install -e .            the library and the TensorFlow it is written for
  pip install -e .[plot]      and what draws the curves and picture sheets
  pip install -e .[test]      and what the tests need
"""
import setuptools

_TENSORFLOW_1 = '; python_version < "3.8"'
_TENSORFLOW_2 = '; python_version >= "3.8"'
_PLOT = ['matplotlib>=3.5']
# Programs of other people that read our exports; tf2onnx and TensorFlow 2.12
# ask for different versions of protobuf.
_CLIENTS = [client + _TENSORFLOW_1 for client in (
    'opencv-python-headless<5', 'tf2onnx>=1.16', 'onnxruntime>=1.10')]
_PACKAGES = ('nets', 'preprocessing', 'datasets', 'deployment',
             'slim_common', 'image_classifier')

setuptools.setup(
    name='tf-slim-image-models',
    version='1.0.0',
    description='TensorFlow-Slim image classification models: training, '
                'evaluation, export and pretrained networks',
    license='Apache-2.0',
    python_requires='>=3.7,<3.12',
    packages=setuptools.find_packages(
        include=[*_PACKAGES, *(package + '.*' for package in _PACKAGES)]),
    package_data={
        'nets': ['*.csv'],
        'datasets': ['*.csv', '*.sh', '*.txt', 'samples/*', 'samples/*/*']},
    install_requires=[
        'tensorflow==1.15.5' + _TENSORFLOW_1,
        'tensorflow==2.12.1' + _TENSORFLOW_2,
        'tf-slim==1.1.0',
        'absl-py>=1.0',
        'numpy<1.19' + _TENSORFLOW_1,
        'numpy>=1.22,<1.25' + _TENSORFLOW_2,
        'pillow>=8',
        # Compiles the input pipeline's inner loops, and can be left out.
        'numba>=0.56',
        'protobuf<3.21' + _TENSORFLOW_1,
        'h5py<3' + _TENSORFLOW_1,
    ],
    extras_require={
        'plot': _PLOT,
        'test': _PLOT + _CLIENTS + ['pytest>=7', 'pytest-xdist>=3'],
    },
)
