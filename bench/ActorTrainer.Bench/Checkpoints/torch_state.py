"""What PyTorch needs for the same state.

    torch_state.py keep FOLDER MIB     a state of random floats; reads "save" and "load" lines, answers each with its milliseconds
    torch_state.py train FOLDER WIDTH  trains a small network on FOLDER/digits.csv for real, so much further for each line that it reads,
                                       and leaves its weights and Adam's moments there; answers each with its milliseconds
"""

import os
import sys
import time

import numpy
import torch

NAMES = ("weights", "moment1", "moment2")
FIRST_STEPS = 60
STEPS = 10
BATCH = 64


def keep(folder, mib):
    each = mib * (1 << 20) // len(NAMES) // 4
    torch.manual_seed(1)
    state = {name: torch.empty(each, dtype=torch.int32).random_().view(torch.float32) for name in NAMES}
    path = os.path.join(folder, "torch.pt")
    print("ready", flush=True)
    for line in sys.stdin:
        loaded = None
        began = time.perf_counter()
        if line.strip() == "save":
            with open(path, "wb") as file:
                torch.save(state, file)
                file.flush()
                os.fsync(file.fileno())
        else:
            loaded = torch.load(path)
        print((time.perf_counter() - began) * 1000, flush=True)
        del loaded


def train(folder, width):
    torch.manual_seed(1)
    rows = numpy.loadtxt(os.path.join(folder, "digits.csv"), delimiter=",")
    pixels = torch.tensor(rows[:, :64] / 16, dtype=torch.float32)
    labels = torch.tensor(rows[:, 64].astype(int))
    layers = torch.nn.Sequential(
        torch.nn.Linear(64, width), torch.nn.ReLU(), torch.nn.Linear(width, width), torch.nn.ReLU(), torch.nn.Linear(width, 10)
    )
    adam = torch.optim.Adam(layers.parameters(), 1e-3)
    parameters = list(layers.parameters())
    steps = FIRST_STEPS
    print("ready", flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        for _ in range(steps):
            batch = torch.randint(0, len(pixels), (BATCH,))
            loss = torch.nn.functional.cross_entropy(layers(pixels[batch]), labels[batch])
            adam.zero_grad()
            loss.backward()
            adam.step()
        steps = STEPS
        # Weights as mixed precision has them: 32 bits of which the last 16 are zero.
        weights = torch.cat([parameter.detach().bfloat16().float().ravel() for parameter in parameters])
        weights.numpy().tofile(os.path.join(folder, "weights.bin"))
        for name, moment in (("moment1", "exp_avg"), ("moment2", "exp_avg_sq")):
            torch.cat([adam.state[parameter][moment].ravel() for parameter in parameters]).numpy().tofile(
                os.path.join(folder, name + ".bin")
            )
        print((time.perf_counter() - began) * 1000, flush=True)


if sys.argv[1] == "keep":
    keep(sys.argv[2], int(sys.argv[3]))
else:
    train(sys.argv[2], int(sys.argv[3]))
