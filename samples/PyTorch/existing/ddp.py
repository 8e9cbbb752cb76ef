#!/usr/bin/env python3
"""Trains a small network with DistributedDataParallel, one process for each rank, in the manner of many DDP examples.

  torchrun --rdzv_backend c10d --rdzv_endpoint localhost:0 --nproc_per_node 2 ddp.py EPOCHS SAVE_EVERY

Rank 0 saves to snapshot.pt in the working directory; every rank starts from that file when it is there.
"""
import argparse
import hashlib
import os

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset


def made_up_points(count, seed):
    """Points of 32 numbers, and what a fixed random network makes of them: something that can be learnt."""
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(count, 32, generator=generator)
    hidden = torch.tanh(points @ torch.randn(32, 16, generator=generator) / 4)
    return TensorDataset(points, hidden @ torch.randn(16, 1, generator=generator))


class Trainer:
    def __init__(self, arguments):
        self.rank = int(os.environ["RANK"])
        self.save_every, self.snapshot = arguments.save_every, arguments.snapshot
        dataset = made_up_points(arguments.points, arguments.seed)
        self.sampler = DistributedSampler(dataset, seed=arguments.seed)
        self.loader = DataLoader(dataset, batch_size=arguments.batch_size, sampler=self.sampler)
        torch.manual_seed(arguments.seed)
        model = nn.Sequential(nn.Linear(32, 128), nn.Tanh(), nn.Linear(128, 128), nn.Tanh(), nn.Linear(128, 1))
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
        self.epochs_run = 0
        if os.path.exists(self.snapshot):
            self.load_snapshot(model)
        self.model = DistributedDataParallel(model)

    def load_snapshot(self, model):
        snapshot = torch.load(self.snapshot, map_location="cpu")
        model.load_state_dict(snapshot["model"])
        self.optimizer.load_state_dict(snapshot["optimizer"])
        self.epochs_run = snapshot["epochs_run"]
        if self.rank == 0:
            print(f"Resuming training from snapshot at Epoch {self.epochs_run}", flush=True)

    def save_snapshot(self, epochs_run):
        state = {"model": self.model.module.state_dict(), "optimizer": self.optimizer.state_dict(), "epochs_run": epochs_run}
        torch.save(state, self.snapshot)
        print(f"Epoch {epochs_run} | saved to {self.snapshot}", flush=True)

    def run_epoch(self, epoch):
        self.sampler.set_epoch(epoch)
        total = 0.0
        for points, targets in self.loader:
            loss = nn.functional.mse_loss(self.model(points), targets)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.item()
        print(f"[rank {self.rank}] Epoch {epoch} | Steps {len(self.loader)} | Loss {total / len(self.loader):.5f}", flush=True)

    def train(self, epochs):
        for epoch in range(self.epochs_run, epochs):
            self.run_epoch(epoch)
            if self.rank == 0 and ((epoch + 1) % self.save_every == 0 or epoch + 1 == epochs):
                self.save_snapshot(epoch + 1)

    def weights_hash(self):
        sha = hashlib.sha256()
        for weights in self.model.module.state_dict().values():
            sha.update(weights.numpy().tobytes())
        return sha.hexdigest()


def main():
    parser = argparse.ArgumentParser(description="A small network, trained by several processes")
    parser.add_argument("epochs", type=int, help="how often all points are shown")
    parser.add_argument("save_every", type=int, help="epochs between two saves")
    parser.add_argument("--batch_size", type=int, default=32, help="points in a batch of one rank (default 32)")
    parser.add_argument("--points", type=int, default=16384, help="points in an epoch of all ranks (default 16384)")
    parser.add_argument("--snapshot", default="snapshot.pt", help="where to save and start from (default snapshot.pt)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    trainer = Trainer(arguments)
    trainer.train(arguments.epochs)
    if trainer.rank == 0:
        print(f"weights-sha256 {trainer.weights_hash()}", flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
