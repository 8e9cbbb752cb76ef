#!/usr/bin/env python3
"""Trains a small network on hand-written digits with PyTorch, on one CPU thread.

It knows ActorTrainer only by two directories:
  ACTORTRAINER_CHECKPOINT_DIR  files that appear there complete become a checkpoint (default: ./checkpoints)
  ACTORTRAINER_RESTORE_DIR     the files of the last checkpoint; not set on a start from nothing
"""
import argparse
import ctypes
import hashlib
import math
import os
import random
import sys
import time
from pathlib import Path

import torch
from torch import nn

STATE_FILE = "state.pt"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--views", type=int, default=4, help="how often an epoch shows each image, with noise anew (default 4)")
    parser.add_argument("--hidden", type=int, default=512, help="units in each of two hidden layers (default 512)")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--save-every", type=float, default=3.0, metavar="SECONDS", help="time between checkpoints (default 3)")
    parser.add_argument("--data", type=Path, default=Path(__file__).parent / "data" / "digits.csv")
    return parser.parse_args()


def read_digits(path, seed):
    """Images of 64 points from 0 to 1 and their digits, split into training and held-out data (a fifth)."""
    rows = [[int(part) for part in line.split(",")] for line in path.read_text().splitlines()]
    random.Random(seed).shuffle(rows)
    images = torch.tensor([row[:64] for row in rows], dtype=torch.float32) / 16
    labels = torch.tensor([row[64] for row in rows])
    held_out = len(rows) // 5
    return images[held_out:], labels[held_out:], images[:held_out], labels[:held_out]


class Training:
    def __init__(self, arguments):
        torch.manual_seed(arguments.seed)
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        self.images, self.labels, self.test_images, self.test_labels = read_digits(arguments.data, arguments.seed)
        self.views, self.batch_size = arguments.views, arguments.batch_size
        self.count = len(self.images) * self.views
        self.batches = math.ceil(self.count / self.batch_size)
        self.total_steps = arguments.epochs * self.batches
        self.model = nn.Sequential(
            nn.Linear(64, arguments.hidden), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(arguments.hidden, arguments.hidden), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(arguments.hidden, 10))
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3)
        self.scheduler = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, max_lr=2e-3, total_steps=self.total_steps)
        self.seed, self.step = arguments.seed, 0
        self.order, self.order_epoch = None, -1

    def train_step(self):
        epoch, index = divmod(self.step, self.batches)
        if epoch != self.order_epoch:
            # From seed and epoch alone, so that nothing but the step has to be saved of it.
            self.order = torch.randperm(self.count, generator=torch.Generator().manual_seed(self.seed * 1_000_003 + epoch))
            self.order_epoch = epoch
        batch = self.order[index * self.batch_size:(index + 1) * self.batch_size] % len(self.images)
        self.model.train()
        images = self.images[batch]
        loss = nn.functional.cross_entropy(self.model(images + 0.1 * torch.randn_like(images)), self.labels[batch])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.scheduler.step()
        self.step += 1
        return loss.item()

    def accuracy(self):
        self.model.eval()
        with torch.no_grad():
            return (self.model(self.test_images).argmax(dim=1) == self.test_labels).float().mean().item()

    def save(self, directory):
        """Under another name first: the file appears complete or not at all."""
        directory.mkdir(parents=True, exist_ok=True)
        temporary = directory / f".{STATE_FILE}.tmp"
        torch.save({
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "torch_random": torch.get_rng_state(),
            "python_random": random.getstate(),
            "step": self.step,
        }, temporary)
        os.replace(temporary, directory / STATE_FILE)

    def load(self, path):
        state = torch.load(path, map_location="cpu")
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        torch.set_rng_state(state["torch_random"])
        random.setstate(state["python_random"])
        self.step = state["step"]

    def hash_weights(self):
        sha = hashlib.sha256()
        for parameter in self.model.parameters():
            # Without numpy: the storage's own bytes.
            data = parameter.detach().contiguous()
            sha.update(ctypes.string_at(data.data_ptr(), data.numel() * data.element_size()))
        return sha.hexdigest()


def main():
    arguments = parse_arguments()
    checkpoint_dir = Path(os.environ.get("ACTORTRAINER_CHECKPOINT_DIR", "checkpoints"))
    training = Training(arguments)
    restore_dir = os.environ.get("ACTORTRAINER_RESTORE_DIR")
    if restore_dir:
        training.load(Path(restore_dir) / STATE_FILE)
        print(f"resumed at step {training.step}", flush=True)
    saved_at = printed_at = time.monotonic()
    loss = math.nan
    while training.step < training.total_steps:
        loss = training.train_step()
        now = time.monotonic()
        if now - printed_at >= 1:
            printed_at = now
            print(f"step {training.step} loss {loss:.4f}", flush=True)
        if now - saved_at >= arguments.save_every:
            saved_at = now
            training.save(checkpoint_dir)
    training.save(checkpoint_dir)
    print(f"step {training.step} loss {loss:.4f}")
    print(f"accuracy {training.accuracy():.4f}")
    print(f"weights-sha256 {training.hash_weights()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
