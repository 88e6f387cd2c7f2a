"""Trains the story model and writes jogak-stories.gguf and heldout.txt beside this file.

    python3 models/train.py [--steps 1600] [--threads 1] [--device cpu|cuda] [--out DIR]

Text, tokenizer, order of samples and initial weights come from fixed seeds. The first part of the
run is plain fp32; in the rest every second step runs with MXFP4 weights and int8 activations, so
that one set of weights serves both.
"""
import argparse
import math
import pathlib
import time

import torch
from torch.nn import functional

import stories
import tokenizer
from gguf_file import write_model
from network import Decoder
from shape import Shape

TOKENIZER_STORIES = 20000
TRAIN_STORIES = 40000
HELDOUT_STORIES = 48


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--plain", type=float, default=0.5, help="share of the steps before quantised steps begin")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    return parser.parse_args()


def heldout_texts(train_texts):
    """Held-out stories, none of which equals a training story."""
    known = set(train_texts)
    return [text for text in stories.stories(stories.HELDOUT_SEED, HELDOUT_STORIES) if text not in known]


def samples(texts, tokens, context):
    """One row per story: <s> story </s>, cut at context + 1 tokens, -1 after the end."""
    rows = torch.full((len(texts), context + 1), -1, dtype=torch.int16)
    cache = {}
    for row, text in zip(rows, texts):
        ids = (tokens.encode_words(text, cache) + [tokenizer.EOS])[:context + 1]
        row[:len(ids)] = torch.tensor(ids, dtype=torch.int16)
    return rows


def rate_at(step, args):
    """Linear warm-up over 100 steps, then a half cosine down to 2 % of the peak."""
    if step < 100:
        return args.rate * (step + 1) / 100
    done = (step - 100) / max(1, args.steps - 100)
    return args.rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


def loss_of(model, rows):
    """Mean cross entropy of the rows' tokens after the first; padding is left out."""
    longest = int((rows >= 0).sum(1).max())
    ids, goals = rows[:, :longest - 1].clamp(min=0).long(), rows[:, 1:longest].long()
    return functional.cross_entropy(model(ids).flatten(0, 1), goals.flatten(), ignore_index=-1)


def train(model, rows, args):
    matrices = [p for p in model.parameters() if p.ndim == 2]
    norms = [p for p in model.parameters() if p.ndim == 1]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.05}, {"params": norms, "weight_decay": 0.0}],
                                  betas=(0.9, 0.98), eps=1e-9)
    generator = torch.Generator().manual_seed(2)
    order = torch.randperm(len(rows), generator=generator)
    start, tokens, means = time.time(), 0, [0.0, 0.0]
    for step in range(args.steps):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, args)
        first = step * args.batch % (len(rows) - args.batch + 1)
        batch = rows[order[first:first + args.batch]].to(args.device)
        model.quantised = step >= args.plain * args.steps and step % 2 == 1
        loss = loss_of(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        tokens += int((batch[:, 1:] >= 0).sum())
        which = int(model.quantised)
        means[which] = loss.item() if means[which] == 0 else 0.95 * means[which] + 0.05 * loss.item()
        if (step + 1) % 100 == 0:
            print(f"step {step + 1} loss fp32 {means[0]:.4f} mxfp4 {means[1]:.4f} "
                  f"{tokens / 1e6:.1f} M tokens {time.time() - start:.0f} s", flush=True)
    model.quantised = False


def main():
    args = options()
    torch.manual_seed(1)
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    texts = stories.stories(stories.TRAIN_SEED, TRAIN_STORIES)
    shape = Shape()
    tokens = tokenizer.train(texts[:TOKENIZER_STORIES], shape.vocabulary)
    heldout = heldout_texts(texts)
    (args.out / "heldout.txt").write_text("\n".join(heldout) + "\n")
    rows = samples(texts, tokens, shape.context)
    model = Decoder(shape).to(args.device)
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {len(texts)} stories, "
          f"{int((rows >= 0).sum()) / 1e6:.1f} M tokens", flush=True)
    train(model, rows, args)
    tensors = {name: model.weight(name).detach().cpu().numpy()
               for name in [m[0] for m in shape.matrices()] + list(shape.norms())}
    write_model(args.out / "jogak-stories.gguf", shape, tokens, tensors)


if __name__ == "__main__":
    main()
