#!/usr/bin/env bash
# Builds what model-vs-cpu compares with into build/cpu-references: llama-bench out of the sources that the Python
# package llama-cpp-python carries, and ONNX Runtime in a virtual environment. About ten minutes on two cores.
set -euo pipefail
root=$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")
place=$root/build/cpu-references
mkdir -p "$place"
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install -q onnx==1.23.2 onnxruntime==1.31.1 numpy
"$place/venv/bin/pip" download -q --no-deps llama-cpp-python==0.3.36 -d "$place"
tar xf "$place"/llama_cpp_python-0.3.36.tar.gz -C "$place"
cmake -G Ninja -S "$place/llama_cpp_python-0.3.36/vendor/llama.cpp" -B "$place/llama.cpp" -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON \
  -DGGML_OPENMP=OFF -DBUILD_SHARED_LIBS=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF
cmake --build "$place/llama.cpp" --target llama-bench
ln -sf llama.cpp/bin/llama-bench "$place/llama-bench"
