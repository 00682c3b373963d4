"""Parts of an exported PyTorch file that are the same for every network; a file holds those that it needs."""

from __future__ import annotations

SPIKE = '''
class Spike(torch.autograd.Function):
    """1 where x is at least 0 (strict: above 0); its gradient is a smooth stand-in."""

    @staticmethod
    def forward(ctx, x, derivative, alpha, strict):
        ctx.save_for_backward(x)
        ctx.derivative, ctx.alpha = derivative, alpha
        return ((x > 0) if strict else (x >= 0)).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * ctx.derivative(x, ctx.alpha), None, None, None


def spike(x, derivative, alpha, strict):
    if torch.is_grad_enabled():
        return Spike.apply(x, derivative, alpha, strict)
    return ((x > 0) if strict else (x >= 0)).to(x.dtype)
'''

FIT = '''
def fit(x, steps):
    """Cut or fill with silence to so many steps."""
    return x[:steps] if len(x) >= steps else torch.cat([x, x.new_zeros(steps - len(x), *x.shape[1:])])
'''

RESHAPE = '''
def reshape(x, rank, shape):
    """Give the last ``rank`` axes another shape."""
    return x.reshape(*x.shape[: x.ndim - rank], *shape)
'''

CONV = '''
def conv(x, weight, stride, padding, exact):
    """Cross-correlation; exact: summed in double precision and rounded once."""
    rank = weight.ndim - 2
    function = {1: F.conv1d, 2: F.conv2d}[rank]
    flat = x.reshape(-1, *x.shape[-rank - 1 :])
    if exact:
        y = function(flat.double(), weight.double(), stride=stride, padding=padding).to(x.dtype)
    else:
        y = function(flat, weight, stride=stride, padding=padding)
    return y.reshape(*x.shape[: x.ndim - rank - 1], *y.shape[1:])
'''

POOL = '''
def pool(x, window, rank, mode):
    """Sum, mean or largest of windows of the last ``rank`` axes that do not overlap."""
    average, largest = {1: (F.avg_pool1d, F.max_pool1d), 2: (F.avg_pool2d, F.max_pool2d)}[rank]
    flat = x.reshape(-1, 1, *x.shape[x.ndim - rank :])
    y = largest(flat, window) if mode == "max" else average(flat, window)
    return (y * window**rank if mode == "sum" else y).reshape(*x.shape[: x.ndim - rank], *y.shape[2:])
'''

BATCH_NORM = '''
def batch_norm(x, gamma, beta, mean, var, eps, momentum, rank, training):
    """Normalise per channel over time, batch and space; training follows the statistics in mean and var."""
    if not training:
        shape = (-1, *[1] * (rank - 1))
        scale = gamma / torch.sqrt(var + eps)
        return (x - mean.reshape(shape)) * scale.reshape(shape) + beta.reshape(shape)
    flat = x.reshape(-1, *x.shape[x.ndim - rank :])
    return F.batch_norm(flat, mean, var, gamma, beta, True, momentum, eps).reshape(x.shape)
'''

NEURONS = '''
class Neurons(nn.Module):
    """Something with state.  ``first``: the state before the first step; ``shape``: of the state."""

    def begin(self, batch, device=None):
        blank = torch.zeros(batch, *self.shape, device=device)
        return {name: blank + value for name, value in self.first().items()}

    def forward(self, state, *signals):
        """Signals [time, batch, *shape] step by step: the state afterwards, and the outputs over time."""
        found = []
        for columns in zip(*(signal.unbind(0) for signal in signals)):
            state, outputs = self.step(state, *columns)
            found.append(outputs)
        return state, {name: torch.stack([outputs[name] for outputs in found]) for name in found[0]}
'''

PROJECTION = '''
class Projection(nn.Module):
    """Weights.  In evaluation sums are taken in double precision and rounded once."""

    def linear(self, x, weight):
        if self.training:
            return F.linear(x, weight)
        return F.linear(x.double(), weight.double()).to(x.dtype)

    def forward(self, x):
        return self.sums(x)
'''

SPARSE = '''
    def sparse(self, x, weight, pre, post, targets):
        """Synapse k joins source pre[k] to target post[k]."""
        exact = weight if self.training else weight.double()
        blank = torch.zeros(x.shape[1], targets, dtype=exact.dtype, device=x.device)
        sums = [blank.index_add(-1, post, column[:, pre] * exact) for column in x]
        return torch.stack(sums).to(x.dtype)
'''

DELAYED = '''
class Delayed(Projection):
    """Weights and delays.  ``low..high``: steps; ``sigma``: width of the taps in training.

    The past, [high, batch, ...], is what the delays have still to let through.
    """

    lag = 0  # steps besides the delays
    sigma = None

    def begin(self, batch, device=None):
        return torch.zeros(self.high, batch, *self.past_shape, device=device)

    def forward(self, x, past):
        """The current [time, batch, *shape], and the past to go on from."""
        line = torch.cat([past, self.enter(x)])
        return self.leave(line), line[len(line) - self.high :]

    def ahead(self, past):
        """The current of the next step, which only the past decides."""
        return self.leave(torch.cat([past, torch.zeros_like(past[:1])]))[0]

    def remember(self, x, past):
        """The past one step on, x [batch, ...] being what arrived."""
        return torch.cat([past, self.enter(x[None])])[1:]

    def enter(self, x):
        return x

    def width(self):
        """Sigma in training; in evaluation delays are whole steps."""
        return self.sigma if self.training else None


def taps(delay, low, high, sigma):
    """How much of a signal arrives after low..high steps: [taps, *delay.shape], each column of mass 1.

    A Gaussian around the delay, of width sigma + 0.27 (DCLS: Hammouamri, Khalfaoui-Hassani & Masquelier,
    ICLR 2024, arXiv 2306.17670); without sigma, one tap at the delay in whole steps.
    """
    steps = torch.arange(low, high + 1, dtype=delay.dtype, device=delay.device).reshape(-1, *[1] * delay.ndim)
    if sigma is None:
        return (steps == whole(delay, low, high)).to(delay.dtype)
    gauss = (-0.5 * ((steps - delay) / (abs(sigma) + 0.27)) ** 2).clamp(min=-70).exp()
    return gauss / (gauss.sum(0) + 1e-7)


def whole(delay, low, high):
    """Delays in whole steps."""
    return delay.detach().clamp(low, high).round()
'''

CONVOLVED = '''
def convolved(line, kernel, high):
    """y[t, b, o] = sum over taps k and sources i of kernel[k, o, i] x[t - k, b, i]."""
    y = F.conv1d(line.permute(1, 2, 0), kernel.flip(0).permute(1, 2, 0))
    return y.permute(2, 0, 1)[: len(line) - high]
'''

SYNAPTIC = '''
class SynapticDelays(Delayed):
    """A delay for every synapse."""

    def leave(self, line):
        return self.sums(line)

    def linear(self, line, weight):
        delay, sources = self.delay + self.lag, line.shape[-1]
        if self.training:
            return convolved(line, weight * taps(delay, self.low, self.high, self.sigma), self.high)
        # every synapse reads its own step of the past: a row of the table of the last steps
        rows = (self.high - whole(delay, self.low, self.high).long()) * sources
        rows = rows + torch.arange(sources, device=line.device)
        exact, sums = weight.double(), []
        table = line.double().transpose(1, 2)
        for t in range(len(line) - self.high):
            window = table[t : t + self.high + 1].flatten(0, 1)
            sums.append(F.embedding_bag(rows, window, per_sample_weights=exact, mode="sum").T)
        return torch.stack(sums).to(line.dtype)
'''

SPARSE_SYNAPTIC = '''
class SparseSynapticDelays(Delayed):
    """A delay for every one of the synapses that there are."""

    def leave(self, line):
        return self.sums(line)

    def sparse(self, line, weight, pre, post, targets):
        delay = self.delay + self.lag
        if self.width() is not None:
            blank = weight.new_zeros(targets, line.shape[-1])
            full, late = blank.index_put((post, pre), weight), blank.index_put((post, pre), delay)
            return convolved(line, full * taps(late, self.low, self.high, self.sigma), self.high)
        exact = weight if self.training else weight.double()
        rows = self.high - whole(delay, self.low, self.high).long()
        blank = torch.zeros(targets, line.shape[1], dtype=exact.dtype, device=line.device)
        sums = []
        for t in range(len(line) - self.high):
            arriving = line[t : t + self.high + 1][rows, :, pre]
            sums.append(blank.index_add(0, post, arriving * exact[:, None]).T)
        return torch.stack(sums).to(line.dtype)
'''

LATE = '''
def late(line, delay, low, high, sigma):
    """Every channel of a line, which begins ``high`` steps before the present, by its own delay."""
    part, steps = taps(delay, low, high, sigma), len(line) - high
    return sum(part[k - low] * line[high - k : high - k + steps] for k in range(low, high + 1))
'''

BEFORE = '''
class DelayBefore(Delayed):
    """A delay for every source, or one for all, before the sum."""

    def leave(self, line):
        return self.sums(late(line, self.delay + self.lag, self.low, self.high, self.width()))
'''

AFTER = '''
class DelayAfter(Delayed):
    """A delay for every target, after the sum."""

    def enter(self, x):
        return self.sums(x)

    def leave(self, line):
        return late(line, self.delay + self.lag, self.low, self.high, self.width())
'''

LOSSES = {
    "loss.cross_entropy": '''
def cross_entropy(prediction, label, over):
    """-log softmax(prediction)[label] in nats, of the last step or the mean over all or labelled ones."""
    if label.ndim == 3:
        steps = min(len(label), len(prediction))
        nats = -(torch.log_softmax(prediction[:steps], -1) * label[:steps]).sum(-1).sum(0)
        return nats / label[:steps].sum(-1).sum(0).clamp(min=1)
    scores = prediction[-1:] if over == "last" else prediction
    return -(torch.log_softmax(scores, -1) * label).sum(-1).sum(0) / len(scores)
''',
    "loss.rate_mse": '''
def rate_mse(prediction, label, rate_right, rate_wrong):
    """Mean over classes of ((r - target) / rate_right)^2, r the firing rate in Hz."""
    rate = prediction.sum(0) / (len(prediction) * DT / 1000)
    target = rate_wrong + (rate_right - rate_wrong) * label
    return (((rate - target) / rate_right) ** 2).sum(-1) / label.shape[-1]
''',
    "loss.spike_rate": '''
def spike_rate(spikes, low, high, per):
    """Squared distance in Hz of the firing rate, of all neurons together or of each, from low..high."""
    rate = (spikes.sum(0) / (len(spikes) * DT / 1000)).flatten(1)
    rate = rate.mean(1, keepdim=True) if per == "population" else rate
    return (F.relu(low - rate) ** 2 + F.relu(rate - high) ** 2).mean(1)
''',
}

SCHEDULES = {
    "constant": """
def constant(epoch, epochs, lr, peak):
    return lr
""",
    "cosine": """
def cosine(epoch, epochs, lr, peak):
    return lr * (1 + math.cos(math.pi * epoch / epochs)) / 2
""",
    "exponential": '''
def exponential(epoch, epochs, lr, peak):
    """A straight fall on a logarithmic scale to a hundredth."""
    return lr * 100.0 ** (-epoch / epochs)
''',
    "onecycle": '''
def onecycle(epoch, epochs, lr, peak):
    """From peak/25 to peak over 30 % of the epochs, then down to peak/250 000 (Smith & Topin 2018)."""
    rise, last = 0.3 * epochs - 1, epochs - 1
    if last == 0:
        return peak
    if epoch <= rise:
        return between(peak / 25, peak, epoch / rise)
    return between(peak, peak / 250_000, (epoch - rise) / (last - rise))


def onecycle_beta(epoch, epochs):
    """Adam's first beta moves the other way."""
    rise, last = 0.3 * epochs - 1, epochs - 1
    if last == 0:
        return 0.85
    if epoch <= rise:
        return between(0.95, 0.85, epoch / rise)
    return between(0.85, 0.95, (epoch - rise) / (last - rise))


def between(start, end, part):
    """Half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2
''',
}

BETA = """
            if schedule is onecycle:
                group["betas"] = (onecycle_beta(epoch, epochs), group["betas"][1])"""

TRAIN = '''
def train(network, batches, epochs=RECIPE["epochs"]):
    """Learn from batches, a list of (inputs, label), and give the mean loss after every epoch.

    inputs: a dictionary of signals [time, batch, *shape]; label: class numbers [batch], or one-hot
    [batch, classes], or [time, batch, classes] where every step has its own.
    """
    optimiser = OPTIMISER(network.groups(), lr=RECIPE["lr"])
    network.train()
    for epoch in range(epochs):
        network.set_epoch(epoch, epochs)
        for group in optimiser.param_groups:
            schedule, lr, peak = RATES[group["name"]]
            group["lr"] = schedule(epoch, epochs, lr, peak){beta}
        total = count = 0
        for number, (inputs, label) in enumerate(batches, 1):
            outputs, _ = network(**inputs)
            each = network.loss(outputs, label)
            (each.mean() / RECIPE["accumulate"]).backward()
            if number % RECIPE["accumulate"] == 0 or number == len(batches):
                if RECIPE["clip"]:
                    nn.utils.clip_grad_norm_(network.parameters(), RECIPE["clip"])
                optimiser.step()
                optimiser.zero_grad()
                network.clamp()
            total, count = total + float(each.detach().sum()), count + len(each)
        yield total / count
'''

MAIN = '''
def load(folder=None):
    """The network with the weights beside this file, in evaluation; ``.train()`` to go on learning."""
    network = Network()
    path = (Path(folder) if folder else Path(__file__).parent) / "weights.npz"
    with np.load(path) as arrays:
        network.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays.files})
    return network.eval()


def save(network, folder):
    """Keep the weights as ``load`` reads them."""
    arrays = {name: x.cpu().numpy() for name, x in network.state_dict().items()}
    np.savez(Path(folder) / "weights.npz", **arrays)


if __name__ == "__main__":  # python network.py INPUTS.npz OUTPUTS.npz: signals [time, batch, *shape] by name
    with np.load(sys.argv[1]) as given, torch.no_grad():
        signals = {name: torch.from_numpy(given[name]) for name in given.files}
        outputs, _ = load().stream(**signals)
    np.savez(sys.argv[2], **{name: x.numpy() for name, x in outputs.items()})
'''
