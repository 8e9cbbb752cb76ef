#!/usr/bin/env python3
"""Trains a small convolutional network on images of hand-written digits, in the manner of many ImageNet scripts.

  imagenet.py DATA --resume checkpoint.pth.tar

Each epoch is saved to checkpoint.pth.tar in the working directory, and copied to model_best.pth.tar when it is the best so far. --resume names
the file to go on from; when it is not there, training starts anew.
"""
import argparse
import hashlib
import os
import random
import shutil

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def parse_arguments():
    parser = argparse.ArgumentParser(description="A small convolutional network on hand-written digits")
    parser.add_argument("data", nargs="?", default="data", help="folder with digits.csv (default: data)")
    parser.add_argument("--epochs", type=int, default=30, help="epochs in all (default 30)")
    parser.add_argument("-b", "--batch-size", type=int, default=16)
    parser.add_argument("--lr", type=float, default=0.02)
    parser.add_argument("--channels", type=int, default=32, help="channels of the first layer (default 32)")
    parser.add_argument("-p", "--print-freq", type=int, default=30, help="batches between two lines (default 30)")
    parser.add_argument("--resume", default="", metavar="PATH", help="the checkpoint to go on from (default: none)")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def read_digits(folder, seed):
    """Images of 8 x 8 points from 0 to 1 and their digits; a fifth is held out."""
    with open(os.path.join(folder, "digits.csv"), encoding="ascii") as file:
        rows = [[int(part) for part in line.split(",")] for line in file]
    random.Random(seed).shuffle(rows)
    images = torch.tensor([row[:64] for row in rows], dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    labels = torch.tensor([row[64] for row in rows])
    held_out = len(rows) // 5
    return TensorDataset(images[held_out:], labels[held_out:]), TensorDataset(images[:held_out], labels[:held_out])


def make_model(channels):
    return nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU(),
        nn.Conv2d(channels, 2 * channels, 3, padding=1), nn.BatchNorm2d(2 * channels), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(2 * channels * 16, 10))


def train(loader, model, optimizer, epoch, print_freq):
    model.train()
    for step, (images, labels) in enumerate(loader):
        loss = nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % print_freq == 0:
            print(f"Epoch: [{epoch}][{step}/{len(loader)}] Loss {loss.item():.4f}", flush=True)


def validate(loader, model):
    model.eval()
    with torch.no_grad():
        right = sum((model(images).argmax(dim=1) == labels).sum().item() for images, labels in loader)
    return 100 * right / len(loader.dataset)


def save_checkpoint(state, is_best, path="checkpoint.pth.tar"):
    torch.save(state, path)
    if is_best:
        shutil.copyfile(path, "model_best.pth.tar")


def weights_hash(model):
    sha = hashlib.sha256()
    for weights in model.state_dict().values():
        sha.update(weights.numpy().tobytes())
    return sha.hexdigest()


def main():
    arguments = parse_arguments()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    model = make_model(arguments.channels)
    optimizer = torch.optim.SGD(model.parameters(), lr=arguments.lr, momentum=0.9, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.3)
    start_epoch, best = 0, 0.0
    if arguments.resume:
        if os.path.isfile(arguments.resume):
            checkpoint = torch.load(arguments.resume, map_location="cpu")
            start_epoch, best = checkpoint["epoch"], checkpoint["best"]
            model.load_state_dict(checkpoint["model"])
            optimizer.load_state_dict(checkpoint["optimizer"])
            scheduler.load_state_dict(checkpoint["scheduler"])
            print(f"=> loaded checkpoint '{arguments.resume}' (epoch {start_epoch})", flush=True)
        else:
            print(f"=> no checkpoint found at '{arguments.resume}'", flush=True)

    train_set, held_out = read_digits(arguments.data, arguments.seed)
    held_out_loader = DataLoader(held_out, batch_size=256)
    for epoch in range(start_epoch, arguments.epochs):
        # The order of an epoch comes from seed and epoch alone: a run that goes on sees the images as one that was never interrupted.
        order = torch.Generator().manual_seed(1000 * arguments.seed + epoch)
        loader = DataLoader(train_set, batch_size=arguments.batch_size, shuffle=True, generator=order)
        train(loader, model, optimizer, epoch, arguments.print_freq)
        scheduler.step()
        accuracy = validate(held_out_loader, model)
        print(f"Epoch: [{epoch}] Accuracy {accuracy:.2f}", flush=True)
        is_best = accuracy > best
        best = max(accuracy, best)
        save_checkpoint({
            "epoch": epoch + 1,
            "best": best,
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "scheduler": scheduler.state_dict(),
        }, is_best)
    print(f"Best accuracy {best:.2f}")
    print(f"weights-sha256 {weights_hash(model)}", flush=True)


if __name__ == "__main__":
    main()
