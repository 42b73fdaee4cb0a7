#!/usr/bin/env python3
"""Parameters from PyTorch to clgrad's trainer and back, in safetensors files. docs/checkpoints.md shows it in two blocks, and
what the trainer does between them."""
# [save]
import torch
from safetensors.torch import load_file, save_file


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10))


network = Network()
save_file(network.state_dict(), "net.safetensors")
# [save end]

# [load]
tensors = load_file("net.safetensors")
network.load_state_dict({name: tensor for name, tensor in tensors.items() if name.startswith("layers.")})
# [load end]
