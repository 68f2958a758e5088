#!/usr/bin/env python3
"""Compares the tower that C++ built with torch.nn modules that form CLIP's image tower from the same weights: check_tower.py MODEL.pt.
Loads the tower with torch.jit.load. Run it with the Python of the peers."""

import sys
import warnings

import torch
from torch import nn

warnings.filterwarnings("ignore")


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_1 = nn.LayerNorm(width)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(width, 4 * width))
        self.mlp.add_module("gelu", QuickGELU())
        self.mlp.add_module("c_proj", nn.Linear(4 * width, width))

    def forward(self, x):
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


class Tower(nn.Module):
    def __init__(self, width=768, patch=32, tokens=50, layers=12, heads=12, out=512):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.positional_embedding = nn.Parameter(torch.zeros(tokens, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.Sequential(*[Block(width, heads) for _ in range(layers)])
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.zeros(width, out))

    def forward(self, x):
        x = self.conv1(x).flatten(2).transpose(1, 2)
        head = self.class_embedding.expand(x.shape[0], 1, -1)
        x = self.ln_pre(torch.cat([head, x], 1) + self.positional_embedding)
        return self.ln_post(self.transformer.resblocks(x)[:, 0]) @ self.proj


torch.manual_seed(0)
script = torch.jit.load(sys.argv[1]).eval()
tower = Tower().eval()
print(tower.load_state_dict(script.state_dict()))
pixels = torch.randn(3, 3, 224, 224)
with torch.no_grad():
    found, expected = script(pixels), tower(pixels)
worst = (found - expected).abs().max().item()
print(f"largest difference {worst:.2e}, largest output {expected.abs().max().item():.3f}")
sys.exit(worst > 1e-4)
