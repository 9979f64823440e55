"""Small networks of MindSpore, in which each trap of its files is once."""

import numpy as np
from mindspore import Parameter, Tensor, nn, ops


class LeNet(nn.Cell):
    """The LeNet5 of MindSpore's tutorials, narrower."""

    def __init__(self, size=28, hidden=40):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, pad_mode="valid")
        self.conv2 = nn.Conv2d(6, 16, 5, pad_mode="valid")
        self.relu = nn.ReLU()
        self.max_pool2d = nn.MaxPool2d(kernel_size=2, stride=2)
        self.flatten = nn.Flatten()
        side = ((size - 4) // 2 - 4) // 2
        self.fc1, self.fc2, self.fc3 = nn.Dense(16 * side * side, hidden), nn.Dense(hidden, 24), nn.Dense(24, 10)

    def construct(self, image):
        x = self.max_pool2d(self.relu(self.conv1(image)))
        x = self.flatten(self.max_pool2d(self.relu(self.conv2(x))))
        return self.fc3(self.relu(self.fc2(self.relu(self.fc1(x)))))


def conv_bn(i, o, k, stride=1, group=1, act=None, pad_mode="pad"):
    conv = nn.Conv2d(i, o, k, stride, pad_mode=pad_mode, padding=(k - 1) // 2 if pad_mode == "pad" else 0, group=group)
    return nn.SequentialCell([conv, nn.BatchNorm2d(o), *([act()] if act else [])])


class MobileV1(nn.Cell):
    """pad_mode is left at its default, "same"."""

    def __init__(self):
        super().__init__()
        self.body = nn.SequentialCell(
            [
                conv_bn(3, 8, 3, 2, act=nn.ReLU, pad_mode="same"),
                conv_bn(8, 8, 3, 1, 8, nn.ReLU, "same"),
                conv_bn(8, 16, 1, act=nn.ReLU, pad_mode="same"),
                conv_bn(16, 16, 3, 2, 16, nn.ReLU, "same"),
                conv_bn(16, 32, 1, act=nn.ReLU, pad_mode="same"),
            ]
        )
        self.mean = ops.ReduceMean(keep_dims=True)
        self.fc = nn.Dense(32, 7)

    def construct(self, image):
        return self.fc(self.mean(self.body(image), (2, 3)).reshape(-1, 32))


class Inverted(nn.Cell):
    def __init__(self, i, o, stride, ratio, act=nn.ReLU6, k=3, se=False):
        super().__init__()
        h = i * ratio
        self.add = stride == 1 and i == o
        self.expand = conv_bn(i, h, 1, act=act)
        self.dw = conv_bn(h, h, k, stride, h, act)
        self.se = Squeeze(h) if se else nn.Identity()
        self.project = conv_bn(h, o, 1)

    def construct(self, x):
        y = self.project(self.se(self.dw(self.expand(x))))
        return x + y if self.add else y


class Squeeze(nn.Cell):
    def __init__(self, c):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.down, self.up = nn.Conv2d(c, c // 4, 1, has_bias=True), nn.Conv2d(c // 4, c, 1, has_bias=True)
        self.relu, self.gate = nn.ReLU(), nn.HSigmoid()

    def construct(self, x):
        return x * self.gate(self.up(self.relu(self.down(self.pool(x)))))


class MobileV2(nn.Cell):
    def __init__(self):
        super().__init__()
        self.features = nn.SequentialCell(
            [
                conv_bn(3, 8, 3, 2, act=nn.ReLU6),
                Inverted(8, 12, 2, 4),
                Inverted(12, 12, 1, 4),
                conv_bn(12, 32, 1, act=nn.ReLU6),
            ]
        )
        self.mean = ops.ReduceMean(keep_dims=False)
        self.head = nn.SequentialCell([nn.Dropout(p=0.2), nn.Dense(32, 10)])

    def construct(self, image):
        return self.head(self.mean(self.features(image), (2, 3)))


class MobileV3(nn.Cell):
    def __init__(self):
        super().__init__()
        self.stem = conv_bn(3, 8, 3, 2, act=nn.HSwish)
        self.blocks = nn.SequentialCell(
            [Inverted(8, 12, 2, 3, nn.ReLU, 3, True), Inverted(12, 12, 1, 3, nn.HSwish, 5, True)]
        )
        self.pool, self.flat = nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten()
        self.fc1, self.act, self.fc2 = nn.Dense(12, 32), nn.HSwish(), nn.Dense(32, 9)

    def construct(self, image):
        return self.fc2(self.act(self.fc1(self.flat(self.pool(self.blocks(self.stem(image)))))))


class Block(nn.Cell):
    def __init__(self, i, o, stride):
        super().__init__()
        self.conv1, self.conv2, self.relu = conv_bn(i, o, 3, stride, act=nn.ReLU), conv_bn(o, o, 3), nn.ReLU()
        self.down = conv_bn(i, o, 1, stride) if stride != 1 else nn.Identity()

    def construct(self, x):
        return self.relu(self.conv2(self.conv1(x)) + self.down(x))


class ResNet(nn.Cell):
    def __init__(self):
        super().__init__()
        self.stem, self.pool = conv_bn(3, 8, 7, 2, act=nn.ReLU), nn.MaxPool2d(3, 2, pad_mode="same")
        self.layer1, self.layer2 = Block(8, 8, 1), Block(8, 16, 2)
        self.avg, self.flat, self.fc = nn.AvgPool2d(8, 8), nn.Flatten(), nn.Dense(16, 6)

    def construct(self, image):
        return self.fc(self.flat(self.avg(self.layer2(self.layer1(self.pool(self.stem(image)))))))


class Table(nn.Cell):
    """Defaults that differ from torch: LeakyReLU 0.2, GELU in tanh form, LayerNorm epsilon 1e-7."""

    def __init__(self):
        super().__init__()
        self.net = nn.SequentialCell(
            [
                nn.Dense(13, 24),
                nn.BatchNorm1d(24),
                nn.LeakyReLU(),
                nn.Dropout(p=0.3),
                nn.Dense(24, 16, has_bias=False),
                nn.GELU(),
                nn.LayerNorm((16,)),
                nn.Dense(16, 8, activation="tanh"),
                nn.Dense(8, 3),
                nn.Softmax(),
            ]
        )

    def construct(self, table):
        return self.net(table)


class Recurrent(nn.Cell):
    def __init__(self, kind=nn.LSTM, layers=1, both=False):
        super().__init__()
        self.rnn = kind(5, 8, layers, batch_first=True, bidirectional=both)
        self.fc = nn.Dense(16 if both else 8, 4)

    def construct(self, steps):
        return self.fc(self.rnn(steps)[0][:, -1])


class Pools(nn.Cell):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.MaxPool2d(3, 2, pad_mode="same"), nn.AvgPool2d(3, 2, pad_mode="same")
        self.c, self.d = nn.MaxPool2d(3, 2, pad_mode="pad", padding=1), nn.AvgPool2d(3, 2, pad_mode="pad", padding=1)
        self.e, self.f = nn.AvgPool2d(3, 2, pad_mode="pad", padding=1, count_include_pad=False), nn.MaxPool2d(3)
        self.g, self.h = nn.AdaptiveAvgPool2d(3), nn.AvgPool2d(2, 2, pad_mode="pad", ceil_mode=True)

    def construct(self, x):
        return self.a(x), self.b(x), self.c(x), self.d(x), self.e(x), self.f(x), self.g(x), self.h(x)


class Pads(nn.Cell):
    """Four-sided padding is (top, bottom, left, right); the default pad_mode is "same"; dilation counts in "same"."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 6, 4, stride=2, has_bias=True)
        self.b = nn.Conv2d(6, 6, 3, dilation=2)
        self.c = nn.Conv2d(6, 8, 3, pad_mode="pad", padding=(1, 2, 0, 1), group=2, has_bias=True)
        self.d = nn.Conv2d(8, 8, 3, pad_mode="valid")
        self.relu = nn.ReLU()

    def construct(self, x):
        return self.d(self.relu(self.c(self.relu(self.b(self.relu(self.a(x)))))))


class Activations(nn.Cell):
    def __init__(self):
        super().__init__()
        names = ["ReLU", "ReLU6", "Sigmoid", "Tanh", "HSwish", "HSigmoid", "SiLU", "LeakyReLU", "GELU", "ELU", "LogSigmoid", "Mish"]
        self.acts = nn.CellList(
            [getattr(nn, n)() for n in names] + [nn.GELU(approximate=False), nn.LeakyReLU(0.05), nn.Softmax(axis=1)]
        )
        self.one, self.per = nn.PReLU(), nn.PReLU(6)

    def construct(self, x):
        parts = ()
        for act in self.acts:
            parts += (act(x),)
        parts += (
            self.one(x),
            self.per(x),
            ops.clamp(x, -0.5, 0.8),
            x * 2 + 1,
            1 - x / 3,
            ops.exp(x),
            ops.sqrt(ops.abs(x)),
            ops.pow(x, 2),
        )
        return ops.stack(parts, 1)


class Detector(nn.Cell):
    def __init__(self):
        super().__init__()
        self.c1, self.c2, self.c3 = (
            conv_bn(3, 8, 3, 2, act=nn.ReLU),
            conv_bn(8, 12, 3, 2, act=nn.SiLU),
            conv_bn(12, 16, 3, 2, act=nn.LeakyReLU),
        )
        self.lat2, self.lat3 = nn.Conv2d(12, 10, 1, has_bias=True), nn.Conv2d(16, 10, 1, has_bias=True)
        self.up = ops.ResizeNearestNeighbor((8, 8))
        self.smooth = conv_bn(20, 10, 3, act=nn.ReLU)
        self.box, self.score = nn.Conv2d(10, 8, 3, has_bias=True), nn.Conv2d(10, 6, 3, has_bias=True)
        self.sigmoid = nn.Sigmoid()

    def construct(self, image):
        c2 = self.c2(self.c1(image))
        p2 = self.smooth(ops.cat((self.lat2(c2), self.up(self.lat3(self.c3(c2)))), 1))
        p3 = ops.interpolate(p2, size=(4, 4), mode="bilinear", align_corners=False)
        boxes, scores = (), ()
        for p in (p2, p3):
            boxes += (ops.transpose(self.box(p), (0, 2, 3, 1)).reshape(image.shape[0], -1, 4),)
            scores += (ops.transpose(self.score(p), (0, 2, 3, 1)).reshape(image.shape[0], -1, 3),)
        return ops.cat(boxes, 1), self.sigmoid(ops.cat(scores, 1))


class UNet(nn.Cell):
    def __init__(self):
        super().__init__()
        self.down, self.mid = conv_bn(1, 8, 3, act=nn.ReLU), conv_bn(8, 16, 3, 2, act=nn.ReLU)
        self.up = nn.Conv2dTranspose(16, 8, 2, stride=2, has_bias=True)
        self.up3 = nn.Conv2dTranspose(16, 6, 3, stride=2, pad_mode="pad", padding=1, output_padding=1)
        self.out, self.softmax = nn.Conv2d(8, 2, 1, has_bias=True), nn.Softmax(axis=1)

    def construct(self, x):
        d = self.down(x)
        m = self.mid(d)
        return self.softmax(self.out(self.up(m) + d)), ops.interpolate(
            self.up3(m), size=(24, 24), mode="bilinear", align_corners=True
        )


class Vit(nn.Cell):
    def __init__(self, dim=16):
        super().__init__()
        self.patch = nn.Conv2d(3, dim, 8, 8, pad_mode="valid", has_bias=True)
        self.pos = Parameter(Tensor(np.zeros((1, 16, dim), "float32")), name="pos")
        self.norm1, self.norm2, self.norm = (
            nn.LayerNorm((dim,)),
            nn.LayerNorm((dim,), epsilon=1e-5),
            nn.LayerNorm((dim,)),
        )
        self.qkv, self.proj = nn.Dense(dim, 3 * dim), nn.Dense(dim, dim)
        self.fc1, self.fc2, self.head = nn.Dense(dim, 2 * dim), nn.Dense(2 * dim, dim), nn.Dense(dim, 5)
        self.gelu = nn.GELU(approximate=False)

    def construct(self, image):
        x = self.patch(image)
        x = ops.transpose(x.reshape(x.shape[0], 16, 16), (0, 2, 1)) + self.pos
        qkv = ops.transpose(self.qkv(self.norm1(x)).reshape(-1, 16, 3, 2, 8), (2, 0, 3, 1, 4))
        a = ops.softmax(ops.matmul(qkv[0], ops.transpose(qkv[1], (0, 1, 3, 2))) * 8**-0.5, -1)
        x = x + self.proj(ops.transpose(ops.matmul(a, qkv[2]), (0, 2, 1, 3)).reshape(-1, 16, 16))
        x = x + self.fc2(self.gelu(self.fc1(self.norm2(x))))
        return self.head(self.norm(x).mean(1))


class Words(nn.Cell):
    def __init__(self):
        super().__init__()
        self.table, self.fc = nn.Embedding(30, 8), nn.Dense(8, 3)

    def construct(self, words):
        return self.fc(self.table(words).mean(1))


class Branch(nn.Cell):
    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(6, 6)

    def construct(self, x):
        if x.sum() > 0:
            return self.fc(x)
        return x - 1


class Sorting(nn.Cell):
    def construct(self, x):
        return ops.sort(x)[0] + ops.erfinv(ops.tanh(x))
