"""Trains, measures and exports the scenes-vgg16 model.

    python weights/train.py                # draw scenes, train, measure, export
    python weights/train.py --measure      # measure the exported model again

Needs PyTorch, NumPy and Node (for `stream-scenes.ts`, which draws the scenes). No GPU is needed.

The network is VGG-16 layer for layer, an eighth as wide. It is trained as classifiers are trained, on
class labels alone: cross entropy, AdamW, cosine learning rate, dropout, and pictures that are cropped,
mirrored, recoloured, made noisy and partly erased at random, the label always kept. A scene with two
objects has half the label on each, an empty one the uniform label. Training reads no box, no
activation map and no mask: what Score-CAM makes of the network is measured, not trained for. Boxes are
read by `measure` alone.

Most steps see scenes drawn at half size through a network without pool2, whose later layers then have
the same grids as in the full network; the last steps see the full size. Convolutions are computed in
bfloat16 (their weights and sums are kept in f32), which is fast on CPUs that have it. Batch
normalisation in blocks 3 to 5 is folded into the convolutions at export. All figures are measured with the exported
weights: folded and rounded to half precision.

Steps are counted, not timed, and everything is seeded: the same machine, threads and PyTorch give the
same weights.
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
STAGES = [dict(size=SIZE // 2, scenes=51_200, first_seed=0, steps=3600),
          dict(size=SIZE, scenes=12_800, first_seed=500_000, steps=500)]
PEAK_RATE, WARM_UP, WEIGHT_DECAY, DROPOUT = 1.2e-3, 100, 0.02, 0.3
CROP, ASPECT = (0.6, 1.0), (3 / 4, 4 / 3)  # share of the picture's area, width over height
ERASE, ERASED, NOISE = 0.5, (0.02, 0.25), 0.15  # how often; share of the area; largest deviation


# ----------------------------------------------------------------------------- scenes

def stream(count, seed, objects, out, size=SIZE):
    """Starts a process that draws scenes; see stream-scenes.ts for the record."""
    command = ['npx', 'tsx', os.path.join(HERE, 'stream-scenes.ts'), '--count', str(count),
               '--seed-start', str(seed), '--objects', str(objects), '--size', str(size)]
    return subprocess.Popen(command, stdout=out)


def training_scenes(folder, size, scenes, first_seed, processes=2, **_):
    """The scenes of a stage, drawn once, into one file per process: records (n, bytes)."""
    os.makedirs(folder, exist_ok=True)
    share, record = scenes // processes, HEADER + size * size * 3
    jobs, paths = [], [os.path.join(folder, f'size{size}-{p}.bin') for p in range(processes)]
    for p, path in enumerate(paths):
        with open(path, 'ab') as out:
            done = os.path.getsize(path) // record
            out.truncate(done * record)
            if done < share:
                jobs.append(stream(share - done, first_seed + p * share + done, 'mixed', out, size))
    if any([job.wait() for job in jobs]):
        raise SystemExit('drawing the scenes failed')
    return [np.memmap(path, np.uint8, 'r', shape=(share, record)) for path in paths]


def draw_scenes(count, seed, objects):
    """Draws scenes into memory."""
    job = stream(count, seed, objects, subprocess.PIPE)
    data = job.stdout.read()
    if job.wait() != 0:
        raise SystemExit('drawing the scenes failed')
    return np.frombuffer(data, np.uint8).reshape(count, -1)


def pictures(records):
    """The pixels of records (n,h,w,3)."""
    size = math.isqrt((records.shape[1] - HEADER) // 3)
    return records[:, HEADER:].reshape(-1, size, size, 3)


def objects(records):
    """Classes (n,2; -1: none) of records and boxes (n,2,4: x, y, width, height)."""
    heads = np.ascontiguousarray(records[:, 6:HEADER]).reshape(-1, 2, 9)
    classes = heads[:, :, 0].astype(np.int64)
    classes[classes == 255] = -1
    return classes, np.ascontiguousarray(heads[:, :, 1:]).view('<u2').astype(np.int64)


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

    def forward(self, x):
        """Returns the logits. If x has half size, pool2 rests."""
        maps, block, half = x, 1, x.shape[-1] == SIZE // 2
        for conv, norm, (at, _, _) in zip(self.convs, self.norms, convolutions()):
            if at != block:
                if not (half and block == 2):
                    maps = F.max_pool2d(maps, 2)
                block = at
            maps = F.relu(norm(conv(maps)))
        h = F.max_pool2d(maps, 2).flatten(1)
        for linear in self.fc[:2]:
            h = F.dropout(F.relu(linear(h)), DROPOUT, self.training)
        return self.fc[2](h)

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


def channels_last(x):
    return x.contiguous(memory_format=torch.channels_last)


class Normaliser:
    def __init__(self, mean, std):
        self.mean, self.std = mean, std
        self.m = torch.tensor(mean).view(1, 3, 1, 1)
        self.s = torch.tensor(std).view(1, 3, 1, 1)

    def __call__(self, pixels):
        x = torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).float() / 255
        return (x - self.m) / self.s


def data_statistics(files):
    sample = np.concatenate([file[:1200, HEADER:] for file in files]).reshape(-1, 3) / 255
    return ([round(float(v), 4) for v in sample.mean(0)], [round(float(v), 4) for v in sample.std(0)])


# ----------------------------------------------------------------------------- training


def labels(classes):
    """Class labels as probabilities: even over the objects of a scene, over all classes if it is empty."""
    target = torch.zeros(len(classes), len(CLASSES))
    for row, found in zip(target, classes):
        present = found[found >= 0]
        row[present if len(present) else slice(None)] = 1 / (len(present) or len(CLASSES))
    return target


def augmented(x, rng):
    """Cropped and stretched back, mirrored by halves, recoloured, noisy, a rectangle of it erased to
    the mean colour: each picture by its own lot."""
    n, _, size, _ = x.shape
    area, aspect = rng.uniform(*CROP, n), np.exp(rng.uniform(*np.log(ASPECT), n))
    width, height = np.minimum(1, np.sqrt(area * aspect)), np.minimum(1, np.sqrt(area / aspect))
    place = np.zeros((n, 2, 3), np.float32)
    place[:, 0, 0], place[:, 1, 1] = width * rng.choice([-1, 1], n), height
    place[:, 0, 2], place[:, 1, 2] = (1 - width) * rng.uniform(-1, 1, n), (1 - height) * rng.uniform(-1, 1, n)
    x = F.grid_sample(x, F.affine_grid(torch.from_numpy(place), x.shape, align_corners=False),
                      padding_mode='border', align_corners=False)
    # Contrast and a shift, for each picture and channel.
    x = x * torch.empty(n, 3, 1, 1).uniform_(0.8, 1.2) + torch.empty(n, 3, 1, 1).uniform_(-0.2, 0.2)
    x = x + torch.randn(x.shape) * torch.empty(n, 1, 1, 1).uniform_(0, NOISE)
    for i in np.flatnonzero(rng.random(n) < ERASE):
        area, aspect = rng.uniform(*ERASED), np.exp(rng.uniform(*np.log((0.3, 1 / 0.3))))
        w, h = (min(size, round(size * math.sqrt(area * a))) for a in (aspect, 1 / aspect))
        left, top = rng.integers(size - w + 1), rng.integers(size - h + 1)
        x[i, :, top:top + h, left:left + w] = 0
    return channels_last(x)


class Batches:
    """Random batches of scenes: pictures and class labels, nothing else of a scene."""

    def __init__(self, files, normalise, rng):
        self.files, self.normalise, self.rng, self.order = files, normalise, rng, []

    def next(self):
        if len(self.order) < BATCH:
            self.order = self.rng.permutation([(f, i) for f, file in enumerate(self.files)
                                               for i in range(len(file))])
        picked, self.order = self.order[:BATCH], self.order[BATCH:]
        records = np.stack([self.files[f][i] for f, i in picked])
        return augmented(self.normalise(pictures(records)), self.rng), labels(objects(records)[0])


def train(files, normalise, folder):
    """Trains on the files of each stage."""
    torch.manual_seed(1)
    net = Network().to(memory_format=torch.channels_last)
    decayed = [p for p in net.parameters() if p.dim() > 1]
    plain = [p for p in net.parameters() if p.dim() == 1]
    optimiser = torch.optim.AdamW([dict(params=decayed, weight_decay=WEIGHT_DECAY),
                                   dict(params=plain, weight_decay=0.0)], lr=PEAK_RATE)
    rng = np.random.default_rng(1)
    batches = [Batches(some, normalise, rng) for some in files]
    watched = draw_scenes(400, WATCH_SEED, 1)
    stages = [number for number, stage in enumerate(STAGES) for _ in range(stage['steps'])]
    smooth, started = None, time.time()
    for step, stage in enumerate(stages):
        rate = min(1, (step + 1) / WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * step / len(stages)))
        for group in optimiser.param_groups:
            group['lr'] = PEAK_RATE * rate
        x, target = batches[stage].next()
        with torch.autocast('cpu', torch.bfloat16):
            logits = net(x)
        # Cross entropy, less what it cannot fall below where a label is shared.
        floor = -(target * target.clamp_min(1e-9).log()).sum(1).mean()
        loss = -(target * F.log_softmax(logits.float(), 1)).sum(1).mean() - floor
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
        if (step + 1) % 50 == 0:
            print(f'step {step + 1} of {len(stages)}, {x.shape[-1]} pixels: loss {smooth:.3f}, '
                  f'{(time.time() - started) / 60:.1f} min', flush=True)
        if x.shape[-1] == SIZE and (step + 1) % 100 == 0:
            net.eval()
            print('  watched accuracy', accuracy(widened(net.folded()), normalise, watched), flush=True)
            torch.save(net.state_dict(), os.path.join(folder, 'checkpoint.pt'))
            net.train()
    return net.eval()


# ----------------------------------------------------------------------------- measuring


@torch.no_grad()
def accuracy(weights, normalise, records):
    """The share of one-object scenes whose class is the first answer."""
    pixels, (classes, _), right = pictures(records), objects(records), 0
    for i in range(0, len(pixels), 50):
        _, logits = run(weights, channels_last(normalise(pixels[i:i + 50])))
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
        shown = channels_last(x * mask[:, None])
        scores.append(run(weights, shown)[1].softmax(1))
    scores = torch.cat(scores)
    found = []
    for c in asked:
        cam = F.relu((scores[:, c, None, None] * up[kept]).sum(0))
        span = cam.max() - cam.min()
        found.append(((cam - cam.min()) / span if span > 0 else cam * 0).numpy())
    return found, logits[0].argsort(descending=True)[:2].tolist(), len(kept)


def pointing(weights, normalise, records):
    """Energy-based pointing game, each object of each scene asked for. Returns one row an object:
    share of energy in its box, in the other's box, share of area, hit (peak in the box)."""
    pixels, (classes, boxes) = pictures(records), objects(records)
    rows, top_two, channels = [], 0, []
    for i in range(len(pixels)):
        cams, top, kept = score_cam(weights, channels_last(normalise(pixels[i:i + 1])), classes[i])
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
    top1 = accuracy(weights, normalise, draw_scenes(singles, MEASURE_SEED, 1))
    print('accuracy', top1, flush=True)
    rows, top_two, channels = pointing(weights, normalise, draw_scenes(doubles, MEASURE_SEED, 2))
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
    records = draw_scenes(count, SAMPLE_SEED, 2)
    rows, _, _ = pointing(weights, normalise, records)
    classes, _ = objects(records)
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
    png(os.path.join(OUT, 'sample.png'), pictures(draw_scenes(1, seed, 2))[0])
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
    parser.add_argument('--threads', type=int, default=os.cpu_count())
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
        files = [training_scenes(options.folder, **stage) for stage in STAGES]
        normalise = Normaliser(*data_statistics(files[0]))
        print('mean', normalise.mean, 'std', normalise.std, flush=True)
        net = train(files, normalise, options.folder)
        weights = net.folded()
        export(weights, normalise, {}, options.sample_seed)
    ready = widened(weights)
    measured = measure(ready, normalise, options.singles, options.doubles)
    if options.sample_seed is None:
        options.sample_seed = choose_sample(ready, normalise, 60)
    export(weights, normalise, measured, options.sample_seed)


if __name__ == '__main__':
    main()
