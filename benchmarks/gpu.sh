#!/usr/bin/env bash
# What does training cost on a GPU, and do recorded steps (engine = graphs) train as eager ones do?
#
#   benchmarks/gpu.sh check|speed|several|memory|precision|paper-ce|paper-wd
#
# Each part takes under nine minutes and writes RESULTS/gpu_PART.json. It needs torch with CUDA, numpy, pydantic, tomli-w,
# platformdirs, psutil, filelock and this checkout: no textual, tinydb or torchvision, and no network.
#
#   PYTHON          interpreter                                                   (python3)
#   RESULTS         folder of the JSON files                                      (benchmarks/results)
#   WBTUI_CIFAR100  .npz with x_train, y_train, x_test, y_test: paper-ce, paper-wd (and precision, where given)
#   WBTUI_GPU_RUNS  folder of the paper runs: a second call goes on where the first one's time ended (runs/gpu)
#   WBTUI_GPU_DRY   1: tiny nets and sets on the CPU, to see that the scripts run; the figures mean nothing
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
exec timeout --signal=INT 540 "${PYTHON:-python3}" benchmarks/gpu.py "$@"
