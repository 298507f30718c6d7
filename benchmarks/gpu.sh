#!/usr/bin/env bash
# Proves on any NVIDIA machine, in under eight minutes, that every network gives on the GPU what it gives on the CPU, and
# that the main job runs there; times networks by batch and provider, and the main job by stage. Writes JSON.
#   benchmarks/gpu.sh [OUT.json]        PYTHON=... chooses the interpreter (default: .venv/bin/python, else python3)
# Exit codes: 0 all equal, or no CUDA here (said in one line); 1 something differs or failed; 124 it took too long.
set -euo pipefail
cd "$(dirname "$0")/.."
default=$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)
exec timeout 480 "${PYTHON:-$default}" -m benchmarks.gpu --out "${1:-gpu.json}"
