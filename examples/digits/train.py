#!/usr/bin/env python3
"""Train the small digit-recognition vision transformers of this folder.

The data are the 8x8 handwritten digits bundled with scikit-learn.  Three
models share one recipe and differ in size only:

    vit65   8x8 images, one token per pixel   (64 + 1 tokens, 6 blocks)
    vit197  28x28 upsampled images, 2x2 patch (196 + 1 tokens, 6 blocks)
    vit17   8x8 images, 2x2 patch             (16 + 1 tokens, 2 blocks)

Two ways to run it:

    train.py --model vit65 --validate --seed 1
        trains on 1097 images and reports on 200 validation images; nothing
        is written and the 500 test images are not looked at.  Seed and epochs
        were chosen this way.

    train.py --model vit65
        trains on all 1297 training images with the chosen settings, writes
        <model>.onnx, <model>-calib.npz and <model>-test.npz, and reports the
        accuracy on the 500 test images once.

Needs torch, scikit-learn and onnx.  Nothing else in the project needs them:
the trained files are committed (see PROVENANCE.md).
"""

import argparse
import dataclasses
import math
import pathlib
import time
import warnings

import numpy as np
import onnx
import sklearn.datasets
import torch
from torch import nn
from torch.nn import functional

NUM_CLASSES = 10
NUM_TRAIN = 1297
NUM_VALIDATION = 200
NUM_CALIBRATION = 64
SPLIT_SEED = 0
CALIBRATION_SEED = 1
BATCH = 64
AUGMENTED_FRACTION = 0.75
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 0.05
WARMUP_EPOCHS = 3
OPSET = 17


@dataclasses.dataclass(frozen=True)
class Config:
    """Shape of a model and the training settings chosen for it."""

    image: int
    patch: int
    width: int
    depth: int
    heads: int
    mlp_ratio: int
    epochs: int
    seed: int

    @property
    def grid(self):
        """Patches along one side of the image."""
        return self.image // self.patch

    @property
    def tokens(self):
        """Length of the sequence, class token included."""
        return self.grid * self.grid + 1


CONFIGS = {
    "vit65": Config(image=8, patch=1, width=64, depth=6, heads=4,
                    mlp_ratio=4, epochs=60, seed=0),
    "vit197": Config(image=28, patch=2, width=64, depth=6, heads=4,
                     mlp_ratio=4, epochs=40, seed=0),
    "vit17": Config(image=8, patch=2, width=32, depth=2, heads=2,
                    mlp_ratio=2, epochs=120, seed=0),
}


# --- Data ------------------------------------------------------------------

def upsample_matrix(size, source=8):
    """Returns the [size, source] matrix of bilinear interpolation."""
    centre = (np.arange(size) + 0.5) * source / size - 0.5
    centre = np.clip(centre, 0, source - 1)
    low = np.minimum(np.floor(centre).astype(int), source - 2)
    matrix = np.zeros((size, source))
    matrix[np.arange(size), low] = 1 - (centre - low)
    matrix[np.arange(size), low + 1] = centre - low
    return matrix


def load_images(size):
    """Returns float32 images [N, 1, size, size] in -0.5 .. 0.5, and labels.

    Pixels of the data set are integers 0..16.  Upsampled pixels are rounded
    to sixteenths, so that every value is exact in float32.
    """
    digits = sklearn.datasets.load_digits()
    pixels = digits.images
    if size != 8:
        matrix = upsample_matrix(size)
        pixels = np.round(matrix @ pixels @ matrix.T * 16) / 16
    images = (pixels / 16 - 0.5).astype(np.float32)
    return images[:, None], digits.target.astype(np.int64)


def split_indices():
    """Returns the fixed index arrays (train, test)."""
    order = np.random.default_rng(SPLIT_SEED).permutation(1797)
    return order[:NUM_TRAIN], order[NUM_TRAIN:]


def calibration_indices(train, labels):
    """Picks training images class by class in turn, in a seeded order."""
    order = np.random.default_rng(CALIBRATION_SEED).permutation(train)
    by_class = [order[labels[order] == c] for c in range(NUM_CLASSES)]
    return np.array([by_class[i % NUM_CLASSES][i // NUM_CLASSES]
                     for i in range(NUM_CALIBRATION)])


def augment(images):
    """Rotates, scales and shifts most images by a small random amount."""
    count = images.shape[0]
    moved = (torch.rand(count) < AUGMENTED_FRACTION).float()

    def uniform(limit):
        return (torch.rand(count) * 2 - 1) * limit * moved

    angle = uniform(math.radians(8))
    scale = 1 + uniform(0.08)
    cosine, sine = torch.cos(angle) * scale, torch.sin(angle) * scale
    theta = torch.stack([
        torch.stack([cosine, -sine, uniform(0.1)], dim=1),
        torch.stack([sine, cosine, uniform(0.1)], dim=1)], dim=1)
    grid = functional.affine_grid(theta, images.shape, align_corners=False)
    # The background is -0.5: sample with zero padding around it.
    return functional.grid_sample(images + 0.5, grid,
                                  align_corners=False) - 0.5


# --- Model -----------------------------------------------------------------

class Attention(nn.Module):
    """Multi-head self-attention with separate q, k and v projections."""

    def __init__(self, cfg):
        super().__init__()
        self.tokens = cfg.tokens
        self.heads = cfg.heads
        self.head_width = cfg.width // cfg.heads
        self.scale = self.head_width ** -0.5
        self.q = nn.Linear(cfg.width, cfg.width)
        self.k = nn.Linear(cfg.width, cfg.width)
        self.v = nn.Linear(cfg.width, cfg.width)
        self.proj = nn.Linear(cfg.width, cfg.width)

    def forward(self, x, batch):
        shape = (batch, self.tokens, self.heads, self.head_width)
        q = self.q(x).reshape(shape).permute(0, 2, 1, 3)
        k = self.k(x).reshape(shape).permute(0, 2, 3, 1)
        v = self.v(x).reshape(shape).permute(0, 2, 1, 3)
        attention = torch.softmax(torch.matmul(q, k) * self.scale, dim=-1)
        mixed = torch.matmul(attention, v).permute(0, 2, 1, 3)
        width = self.heads * self.head_width
        return self.proj(mixed.reshape(batch, self.tokens, width))


class Mlp(nn.Module):
    """Two linear layers with an erf-GELU between them."""

    def __init__(self, cfg):
        super().__init__()
        self.fc1 = nn.Linear(cfg.width, cfg.width * cfg.mlp_ratio)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(cfg.width * cfg.mlp_ratio, cfg.width)

    def forward(self, x):
        return self.fc2(self.act(self.fc1(x)))


class Block(nn.Module):
    """Pre-norm transformer block."""

    def __init__(self, cfg):
        super().__init__()
        self.norm1 = nn.LayerNorm(cfg.width, eps=1e-6)
        self.attn = Attention(cfg)
        self.norm2 = nn.LayerNorm(cfg.width, eps=1e-6)
        self.mlp = Mlp(cfg)

    def forward(self, x, batch):
        x = x + self.attn(self.norm1(x), batch)
        return x + self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    """Cuts the image into patches and projects each of them."""

    def __init__(self, cfg):
        super().__init__()
        self.grid = cfg.grid
        self.patch = cfg.patch
        self.proj = nn.Linear(cfg.patch * cfg.patch, cfg.width)

    def forward(self, x, batch):
        grid, patch = self.grid, self.patch
        x = x.reshape(batch, grid, patch, grid, patch)
        x = x.permute(0, 1, 3, 2, 4)
        return self.proj(x.reshape(batch, grid * grid, patch * patch))


class VisionTransformer(nn.Module):
    """Pre-norm vision transformer that classifies by a class token."""

    def __init__(self, cfg):
        super().__init__()
        self.patch_embed = PatchEmbed(cfg)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, cfg.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, cfg.tokens, cfg.width))
        self.blocks = nn.ModuleList(Block(cfg) for _ in range(cfg.depth))
        self.norm = nn.LayerNorm(cfg.width, eps=1e-6)
        self.head = nn.Linear(cfg.width, NUM_CLASSES)
        self.initialize()

    def initialize(self):
        """Xavier weights; a wide position embedding (0.02 trains badly)."""
        nn.init.normal_(self.cls_token, std=0.02)
        nn.init.normal_(self.pos_embed, std=0.2)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, image):
        # A Python integer, so that the exported graph has static shapes.
        batch = len(image)
        x = self.patch_embed(image, batch)
        cls_token = self.cls_token
        if batch != 1:
            cls_token = cls_token.expand(batch, -1, -1)
        x = torch.cat([cls_token, x], dim=1) + self.pos_embed
        for block in self.blocks:
            x = block(x, batch)
        return self.head(self.norm(x)[:, 0])


# --- Training --------------------------------------------------------------

def make_optimizer(model, steps, warmup):
    """AdamW (no decay on vectors), linear warm-up, cosine decay."""
    decay = [p for p in model.parameters() if p.ndim == 2]
    rest = [p for p in model.parameters() if p.ndim != 2]
    optimizer = torch.optim.AdamW(
        [{"params": decay, "weight_decay": WEIGHT_DECAY},
         {"params": rest, "weight_decay": 0.0}], lr=LEARNING_RATE)

    def factor(step):
        if step < warmup:
            return (step + 1) / warmup
        progress = (step - warmup) / max(1, steps - warmup)
        return 0.5 * (1 + math.cos(math.pi * progress))

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def accuracy(model, images, labels):
    """Returns the fraction of images classified correctly."""
    model.eval()
    with torch.no_grad():
        predicted = torch.cat([model(part).argmax(dim=1)
                               for part in images.split(100)])
    model.train()
    return (predicted == labels).float().mean().item()


def train_epoch(model, images, labels, optimizer, schedule):
    """One pass over the images; returns the mean loss."""
    total = 0.0
    for part in torch.randperm(len(images)).split(BATCH):
        logits = model(augment(images[part]))
        loss = functional.cross_entropy(logits, labels[part])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += loss.item() * len(part)
    return total / len(images)


def train(cfg, images, labels, validation=None):
    """Trains a model; with validation data, prints its accuracy."""
    torch.manual_seed(cfg.seed)
    model = VisionTransformer(cfg)
    per_epoch = math.ceil(len(images) / BATCH)
    optimizer, schedule = make_optimizer(
        model, per_epoch * cfg.epochs, per_epoch * WARMUP_EPOCHS)
    for epoch in range(1, cfg.epochs + 1):
        loss = train_epoch(model, images, labels, optimizer, schedule)
        line = (f"epoch {epoch:3d} loss {loss:.4f}"
                f" cpu {time.process_time():.0f} s")
        if validation is not None and (epoch % 5 == 0 or epoch == cfg.epochs):
            line += f" validation {accuracy(model, *validation):.4f}"
        print(line, flush=True)
    return model.eval()


# --- Files -----------------------------------------------------------------

def lift_constants(graph):
    """Turns Constant nodes into initializers."""
    for node in [n for n in graph.node if n.op_type == "Constant"]:
        tensor = graph.initializer.add()
        tensor.CopyFrom(node.attribute[0].t)
        tensor.name = node.output[0]
        graph.node.remove(node)


def name_weights(graph):
    """Names folded weights after their module: blocks.0.attn.q.weight."""
    tensors = {t.name: t for t in graph.initializer}
    for node in graph.node:
        for i, name in enumerate(node.input):
            if name.startswith("onnx::"):
                module = node.name.rsplit("/", 1)[0].strip("/")
                tensors[name].name = module.replace("/", ".") + ".weight"
                node.input[i] = tensors[name].name


def export(model, cfg, path):
    """Writes the ONNX file, with batch 1 and static shapes."""
    image = torch.zeros(1, 1, cfg.image, cfg.image)
    with warnings.catch_warnings():
        # The batch size becomes a constant on purpose.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        torch.onnx.export(model, image, str(path), opset_version=OPSET,
                          input_names=["image"], output_names=["logits"],
                          do_constant_folding=True)
    proto = onnx.load(str(path))
    lift_constants(proto.graph)
    name_weights(proto.graph)
    proto = onnx.shape_inference.infer_shapes(proto)
    onnx.checker.check_model(proto, full_check=True)
    onnx.save(proto, str(path))


def save_images(path, images, labels):
    """Writes an npz file with the arrays image and label."""
    np.savez_compressed(path, image=images, label=labels)


def parse_arguments():
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=CONFIGS, required=True)
    parser.add_argument("--seed", type=int, help="instead of the chosen one")
    parser.add_argument("--epochs", type=int, help="instead of the chosen")
    parser.add_argument("--validate", action="store_true",
                        help="hold out 200 training images, write nothing")
    parser.add_argument("--out", type=pathlib.Path,
                        default=pathlib.Path(__file__).parent)
    return parser.parse_args()


def configure(args):
    """Returns the chosen settings with those of the command line."""
    cfg = CONFIGS[args.model]
    given = {name: getattr(args, name) for name in ("seed", "epochs")
             if getattr(args, name) is not None}
    return dataclasses.replace(cfg, **given)


def validate(cfg):
    """Trains on 1097 images, reports on the other 200 training images."""
    images, labels = map(torch.from_numpy, load_images(cfg.image))
    order, _ = split_indices()
    fit, held = order[:-NUM_VALIDATION], order[-NUM_VALIDATION:]
    train(cfg, images[fit], labels[fit], (images[held], labels[held]))


def produce(cfg, name, out):
    """Trains on all 1297 images, writes the files, reports on the test."""
    images, labels = load_images(cfg.image)
    fit, held = split_indices()
    model = train(cfg, torch.from_numpy(images[fit]),
                  torch.from_numpy(labels[fit]))
    export(model, cfg, out / f"{name}.onnx")
    calibration = calibration_indices(fit, labels)
    save_images(out / f"{name}-calib.npz", images[calibration],
                labels[calibration])
    save_images(out / f"{name}-test.npz", images[held], labels[held])
    score = accuracy(model, torch.from_numpy(images[held]),
                     torch.from_numpy(labels[held]))
    print(f"{name}: test accuracy {score:.4f}")


def main():
    """Entry point."""
    args = parse_arguments()
    torch.set_num_threads(1)
    cfg = configure(args)
    print(args.model, cfg, flush=True)
    if args.validate:
        validate(cfg)
    else:
        produce(cfg, args.model, args.out)


if __name__ == "__main__":
    main()
