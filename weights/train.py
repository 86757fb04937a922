"""Trains, measures and exports the scenes-vgg16 model.

    python weights/train.py                # draw scenes, train, measure, export
    python weights/train.py --measure      # measure the exported model again

Needs PyTorch, NumPy and Node (for `stream-scenes.ts`, which draws the scenes). No GPU is needed.

The network is VGG-16 layer for layer, an eighth as wide. The training is ordinary (soft-label cross
entropy, AdamW, cosine learning rate) except for what Score-CAM asks of a network: it shows the
network the picture through the network's own activation maps, so the network must know what to say
of a picture that is mostly hidden. Hence:

- scenes with two objects are trained with half the label on each, empty scenes with the uniform one;
- half of the pictures are seen through random soft masks, and later on a quarter of each batch are
  the pictures of the batch before seen through their own conv5_3 maps, as in Score-CAM. The label
  keeps the objects that the mask leaves visible and goes to uniform as they are hidden;
- towards the end, one penalty (L1 over L2 norm) makes the conv5_3 maps sparse, and another presses
  them to stay inside the objects' boxes. The second one trains for what the pointing game measures:
  the figure says that the kernels and the model work together, not that Score-CAM is that good on a
  network that never saw a box;
- a second head, a linear layer on the mean of each conv5_3 map, is trained along and then dropped.
  It needs no position to be learned one by one, so conv5_3 finds the objects' features sooner.

To save time the first two stages see pictures at half size through a network without pool2, whose later
layers then have the same grids as in the full network; the last stage leaves block 1 as it is.
Batch normalisation in blocks 3 to 5 is folded into the convolutions at export. All figures are
measured with the exported weights: folded and rounded to half precision.
"""

import argparse
import hashlib
import json
import math
import os
import struct
import subprocess
import time
import zlib

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, 'scenes-vgg16')
SIZE = 224
HEADER = 24
CLASSES = ['star', 'heart', 'ring', 'cross', 'crescent moon', 'arrow', 'triangle', 'fish', 'house',
           'key', 'lightning bolt', 'spiral']
PLAN = [8, 8, 'P', 16, 16, 'P', 32, 32, 32, 'P', 64, 64, 64, 'P', 64, 64, 64, 'P']
HIDDEN = 512
CELLS = SIZE // 16  # conv5_3 is CELLS x CELLS

# Seeds: training uses those below 1,000,000. The rest are unseen; progress is watched on the first
# range, the published figures come from the second, the sample picture from the third.
WATCH_SEED, MEASURE_SEED, SAMPLE_SEED = 1_000_000, 2_000_000, 3_000_000

BATCH = 64
STAGES = [  # until which share of the time; half size; masks; block 1 fixed; pictures seen again
    dict(until=0.15, half=True, masks=False, fixed=False, again=0),
    dict(until=0.42, half=True, masks=True, fixed=False, again=0),
    dict(until=0.66, half=False, masks=True, fixed=False, again=16),
    dict(until=1.00, half=False, masks=True, fixed=True, again=16),
]
PEAK_RATE, WARM_UP, WEIGHT_DECAY, SECOND_HEAD = 1.2e-3, 50, 0.02, 0.5
SPARSITY, STRAYING = 1.0, 2.0


# ----------------------------------------------------------------------------- scenes

RECORD = HEADER + SIZE * SIZE * 3


def stream(count, seed, objects, out):
    """Starts a process that draws scenes; see stream-scenes.ts for the record."""
    command = ['npx', 'tsx', os.path.join(HERE, 'stream-scenes.ts'), '--count', str(count),
               '--seed-start', str(seed), '--objects', str(objects)]
    return subprocess.Popen(command, stdout=out)


def draw_training_scenes(folder, count, processes):
    """Draws the training scenes once, into one file per process. Returns as soon as there are some:
    the others join in as they are drawn."""
    os.makedirs(folder, exist_ok=True)
    share = count // processes
    jobs, paths = [], []
    for p in range(processes):
        path = os.path.join(folder, f'train{p}.bin')
        paths.append(path)
        with open(path, 'ab') as out:
            done = drawn(path)
            out.truncate(done * RECORD)
            if done < share:
                jobs.append(stream(share - done, p * share + done, 'mixed', out))
    while any(drawn(path) < min(share, 2500) for path in paths):
        if any(job.poll() not in (None, 0) for job in jobs):
            raise SystemExit('drawing the scenes failed')
        time.sleep(1)
    return paths


def drawn(path):
    return os.path.getsize(path) // RECORD


def open_scenes(path):
    return np.memmap(path, np.uint8, 'r', shape=(drawn(path), RECORD))


def draw_scenes(count, seed, objects):
    """Draws scenes into memory."""
    job = stream(count, seed, objects, subprocess.PIPE)
    data = job.stdout.read()
    if job.wait() != 0:
        raise SystemExit('drawing the scenes failed')
    return np.frombuffer(data, np.uint8).reshape(-1, RECORD)


def unpack(records):
    """Records to pixels (n,h,w,3), classes (n,2; -1: none) and boxes (n,2,4: x, y, width, height)."""
    heads = np.ascontiguousarray(records[:, 6:HEADER]).reshape(-1, 2, 9)
    classes = heads[:, :, 0].astype(np.int64)
    classes[classes == 255] = -1
    boxes = np.ascontiguousarray(heads[:, :, 1:]).view('<u2').astype(np.int64)
    return records[:, HEADER:].reshape(-1, SIZE, SIZE, 3), classes, boxes


# ----------------------------------------------------------------------------- network


def convolutions():
    """(block, torchvision index, out channels) of every convolution."""
    found, block, index = [], 1, 0
    for item in PLAN:
        if item == 'P':
            block, index = block + 1, index + 1
        else:
            found.append((block, index, item))
            index += 2
    return found


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        inside = 3
        for block, _, outside in convolutions():
            conv = nn.Conv2d(inside, outside, 3, padding=1)
            nn.init.kaiming_normal_(conv.weight, nonlinearity='relu')
            nn.init.zeros_(conv.bias)
            self.convs.append(conv)
            # The early maps are large, and normalising them would cost more than it helps.
            self.norms.append(nn.BatchNorm2d(outside) if block >= 3 else nn.Identity())
            inside = outside
        flat = inside * (CELLS // 2) ** 2
        self.fc = nn.ModuleList([nn.Linear(flat, HIDDEN), nn.Linear(HIDDEN, HIDDEN),
                                 nn.Linear(HIDDEN, len(CLASSES))])
        self.second_head = nn.Linear(inside, len(CLASSES))

    def forward(self, x, half=False):
        """Returns the conv5_3 maps and the logits of both heads. With `half`, x has half size and pool2 rests."""
        maps, block, last = x, 1, x
        for conv, norm, (at, _, _) in zip(self.convs, self.norms, convolutions()):
            if at != block:
                if not (half and block == 2):
                    maps = F.max_pool2d(maps, 2)
                block = at
            maps = last = F.relu(norm(conv(maps)))
        h = F.max_pool2d(maps, 2).flatten(1)
        for linear in self.fc[:2]:
            h = F.dropout(F.relu(linear(h)), 0.2, self.training)
        return last, self.fc[2](h), self.second_head(4 * last.mean((2, 3)))

    def folded(self):
        """Weights by their torchvision names, normalisation folded in, rounded to half precision."""
        weights = {}
        for conv, norm, (_, index, _) in zip(self.convs, self.norms, convolutions()):
            weight, bias = conv.weight.data.double(), conv.bias.data.double()
            if isinstance(norm, nn.BatchNorm2d):
                gain = norm.weight.data.double() / (norm.running_var.double() + norm.eps).sqrt()
                weight = weight * gain[:, None, None, None]
                bias = (bias - norm.running_mean.double()) * gain + norm.bias.data.double()
            weights[f'features.{index}.weight'], weights[f'features.{index}.bias'] = weight, bias
        for index, linear in zip((0, 3, 6), self.fc):
            weights[f'classifier.{index}.weight'] = linear.weight.data
            weights[f'classifier.{index}.bias'] = linear.bias.data
        return {name: tensor.half().contiguous() for name, tensor in weights.items()}


def run(weights, x):
    """The exported network, as any consumer would run it: conv5_3 maps and logits."""
    block, maps = 1, x
    for at, index, _ in convolutions():
        if at != block:
            maps, block = F.max_pool2d(maps, 2), at
        weight, bias = weights[f'features.{index}.weight'], weights[f'features.{index}.bias']
        maps = F.relu(F.conv2d(maps, weight, bias, padding=1))
    h = F.max_pool2d(maps, 2).flatten(1)
    for index in (0, 3, 6):
        h = F.linear(h, weights[f'classifier.{index}.weight'], weights[f'classifier.{index}.bias'])
        h = F.relu(h) if index < 6 else h
    return maps, h


def widened(weights):
    """Half-precision weights as floats to compute with, in the layout that is fast on a CPU."""
    return {name: tensor.float().contiguous(memory_format=torch.channels_last)
            if tensor.dim() == 4 else tensor.float() for name, tensor in weights.items()}


class Normaliser:
    def __init__(self, mean, std):
        self.mean, self.std = mean, std
        self.m = torch.tensor(mean).view(1, 3, 1, 1)
        self.s = torch.tensor(std).view(1, 3, 1, 1)

    def __call__(self, pixels):
        x = torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).float() / 255
        return ((x - self.m) / self.s).contiguous(memory_format=torch.channels_last)


def data_statistics(paths):
    sample = np.concatenate([open_scenes(path)[:600] for path in paths])[:, HEADER:].reshape(-1, 3) / 255
    return ([round(float(v), 4) for v in sample.mean(0)], [round(float(v), 4) for v in sample.std(0)])


# ----------------------------------------------------------------------------- masks and labels


def random_maps(classes, boxes, rng):
    """Random low-resolution masks: blobs or boxes, on objects or anywhere, some inverted."""
    ys, xs = np.mgrid[0:CELLS, 0:CELLS]
    maps = np.empty((len(classes), CELLS, CELLS), np.float32)
    for i in range(len(classes)):
        count = int((classes[i] >= 0).sum())
        m = np.zeros((CELLS, CELLS), np.float32)
        for _ in range(rng.integers(1, 3)):
            if count and rng.random() < 0.6:
                x, y, w, h = boxes[i, rng.integers(count)] / 16
                cx, cy = x + w * rng.uniform(0.2, 0.8) - 0.5, y + h * rng.uniform(0.2, 0.8) - 0.5
            else:
                cx, cy = rng.uniform(0, CELLS, 2)
            rx, ry = rng.uniform(0.9, 3.2, 2)
            dx, dy = (xs - cx) / rx, (ys - cy) / ry
            if rng.random() < 0.75:
                m = np.maximum(m, rng.uniform(0.5, 1) * np.exp(-(dx * dx + dy * dy) / 2))
            else:
                m = np.maximum(m, ((np.abs(dx) < 1.3) & (np.abs(dy) < 1.3)).astype(np.float32))
        if rng.random() < 0.3:
            m = m * rng.random((CELLS, CELLS)) ** 0.5
        if rng.random() < 0.3:
            m = m.max() - m
        maps[i] = m
    return torch.from_numpy(maps)


def normalised_masks(maps, size=SIZE):
    """Score-CAM's masks: maps (n,h,w) upsampled to the picture and stretched to [0, 1]."""
    up = F.interpolate(maps[:, None], size=(size, size), mode='bilinear', align_corners=False)
    low, high = up.amin((1, 2, 3), True), up.amax((1, 2, 3), True)
    return (up - low) / (high - low).clamp_min(1e-6)


def labels(classes, boxes, masks=None):
    """Soft labels. Under a mask an object counts by the mean of the mask over its box: not at all
    below 0.15, fully from 0.4 on. What no visible object claims is spread evenly."""
    n, step = len(CLASSES), 1 if masks is None else SIZE // masks.shape[-1]
    target = torch.zeros(len(classes), n)
    for i in range(len(classes)):
        claims = []
        for c, (x, y, w, h) in zip(classes[i], boxes[i] // step):
            if c < 0:
                continue
            seen = 1.0 if masks is None else float(masks[i, 0, y:y + h, x:x + w].mean())
            claims.append((c, min(1.0, max(0.0, (seen - 0.15) / 0.25))))
        total = sum(s for _, s in claims)
        for c, s in claims:
            target[i, c] += s / max(total, 1)
        target[i] += max(0.0, 1 - total) / n
    return target


# ----------------------------------------------------------------------------- training


def hoyer(maps):
    """L1 over L2 norm of each picture's maps, 1 where all values are alike, near 0 where few are not
    zero. Unlike a plain L1 penalty it is not dodged by smaller maps and larger weights after them."""
    flat = maps.flatten(1)
    return (flat.mean(1) / (flat.square().mean(1) + 1e-6).sqrt()).mean()


def straying(maps, classes, boxes):
    """The share of conv5_3's activation in cells whose centre lies outside all objects' boxes, each
    box first shrunk a little because upsampling spreads every cell. Empty scenes do not count."""
    centres = torch.arange(CELLS) * 16.0 + 8
    outside = torch.ones(len(maps), CELLS, CELLS)
    for i in range(len(maps)):
        for c, (x, y, w, h) in zip(classes[i], boxes[i]):
            if c >= 0:
                across = (centres >= x + 6) & (centres <= x + w - 6)
                down = (centres >= y + 6) & (centres <= y + h - 6)
                outside[i] *= 1 - (down[:, None] & across[None, :]).float()
    total = maps.sum((1, 2, 3))
    share = (maps.sum(1) * outside).sum((1, 2)) / (total + 1e-3)
    some = torch.from_numpy((classes >= 0).any(1)).float()
    return (share * some).sum() / some.sum()


class Batches:
    """Random batches of the training scenes, half of them mirrored (no class minds)."""

    def __init__(self, paths, normalise, rng):
        self.paths, self.normalise, self.rng = paths, normalise, rng
        self.order = []

    def next(self, count, half):
        if len(self.order) < count:
            files = [open_scenes(path) for path in self.paths]
            self.order = [(file, i) for file in files for i in range(len(file))]
            self.rng.shuffle(self.order)
            print(f'  {len(self.order)} training scenes', flush=True)
        picked, self.order = self.order[:count], self.order[count:]
        pixels, classes, boxes = unpack(np.stack([file[i] for file, i in picked]))
        x = self.normalise(pixels)
        if half:
            x = F.avg_pool2d(x, 2)
        mirrored = count // 2
        x[:mirrored] = x[:mirrored].flip(3)
        boxes = boxes.copy()
        boxes[:mirrored, :, 0] = SIZE - boxes[:mirrored, :, 0] - boxes[:mirrored, :, 2]
        # Colour jitter: contrast and a shift, for each picture and channel.
        x = x * torch.empty(count, 3, 1, 1).uniform_(0.8, 1.2)
        x = x + torch.empty(count, 3, 1, 1).uniform_(-0.2, 0.2)
        return x, classes, boxes


def shown_through(x, masks, rows):
    out = x.clone(memory_format=torch.channels_last)
    out[rows] = x[rows] * masks
    return out


def train(paths, normalise, folder, minutes, resume):
    """Trains for the given time: learning rate and stages follow the clock. To resume
    is to train the last stage, from the checkpoint."""
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    net = Network().to(memory_format=torch.channels_last)
    decayed = [p for p in net.parameters() if p.dim() > 1]
    plain = [p for p in net.parameters() if p.dim() == 1]
    optimiser = torch.optim.AdamW([dict(params=decayed, weight_decay=WEIGHT_DECAY),
                                   dict(params=plain, weight_decay=0.0)], lr=PEAK_RATE)
    batches = Batches(paths, normalise, rng)
    watch = unpack(draw_scenes(400, WATCH_SEED, 1))
    step, before, smooth = 0, None, None
    started = reported = time.time()
    if resume:
        net.load_state_dict(torch.load(os.path.join(folder, 'checkpoint.pt')))
        started -= STAGES[-2]['until'] * minutes * 60
    for number, stage in enumerate(STAGES, 1):
        for conv in net.convs[:2]:
            conv.requires_grad_(not stage['fixed'])
        exported = stage['half']
        while (done := (time.time() - started) / 60 / minutes) < stage['until']:
            rate = min(1, (step + 1) / WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * done))
            for group in optimiser.param_groups:
                group['lr'] = PEAK_RATE * max(rate, 0.005)
            if number == len(STAGES):  # norms must move far for the maps to become sparse
                optimiser.param_groups[1]['lr'] *= 5

            again = stage['again'] if before is not None else 0
            x, classes, boxes = batches.next(BATCH - again, stage['half'])
            rows = slice(0, len(x), 2)  # mirrored and not: every other picture is masked
            shown, target = x, labels(classes, boxes)
            shown_classes, shown_boxes = classes, boxes
            if stage['masks']:
                maps = random_maps(classes[rows], boxes[rows], rng)
                masks = normalised_masks(maps, x.shape[-1])
                shown = shown_through(x, masks, rows)
                target[rows] = labels(classes[rows], boxes[rows], masks)
            if again:
                old, old_classes, old_boxes, old_maps = before
                own_masks = normalised_masks(old_maps)
                shown = torch.cat([shown, old * own_masks])
                target = torch.cat([target, labels(old_classes, old_boxes, own_masks)])
                shown_classes = np.concatenate([classes, old_classes])
                shown_boxes = np.concatenate([boxes, old_boxes])
            shown = shown.contiguous(memory_format=torch.channels_last)

            maps, logits, second = net(shown, stage['half'])
            entropy = -(target * F.log_softmax(logits, 1)).sum(1).mean()
            entropy2 = -(target * F.log_softmax(second, 1)).sum(1).mean()
            sparsity, stray = hoyer(maps), straying(maps, shown_classes, shown_boxes)
            ramp = min(1.0, max(0.0, (done - 0.62) / 0.1))  # sparse too early, the maps would die
            loss = entropy + SECOND_HEAD * entropy2
            loss = loss + ramp * (SPARSITY * sparsity + STRAYING * stray)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_([p for p in net.parameters() if p.grad is not None], 5.0)
            optimiser.step()

            # Keep unmasked pictures, each with one of its own maps, for the next batch.
            keep = torch.arange(1, len(x), 2)[:16]
            own = maps.detach()[keep]
            peaks = own.amax((2, 3))
            lively = torch.multinomial((peaks > 0.1 * peaks.amax(1, True)).float() + 1e-6, 1)[:, 0]
            before = (x[keep], classes[keep.numpy()], boxes[keep.numpy()],
                      own[torch.arange(len(keep)), lively].contiguous())
            if stage['half']:
                before = None

            floor = -(target * target.clamp_min(1e-9).log()).sum(1).mean()
            with torch.no_grad():
                now = torch.stack([entropy - floor, entropy2 - floor])
                smooth = now if step == 0 else 0.95 * smooth + 0.05 * now
            step += 1
            if step % 25 == 0:
                active = float((maps.detach() > 0).float().mean())
                spent, recent = time.time() - started, time.time() - reported
                print(f'stage {number} step {step} loss {smooth[0]:.3f} {smooth[1]:.3f} '
                      f'sparsity {sparsity.item():.3f} stray {stray.item():.3f} active {active:.3f} '
                      f'{25 * BATCH / recent:.1f} img/s {spent / 60:.1f} min', flush=True)
                reported = time.time()
            if step % 100 == 0:
                torch.save(net.state_dict(), os.path.join(folder, 'checkpoint.pt'))
            if not stage['half'] and step % 100 == 0:
                net.eval()
                folded = net.folded()
                print('  watched accuracy', accuracy(widened(folded), normalise, *watch[:2]),
                      flush=True)
                if not exported:  # an early model, to try things with
                    export(folded, normalise, {}, None)
                    exported = True
                net.train()
    torch.save(net.state_dict(), os.path.join(folder, 'checkpoint.pt'))
    net.eval()
    return net, step


# ----------------------------------------------------------------------------- measuring


@torch.no_grad()
def accuracy(weights, normalise, pixels, classes):
    right = 0
    for i in range(0, len(pixels), 50):
        _, logits = run(weights, normalise(pixels[i:i + 50]))
        right += int((logits.argmax(1).numpy() == classes[i:i + 50, 0]).sum())
    return right / len(pixels)


@torch.no_grad()
def score_cam(weights, x, asked):
    """Official Score-CAM at conv5_3: one map in [0, 1] for each asked class, and the top classes."""
    maps, logits = run(weights, x)
    up = F.interpolate(maps, size=(SIZE, SIZE), mode='bilinear', align_corners=False)[0]
    low, high = up.amin((1, 2)), up.amax((1, 2))
    kept = torch.nonzero(high > low)[:, 0]
    scores = []
    for rows in kept.split(32):
        mask = (up[rows] - low[rows, None, None]) / (high - low)[rows, None, None]
        shown = (x * mask[:, None]).contiguous(memory_format=torch.channels_last)
        scores.append(run(weights, shown)[1].softmax(1))
    scores = torch.cat(scores)
    found = []
    for c in asked:
        cam = F.relu((scores[:, c, None, None] * up[kept]).sum(0))
        span = cam.max() - cam.min()
        found.append(((cam - cam.min()) / span if span > 0 else cam * 0).numpy())
    return found, logits[0].argsort(descending=True)[:2].tolist(), len(kept)


def pointing(weights, normalise, pixels, classes, boxes):
    """Energy-based pointing game, each object of each scene asked for. Returns one row an object:
    share of energy in its box, in the other's box, share of area, hit (peak in the box)."""
    rows, top_two, channels = [], 0, []
    for i in range(len(pixels)):
        cams, top, kept = score_cam(weights, normalise(pixels[i:i + 1]), classes[i])
        top_two += set(top) == set(classes[i].tolist())
        channels.append(kept)
        for j, cam in enumerate(cams):
            inside = []
            for x, y, w, h in (boxes[i, j], boxes[i, 1 - j]):
                inside.append(cam[y:y + h, x:x + w].sum() / max(cam.sum(), 1e-9))
            x, y, w, h = boxes[i, j]
            py, px = np.unravel_index(cam.argmax(), cam.shape)
            hit = x <= px < x + w and y <= py < y + h
            rows.append((inside[0], inside[1], w * h / SIZE ** 2, hit))
    return np.array(rows, np.float64), top_two / len(pixels), float(np.mean(channels))


def measure(weights, normalise, singles, doubles):
    pixels, classes, _ = unpack(draw_scenes(singles, MEASURE_SEED, 1))
    top1 = accuracy(weights, normalise, pixels, classes)
    print('accuracy', top1, flush=True)
    pairs = unpack(draw_scenes(doubles, MEASURE_SEED, 2))
    rows, top_two, channels = pointing(weights, normalise, *pairs)
    energy = rows[:, 0]
    measured = {
        'accuracy': {'top1': round(top1, 4), 'scenes': singles, 'objects': 1,
                     'firstSeed': MEASURE_SEED},
        'pointing': {'energyInBox': round(float(energy.mean()), 4),
                     'energyInOtherBox': round(float(rows[:, 1].mean()), 4),
                     'boxAreaShare': round(float(rows[:, 2].mean()), 4),
                     'worstTenth': round(float(np.quantile(energy, 0.1)), 4),
                     'median': round(float(np.median(energy)), 4),
                     'peakInBox': round(float(rows[:, 3].mean()), 4),
                     'bothInTopTwo': round(top_two, 4),
                     'channelsUsed': round(channels, 1),
                     'scenes': doubles, 'objects': 2, 'firstSeed': MEASURE_SEED,
                     'layer': 'conv5_3', 'method': 'score-cam'},
    }
    print(json.dumps(measured, indent=2), flush=True)
    return measured


def choose_sample(weights, normalise, count):
    """The two-object scene, of some unseen ones, whose less well explained object does best."""
    pixels, classes, boxes = unpack(draw_scenes(count, SAMPLE_SEED, 2))
    rows, _, _ = pointing(weights, normalise, pixels, classes, boxes)
    worst = rows[:, 0].reshape(-1, 2).min(1)
    for i in worst.argsort()[::-1][:12]:
        print('sample', SAMPLE_SEED + i, [CLASSES[c] for c in classes[i]], round(worst[i], 3))
    return SAMPLE_SEED + int(worst.argmax())


# ----------------------------------------------------------------------------- export


def safetensors(weights, metadata):
    header, blobs, at = {'__metadata__': metadata}, [], 0
    for name, tensor in weights.items():
        blob = tensor.numpy().astype('<f2').tobytes()
        header[name] = {'dtype': 'F16', 'shape': list(tensor.shape),
                        'data_offsets': [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    return struct.pack('<Q', len(text)) + text + b''.join(blobs)


def read_safetensors(path):
    with open(path, 'rb') as file:
        data = file.read()
    length = struct.unpack('<Q', data[:8])[0]
    header = json.loads(data[8:8 + length])
    header.pop('__metadata__', None)
    weights = {}
    for name, entry in header.items():
        start, end = entry['data_offsets']
        array = np.frombuffer(data[8 + length + start:8 + length + end], '<f2').copy()
        weights[name] = torch.from_numpy(array.reshape(entry['shape']))
    return weights


def layer_list():
    layers, block, place = [], 1, 1
    for item, (kind, index) in zip(PLAN, torchvision_indices()):
        if kind == 'pool':
            layers.append({'type': 'maxpool', 'name': f'pool{block}'})
            block, place = block + 1, 1
            continue
        layers.append({'type': 'conv', 'name': f'conv{block}_{place}', 'outChannels': item,
                       'kernel': 3, 'activation': 'relu', 'weight': f'features.{index}.weight',
                       'bias': f'features.{index}.bias'})
        place += 1
    for n, (index, width) in enumerate(zip((0, 3, 6), (HIDDEN, HIDDEN, len(CLASSES))), 1):
        layer = {'type': 'linear', 'name': f'fc{n}', 'outFeatures': width}
        if n < 3:
            layer['activation'] = 'relu'
        layers.append({**layer, 'weight': f'classifier.{index}.weight',
                       'bias': f'classifier.{index}.bias'})
    return layers


def torchvision_indices():
    index = 0
    for item in PLAN:
        yield ('pool', index) if item == 'P' else ('conv', index)
        index += 1 if item == 'P' else 2


def png(path, pixels):
    """A minimal PNG writer: 8-bit RGB, each row coded as the difference from the one above."""
    def chunk(kind, data):
        return (struct.pack('>I', len(data)) + kind + data
                + struct.pack('>I', zlib.crc32(kind + data)))
    rows = pixels.reshape(SIZE, -1)
    above = np.vstack([np.zeros_like(rows[:1]), rows[:-1]])
    coded = np.hstack([np.full((SIZE, 1), 2, np.uint8), rows - above]).tobytes()
    head = struct.pack('>IIBBBBB', SIZE, SIZE, 8, 2, 0, 0, 0)
    with open(path, 'wb') as file:
        file.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head)
                   + chunk(b'IDAT', zlib.compress(coded, 9)) + chunk(b'IEND', b''))


def export(weights, normalise, measured, sample_seed):
    os.makedirs(OUT, exist_ok=True)
    data = safetensors(weights, {'format': 'pt', 'name': 'scenes-vgg16', 'licence': 'MIT'})
    with open(os.path.join(OUT, 'model.safetensors'), 'wb') as file:
        file.write(data)
    seed = SAMPLE_SEED if sample_seed is None else sample_seed
    png(os.path.join(OUT, 'sample.png'), unpack(draw_scenes(1, seed, 2))[0][0])
    manifest = {
        'format': 'score-cam-webgpu/model',
        'version': 1,
        'name': 'scenes-vgg16',
        'description': f'VGG-16, layer for layer, at an eighth of the width; trained on drawn scenes '
                       f'with {len(CLASSES)} kinds of objects.',
        'licence': 'MIT',
        'input': {'width': SIZE, 'height': SIZE, 'mean': normalise.mean, 'std': normalise.std,
                  'resize': 'cover'},
        'layers': layer_list(),
        'targetLayer': 'conv5_3',
        'labels': CLASSES,
        'weights': {'format': 'safetensors', 'file': 'model.safetensors', 'bytes': len(data),
                    'sha256': hashlib.sha256(data).hexdigest()},
        'sample': {'file': 'sample.png', 'seed': seed, 'objects': 2},
        'measured': measured,
    }
    with open(os.path.join(OUT, 'manifest.json'), 'w') as file:
        json.dump(manifest, file, indent=2)
        file.write('\n')
    print('exported', len(data), 'bytes', flush=True)


# ----------------------------------------------------------------------------- command line


def main():
    parser = argparse.ArgumentParser(description='Trains, measures and exports scenes-vgg16.')
    parser.add_argument('--folder', default=os.path.join(HERE, '.training'),
                        help='where the drawn scenes and the checkpoint are kept')
    parser.add_argument('--scenes', type=int, default=25_600)
    parser.add_argument('--threads', type=int, default=os.cpu_count())
    parser.add_argument('--minutes', type=float, default=48, help='how long to train')
    parser.add_argument('--resume', action='store_true', help='train the last stage again')
    parser.add_argument('--measure', action='store_true', help='only measure the exported model')
    parser.add_argument('--singles', type=int, default=2000)
    parser.add_argument('--doubles', type=int, default=300)
    parser.add_argument('--sample-seed', type=int)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    if options.measure:
        with open(os.path.join(OUT, 'manifest.json')) as file:
            manifest = json.load(file)
        normalise = Normaliser(manifest['input']['mean'], manifest['input']['std'])
        weights = read_safetensors(os.path.join(OUT, 'model.safetensors'))
        options.sample_seed = options.sample_seed or manifest['sample']['seed']
    else:
        paths = draw_training_scenes(options.folder, options.scenes, 2)
        normalise = Normaliser(*data_statistics(paths))
        print('mean', normalise.mean, 'std', normalise.std, flush=True)
        net, steps = train(paths, normalise, options.folder, options.minutes,
                           options.resume)
        print(f'trained for {options.minutes} minutes, {steps} steps', flush=True)
        weights = net.folded()
        export(weights, normalise, {}, options.sample_seed)
    ready = widened(weights)
    measured = measure(ready, normalise, options.singles, options.doubles)
    if options.sample_seed is None:
        options.sample_seed = choose_sample(ready, normalise, 60)
    export(weights, normalise, measured, options.sample_seed)


if __name__ == '__main__':
    main()
