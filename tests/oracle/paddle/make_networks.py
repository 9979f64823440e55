"""The small networks of make.py."""

import paddle
import paddle.nn as nn
import paddle.nn.functional as F

# -- small networks ----------------------------------------------------------------------------------------------------


class LeNet(nn.Layer):
    """paddle.vision's LeNet with narrower linear layers."""

    def __init__(self, size=28, classes=10, hidden=40):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2D(1, 6, 3, stride=1, padding=1), nn.ReLU(), nn.MaxPool2D(2, 2),
            nn.Conv2D(6, 16, 5, stride=1, padding=0), nn.ReLU(), nn.MaxPool2D(2, 2),
        )
        side = (size // 2 - 4) // 2
        self.fc = nn.Sequential(nn.Linear(16 * side * side, hidden), nn.Linear(hidden, 24), nn.Linear(24, classes))

    def forward(self, inputs):
        return self.fc(paddle.flatten(self.features(inputs), 1))


def conv_bn(i, o, k, stride=1, groups=1, act=None, padding=None):
    layers = [nn.Conv2D(i, o, k, stride, (k - 1) // 2 if padding is None else padding, groups=groups, bias_attr=False), nn.BatchNorm2D(o)]
    return nn.Sequential(*layers, *([act()] if act else []))


class MobileV1(nn.Layer):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            conv_bn(3, 8, 3, 2, act=nn.ReLU), conv_bn(8, 8, 3, 1, 8, nn.ReLU), conv_bn(8, 16, 1, act=nn.ReLU),
            conv_bn(16, 16, 3, 2, 16, nn.ReLU), conv_bn(16, 32, 1, act=nn.ReLU),
        )
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.fc = nn.Linear(32, 7)

    def forward(self, x):
        return self.fc(paddle.flatten(self.pool(self.body(x)), 1))


class MobileV2(nn.Layer):
    """Blocks of paddle.vision.models.mobilenetv2."""

    def __init__(self):
        super().__init__()
        from paddle.vision.models.mobilenetv2 import InvertedResidual
        self.features = nn.Sequential(
            conv_bn(3, 8, 3, 2, act=nn.ReLU6), InvertedResidual(8, 8, 1, 1), InvertedResidual(8, 12, 2, 6),
            InvertedResidual(12, 12, 1, 6), conv_bn(12, 32, 1, act=nn.ReLU6),
        )
        self.pool2d_avg = nn.AdaptiveAvgPool2D(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(32, 10))

    def forward(self, x):
        return self.classifier(paddle.flatten(self.pool2d_avg(self.features(x)), 1))


class MobileV3(nn.Layer):
    """Blocks of paddle.vision.models.mobilenetv3 (squeeze-excitation, hardswish, BatchNorm epsilon 0.001)."""

    def __init__(self, act="hardswish"):
        super().__init__()
        from functools import partial

        from paddle.vision.models.mobilenetv3 import InvertedResidual
        norm = partial(nn.BatchNorm2D, epsilon=0.001, momentum=0.99)
        layer = {"hardswish": nn.Hardswish, "relu": nn.ReLU}
        self.conv = conv_bn(3, 8, 3, 2, act=nn.Hardswish)
        self.blocks = nn.Sequential(
            InvertedResidual(8, 16, 8, 3, 2, True, layer["relu"], norm),
            InvertedResidual(8, 24, 12, 5, 2, True, layer[act], norm),
            InvertedResidual(12, 32, 12, 5, 1, True, layer[act], norm),
        )
        self.avgpool = nn.AdaptiveAvgPool2D(1)
        self.classifier = nn.Sequential(nn.Linear(12, 48), nn.Hardswish(), nn.Dropout(p=0.2), nn.Linear(48, 9))

    def forward(self, x):
        return self.classifier(paddle.flatten(self.avgpool(self.blocks(self.conv(x))), 1))


class ResNet(nn.Layer):
    """BasicBlocks of paddle.vision.models.resnet."""

    def __init__(self):
        super().__init__()
        from paddle.vision.models.resnet import BasicBlock
        self.conv1, self.bn1 = nn.Conv2D(3, 8, 7, 2, 3, bias_attr=False), nn.BatchNorm2D(8)
        self.relu, self.maxpool = nn.ReLU(), nn.MaxPool2D(3, 2, 1)
        down = nn.Sequential(nn.Conv2D(8, 16, 1, 2, bias_attr=False), nn.BatchNorm2D(16))
        self.layer1, self.layer2 = BasicBlock(8, 8), BasicBlock(8, 16, 2, down)
        self.avgpool, self.fc = nn.AdaptiveAvgPool2D((1, 1)), nn.Linear(16, 6)

    def forward(self, x):
        x = self.layer2(self.layer1(self.maxpool(self.relu(self.bn1(self.conv1(x))))))
        return self.fc(paddle.flatten(self.avgpool(x), 1))


class Table(nn.Layer):
    """An MLP for tables whose dropout is of the kind that scales at inference."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(13, 24), nn.BatchNorm1D(24), nn.ReLU(), nn.Dropout(0.3, mode="downscale_in_infer"),
            nn.Linear(24, 16, bias_attr=False), nn.Tanh(), nn.Dropout(0.5), nn.Linear(16, 3),
        )

    def forward(self, table):
        return F.softmax(self.net(table))


class Recurrent(nn.Layer):
    def __init__(self, kind, layers=2, direction="bidirect"):
        super().__init__()
        self.rnn = getattr(nn, kind)(5, 8, layers, direction=direction)
        self.fc = nn.Linear(16 if direction == "bidirect" else 8, 4)

    def forward(self, steps):
        return self.fc(self.rnn(steps)[0][:, -1])


class Shuffle(nn.Layer):
    """Blocks of paddle.vision.models.shufflenetv2 (split, concat, channel shuffle by reshape and transpose)."""

    def __init__(self):
        super().__init__()
        from paddle.vision.models.shufflenetv2 import InvertedResidual, InvertedResidualDS
        self.conv = conv_bn(3, 8, 3, 2, act=nn.ReLU)
        self.pool = nn.MaxPool2D(3, 2, 1)
        self.blocks = nn.Sequential(InvertedResidualDS(8, 16, 2, nn.ReLU), InvertedResidual(16, 16, 1, nn.ReLU))
        self.fc = nn.Linear(16, 5)

    def forward(self, x):
        x = self.blocks(self.pool(self.conv(x)))
        return self.fc(paddle.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class LCBlock(nn.Layer):
    def __init__(self, i, o, k, stride, se):
        super().__init__()
        self.dw = conv_bn(i, i, k, stride, i, nn.Hardswish)
        self.se = se
        if se:
            self.avg, self.down, self.up = nn.AdaptiveAvgPool2D(1), nn.Conv2D(i, i // 4, 1), nn.Conv2D(i // 4, i, 1)
        self.pw = conv_bn(i, o, 1, act=nn.Hardswish)

    def forward(self, x):
        x = self.dw(x)
        if self.se:
            x = paddle.multiply(x, F.hardsigmoid(self.up(F.relu(self.down(self.avg(x))))))
        return self.pw(x)


class LCNet(nn.Layer):
    """PP-LCNet in small: the last 1×1 convolution comes after the pooling."""

    def __init__(self):
        super().__init__()
        self.conv1 = conv_bn(3, 8, 3, 2, act=nn.Hardswish)
        self.blocks = nn.Sequential(LCBlock(8, 16, 3, 1, False), LCBlock(16, 24, 3, 2, False), LCBlock(24, 24, 5, 1, True))
        self.last_conv = nn.Conv2D(24, 64, 1, bias_attr=False)
        self.fc = nn.Linear(64, 8)

    def forward(self, x):
        x = F.adaptive_avg_pool2d(self.blocks(self.conv1(x)), 1)
        x = F.dropout(F.hardswish(self.last_conv(x)), p=0.2, training=self.training)
        return F.softmax(self.fc(paddle.flatten(x, start_axis=1, stop_axis=-1)))


class Detector(nn.Layer):
    """A feature pyramid with two heads; two outputs (boxes, scores)."""

    def __init__(self):
        super().__init__()
        self.c1, self.c2, self.c3 = conv_bn(3, 8, 3, 2, act=nn.ReLU), conv_bn(8, 12, 3, 2, act=nn.Swish), conv_bn(12, 16, 3, 2, act=nn.LeakyReLU)
        self.lat2, self.lat3 = nn.Conv2D(12, 10, 1), nn.Conv2D(16, 10, 1)
        self.smooth = conv_bn(20, 10, 3, act=nn.Silu)
        self.box, self.score = nn.Conv2D(10, 8, 3, padding=1), nn.Conv2D(10, 6, 3, padding=1)

    def forward(self, image):
        c2 = self.c2(self.c1(image))
        c3 = self.c3(c2)
        up = F.interpolate(self.lat3(c3), scale_factor=2, mode="nearest")
        p2 = self.smooth(paddle.concat([self.lat2(c2), up], axis=1))
        p3 = F.interpolate(p2, scale_factor=0.5, mode="bilinear", align_corners=False)
        boxes, scores = [], []
        for p in (p2, p3):
            n = p.shape[2] * p.shape[3]
            boxes.append(paddle.reshape(paddle.transpose(self.box(p), [0, 2, 3, 1]), [-1, n * 2, 4]))
            scores.append(paddle.reshape(paddle.transpose(self.score(p), [0, 2, 3, 1]), [-1, n * 2, 3]))
        return paddle.concat(boxes, axis=1), F.sigmoid(paddle.concat(scores, axis=1))


class Same(nn.Layer):
    """padding="SAME": surplus at the end; with SAME Paddle ignores the dilation. Also four-sided paddings."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2D(3, 6, 4, stride=2, padding="SAME")
        self.b = nn.Conv2D(6, 6, 3, padding="SAME", dilation=2)
        self.c = nn.Conv2D(6, 8, 3, padding=[1, 2, 0, 1], groups=2)
        self.d = nn.Conv2D(8, 8, 3, padding="VALID", dilation=2)

    def forward(self, x):
        x = F.relu(self.b(F.relu(self.a(x))))
        x = F.max_pool2d(F.relu(self.c(x)), 3, 2, padding="SAME")
        return self.d(x)


class Pools(nn.Layer):
    """Ceil mode, padding counted or not, adaptive windows of unequal size; several outputs."""

    def forward(self, x):
        return (
            F.max_pool2d(x, 3, 2, ceil_mode=True), F.avg_pool2d(x, 3, 2, 1, exclusive=True), F.avg_pool2d(x, 3, 2, 1, exclusive=False),
            F.avg_pool2d(x, 2, 2, 0, ceil_mode=True), F.adaptive_avg_pool2d(x, 3), F.adaptive_max_pool2d(x, 1),
            F.avg_pool2d(x, [2, 3], [1, 2], [1, 1]), F.max_pool2d(x, 2, 2, [0, 1, 1, 0]),
        )


class Activations(nn.Layer):
    def __init__(self):
        super().__init__()
        self.one, self.per = nn.PReLU(), nn.PReLU(6)

    def forward(self, x):
        parts = [
            F.relu(x), F.relu6(x), F.sigmoid(x), F.tanh(x), F.hardsigmoid(x), F.hardswish(x), F.swish(x), F.silu(x), F.mish(x),
            F.gelu(x), F.gelu(x, approximate=True), F.leaky_relu(x), F.leaky_relu(x, 0.2), F.elu(x, 0.7), F.softplus(x),
            F.hardsigmoid(x, slope=0.2, offset=0.4), F.hardtanh(x), self.one(x), self.per(x), paddle.clip(x, min=-0.5), x * 2 + 1, 1 - x / 3,
            paddle.exp(x), paddle.abs(x), paddle.sqrt(paddle.abs(x)), paddle.pow(x, 2.0),
        ]
        return paddle.stack(parts, axis=1)


class Twelve(nn.Layer):
    """Twelve convolutions of one shape: `conv2d_10` sorts before `conv2d_2` in the parameter file."""

    def __init__(self):
        super().__init__()
        self.convs = nn.LayerList([nn.Conv2D(4, 4, 3, padding=1) for _ in range(12)])
        self.unused = nn.Linear(4, 4)

    def forward(self, x):
        for i, conv in enumerate(self.convs):
            x = F.relu(conv(x)) + x if i % 2 else F.leaky_relu(conv(x), 0.3)
        return paddle.mean(x, axis=[2, 3])


class UNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self.down, self.mid = conv_bn(1, 8, 3, 1, act=nn.ReLU), conv_bn(8, 16, 3, 2, act=nn.ReLU)
        self.up = nn.Conv2DTranspose(16, 8, 2, stride=2)
        self.up3 = nn.Conv2DTranspose(16, 6, 3, stride=2, padding=1, output_padding=1, bias_attr=False)
        self.out = nn.Conv2D(8, 2, 1)

    def forward(self, x):
        d = self.down(x)
        m = self.mid(d)
        up3 = F.interpolate(self.up3(m), size=[16, 16], mode="bilinear", align_corners=True)
        both = self.up(m) + d
        return F.softmax(self.out(both), axis=1), up3


class Vit(nn.Layer):
    def __init__(self, dim=16):
        super().__init__()
        self.patch = nn.Conv2D(3, dim, 8, 8)
        self.pos = self.create_parameter([1, 16, dim])
        self.norm1, self.norm2, self.norm = nn.LayerNorm(dim), nn.LayerNorm(dim, epsilon=1e-6), nn.LayerNorm(dim)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.fc1, self.fc2, self.head = nn.Linear(dim, 2 * dim), nn.Linear(2 * dim, dim), nn.Linear(dim, 5)

    def forward(self, x):
        x = paddle.transpose(paddle.flatten(self.patch(x), 2), [0, 2, 1]) + self.pos
        q, k, v = paddle.unstack(paddle.transpose(paddle.reshape(self.qkv(self.norm1(x)), [-1, 16, 3, 2, 8]), [2, 0, 3, 1, 4]))
        a = F.softmax(paddle.matmul(q, k, transpose_y=True) * 8**-0.5)
        x = x + self.proj(paddle.reshape(paddle.transpose(paddle.matmul(a, v), [0, 2, 1, 3]), [-1, 16, 16]))
        x = x + self.fc2(F.gelu(self.fc1(self.norm2(x))))
        return self.head(self.norm(x).mean(1))


class Words(nn.Layer):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(30, 8, padding_idx=0)
        self.fc = nn.Linear(8, 3)

    def forward(self, words):
        return self.fc(paddle.max(self.table(words), axis=1))


class Branch(nn.Layer):
    """Control flow that depends on the data."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 6)

    def forward(self, x):
        if x.sum() > 0:
            x = self.fc(x)
        else:
            x = x - 1
        return x


class Loop(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 6)

    def forward(self, x):
        i = paddle.zeros([1], "int32")
        while i < paddle.shape(x)[0].astype("int32"):
            x = F.tanh(self.fc(x))
            i = i + 1
        return x


class Fourier(nn.Layer):
    def forward(self, x):
        return paddle.abs(paddle.fft.rfft(x))
