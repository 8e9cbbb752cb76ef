#!/usr/bin/env python3
"""Trains a small GPT on the characters of input.txt, in the manner of many character models.

  chargpt.py

Every so many iterations out/chargpt/model.pt (the weights, all that a user of the model needs) and then out/chargpt/snapshot.pt (what training
needs besides) are written anew, below the working directory. A start with both files there goes on from them.
"""
import argparse
import hashlib
import math
from pathlib import Path

import torch
from torch import nn


class Block(nn.Module):
    """Attention to the characters before, then a small network for each of them."""

    def __init__(self, width, heads, length):
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(0.1))
        self.register_buffer("future", torch.ones(length, length, dtype=torch.bool).triu(1), persistent=False)

    def forward(self, x):
        batch, length, width = x.shape
        parts = self.query_key_value(self.before_attention(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = parts
        scores = query @ key.transpose(-2, -1) / math.sqrt(width // self.heads)
        weights = scores.masked_fill(self.future[:length, :length], -math.inf).softmax(dim=-1)
        x = x + self.out((weights @ value).transpose(1, 2).reshape(batch, length, width))
        return x + self.mlp(self.before_mlp(x))


class CharGpt(nn.Module):
    def __init__(self, characters, length, width=64, heads=4, layers=2):
        super().__init__()
        self.length = length
        self.character, self.place = nn.Embedding(characters, width), nn.Embedding(length, width)
        self.blocks = nn.Sequential(*[Block(width, heads, length) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, characters)

    def forward(self, x):
        x = self.character(x) + self.place(torch.arange(x.shape[1]))
        return self.head(self.norm(self.blocks(x)))


class Training:
    def __init__(self, arguments):
        torch.manual_seed(arguments.seed)
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        text = arguments.text.read_text()
        self.characters = sorted(set(text))
        self.text = torch.tensor([self.characters.index(c) for c in text])
        self.batch_size, self.length, self.folder = arguments.batch_size, arguments.length, arguments.work_dir
        self.model = CharGpt(len(self.characters), self.length)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-3)
        self.iteration = 0

    def train_step(self):
        self.model.train()
        starts = torch.randint(len(self.text) - self.length, (self.batch_size,))
        pieces = torch.stack([self.text[i:i + self.length + 1] for i in starts])
        logits = self.model(pieces[:, :-1])
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), pieces[:, 1:].flatten())
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.iteration += 1
        return loss.item()

    def save(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        torch.save(self.model.state_dict(), self.folder / "model.pt")
        torch.save({
            "iteration": self.iteration,
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
        }, self.folder / "snapshot.pt")
        print(f"saved {self.folder} at iteration {self.iteration}", flush=True)

    def load(self):
        model, snapshot = self.folder / "model.pt", self.folder / "snapshot.pt"
        if not (model.exists() and snapshot.exists()):
            return
        self.model.load_state_dict(torch.load(model))
        state = torch.load(snapshot)
        self.iteration = state["iteration"]
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        print(f"resuming {self.folder} at iteration {self.iteration}", flush=True)

    def sample(self, beginning, count):
        """A text that the model goes on with."""
        self.model.eval()
        generator = torch.Generator().manual_seed(1)
        text = [self.characters.index(c) for c in beginning]
        with torch.no_grad():
            for _ in range(count):
                likely = self.model(torch.tensor([text[-self.length:]]))[0, -1].softmax(dim=-1)
                text.append(torch.multinomial(likely, 1, generator=generator).item())
        return "".join(self.characters[i] for i in text)

    def weights_hash(self):
        sha = hashlib.sha256()
        for weights in self.model.state_dict().values():
            sha.update(weights.numpy().tobytes())
        return sha.hexdigest()


def main():
    parser = argparse.ArgumentParser(description="A small GPT on characters")
    parser.add_argument("--text", type=Path, default=Path("input.txt"), help="what to learn from (default input.txt)")
    parser.add_argument("--work-dir", type=Path, default=Path("out/chargpt"), help="where to save (default out/chargpt)")
    parser.add_argument("--iterations", type=int, default=800)
    parser.add_argument("--save-every", type=int, default=40, metavar="ITERATIONS")
    parser.add_argument("--batch-size", type=int, default=8, help="pieces of text in a batch (default 8)")
    parser.add_argument("--length", type=int, default=32, help="characters in a piece (default 32)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    training = Training(arguments)
    training.load()
    while training.iteration < arguments.iterations:
        loss = training.train_step()
        if training.iteration % 10 == 0:
            print(f"iteration {training.iteration} loss {loss:.4f}", flush=True)
        if training.iteration % arguments.save_every == 0 or training.iteration == arguments.iterations:
            training.save()
    print(training.sample("O God, ", 60))
    print(f"weights-sha256 {training.weights_hash()}", flush=True)


if __name__ == "__main__":
    main()
