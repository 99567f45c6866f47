#!/usr/bin/env bash
# What does training cost on a GPU, do faster steps train as the reference does, and what do the papers' runs come to?
#
#   benchmarks/gpu.sh PART          one part, under nine minutes, writes RESULTS/gpu_PART.json; a part that is cut short
#                                   or fails writes what it has found so far, with `cut_short` in it
#   benchmarks/gpu.sh paper [RUN]   the runs of docs/reproduction.md, or the named ones, in slices of under nine minutes:
#                                   call it again until all are finished (`plan` lists them with their commands); a `wb` takes
#                                   its first stage over from the `wd` of its seed, where that lies there with its
#                                   checkpoint
#
#   check        losses of 200 steps by every way, same weights, order and augmentation, within stated tolerances
#   agree        whole runs on digits (and Fashion-MNIST) by every way over three seeds, within seed noise
#   speed        images a second by every way beside the usual loop (DataLoader workers, PIL, fp32), interleaved; then
#                recorded steps with and without cudnn.benchmark, each in a process of its own
#   roofline     FLOPs counted, bf16 matmul peak, share of it, kernel time against the clock (a process for each way)
#   epoch        whole epochs: training alone, with test accuracy, with class-wise geometry
#   start        from `wbtui run` to the first step
#   several      1, 2, 4, 8 trainers at once          several-mps   the same under MPS, where the machine has it; run it
#                last: a trainer that ends badly under MPS can leave the device hanging
#   seeds        a prototype of several seeds in one process (torch.func.vmap, grouped convolutions) beside the plain ways
#   memory       peak of the papers' run              memory-224    ResNeXt50 at 224 pixels, batch 256, the largest batch
#   precision    short weight-decay runs, eager fp32 against graphs, three seeds: accuracy, FDR, BatchNorm scales
#
# It needs torch with CUDA, numpy, pydantic, tomli-w, platformdirs, psutil, filelock and this checkout: no textual,
# tinydb or torchvision, and no network. `start` also needs rich and typer, as `wbtui run` does; `speed` crops arrays
# in its workers where PIL or torchvision is missing, and says so.
#
#   PYTHON            interpreter                                                   (python3)
#   RESULTS           folder of the JSON files                                      (benchmarks/results)
#   WBTUI_GPU_NET     net of check, speed, roofline, epoch, start, several, seeds and memory   (resnet34; seeds: resnet32)
#   WBTUI_CIFAR100, WBTUI_CIFAR10   .npz with x_train, y_train, x_test, y_test: paper (and precision, start where given)
#   WBTUI_FASHION     the same of Fashion-MNIST: agree
#   WBTUI_GPU_RUNS    folder of the runs of paper and agree                         (runs/gpu)
#   WBTUI_GPU_AT_ONCE trainers of paper that share the device; `several` says how many pay        (1)
#   WBTUI_GPU_DEVICE  cpu: check and agree on the processor, with a small net
#   WBTUI_GPU_DRY     1: tiny nets and sets on the CPU, to see that the scripts run; the figures mean nothing
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
exec timeout --signal=INT --kill-after=30 540 "${PYTHON:-python3}" benchmarks/gpu.py "$@"
