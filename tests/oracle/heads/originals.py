"""The networks of mmcls, as small as they go, in plain torch."""

import torch
from torch import nn
from torch.nn import functional as F

ACTS = {
    "ReLU": nn.ReLU,
    "ReLU6": nn.ReLU6,
    "LeakyReLU": nn.LeakyReLU,
    "HSwish": nn.Hardswish,
    "SiLU": nn.SiLU,
    "Swish": nn.SiLU,
    "GELU": nn.GELU,
    "ELU": nn.ELU,
    "Tanh": nn.Tanh,
}


def act(cfg):
    """mmcv's build_activation_layer."""
    return ACTS[cfg["type"]](**{key: value for key, value in cfg.items() if key != "type"})


def bn(channels, norm_cfg):
    """mmcv's build_norm_layer, whose eps is 1e-5 where it is not said."""
    return nn.BatchNorm2d(channels, eps=norm_cfg.get("eps", 1e-5))


class ConvModule(nn.Module):
    """Convolution without a bias, BatchNorm, activation."""

    def __init__(self, c_in, c_out, kernel, stride=1, groups=1, norm_cfg=None, act_cfg=None):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = bn(c_out, norm_cfg or {})
        self.activate = act(act_cfg) if act_cfg else nn.Identity()

    def forward(self, x):
        return self.activate(self.bn(self.conv(x)))


class Block(nn.Module):
    """BasicBlock or Bottleneck of ResNet, ResNeXt and RegNet."""

    def __init__(self, c_in, c_out, mid, stride, dilation, norm_cfg, style, groups, bottleneck):
        super().__init__()
        if bottleneck:
            one, two = (1, stride) if style == "pytorch" else (stride, 1)
            self.conv1 = nn.Conv2d(c_in, mid, 1, one, bias=False)
            self.conv2 = nn.Conv2d(mid, mid, 3, two, dilation, dilation, groups=groups, bias=False)
            self.conv3 = nn.Conv2d(mid, c_out, 1, bias=False)
            self.bn3 = bn(c_out, norm_cfg)
        else:
            self.conv1 = nn.Conv2d(c_in, mid, 3, stride, dilation, dilation, bias=False)
            self.conv2 = nn.Conv2d(mid, c_out, 3, 1, 1, bias=False)
        self.bn1, self.bn2 = bn(mid, norm_cfg), bn(mid, norm_cfg)
        self.bottleneck = bottleneck
        self.downsample = None
        if stride != 1 or c_in != c_out:
            self.downsample = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), bn(c_out, norm_cfg))

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.bottleneck:
            out = self.bn3(self.conv3(F.relu(out)))
        return F.relu(out + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """Four stages of blocks; `kind` RegNet has a 3x3 stem of stride 2 and no pooling."""

    def __init__(self, cfg):
        super().__init__()
        regnet, norm_cfg = cfg["type"] == "RegNet", cfg.get("norm_cfg", {})
        stem, blocks = cfg.get("stem_channels", 64), cfg["_blocks"]
        strides = cfg.get("strides", (2 if regnet else 1, 2, 2, 2))
        dilations = cfg.get("dilations", (1, 1, 1, 1))
        self.conv1 = nn.Conv2d(cfg.get("in_channels", 3), stem, 3 if regnet else 7, 2, 1 if regnet else 3, bias=False)
        self.bn1, self.pool = bn(stem, norm_cfg), not regnet
        c_in = stem
        for i, (count, c_out, mid, groups) in enumerate(blocks):
            layers = []
            for j in range(count):
                stride = strides[i] if j == 0 else 1
                layers.append(
                    Block(
                        c_in,
                        c_out,
                        mid,
                        stride,
                        dilations[i],
                        norm_cfg,
                        cfg.get("style", "pytorch"),
                        groups,
                        cfg["_bottleneck"],
                    )
                )
                c_in = c_out
            setattr(self, f"layer{i + 1}", nn.Sequential(*layers))

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.max_pool2d(x, 3, 2, 1) if self.pool else x
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


def divisible(value):
    """mmpretrain's make_divisible with a divisor of 8."""
    new = max(8, int(value + 4) // 8 * 8)
    return new + 8 if new < 0.9 * value else new


class InvertedResidual(nn.Module):
    """MobileNetV2's."""

    def __init__(self, c_in, c_out, stride, expand, style):
        super().__init__()
        wide, layers = c_in * expand, []
        if expand != 1:
            layers.append(ConvModule(c_in, wide, 1, **style))
        layers.append(ConvModule(wide, wide, 3, stride, wide, **style))
        layers.append(ConvModule(wide, c_out, 1, norm_cfg=style["norm_cfg"]))
        self.conv, self.shortcut = nn.Sequential(*layers), stride == 1 and c_in == c_out

    def forward(self, x):
        return x + self.conv(x) if self.shortcut else self.conv(x)


class MobileNetV2(nn.Module):
    """arch_settings: expand_ratio, channel, num_blocks, stride."""

    def __init__(self, cfg):
        super().__init__()
        width = cfg["widen_factor"]
        style = {"norm_cfg": cfg.get("norm_cfg", {}), "act_cfg": cfg.get("act_cfg", {"type": "ReLU6"})}
        c_in = divisible(32 * width)
        self.conv1 = ConvModule(cfg.get("in_channels", 3), c_in, 3, 2, **style)
        settings = [
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        ]
        for i, (expand, channel, count, stride) in enumerate(settings):
            layers, c_out = [], divisible(channel * width)
            for j in range(count):
                layers.append(InvertedResidual(c_in, c_out, stride if j == 0 else 1, expand, style))
                c_in = c_out
            setattr(self, f"layer{i + 1}", nn.Sequential(*layers))
        self.conv2 = ConvModule(c_in, 1280, 1, **style)

    def forward(self, x):
        x = self.conv1(x)
        for i in range(1, 8):
            x = getattr(self, f"layer{i}")(x)
        return self.conv2(x)


class MobileNetV3(nn.Module):
    """The small one at half width; its norm_cfg has eps 1e-3 unless another one is given."""

    BLOCKS = (
        (3, 16, 8, True, "ReLU", 2),
        (3, 40, 16, False, "ReLU", 2),
        (3, 56, 16, False, "ReLU", 1),
        (5, 64, 24, True, "HSwish", 2),
        (5, 144, 24, True, "HSwish", 1),
        (5, 144, 24, True, "HSwish", 1),
        (5, 72, 24, True, "HSwish", 1),
        (5, 72, 24, True, "HSwish", 1),
        (5, 144, 48, True, "HSwish", 2),
        (5, 288, 48, True, "HSwish", 1),
        (5, 288, 48, True, "HSwish", 1),
    )

    def __init__(self, cfg):
        super().__init__()
        norm_cfg, hswish = cfg.get("norm_cfg", {"eps": 1e-3}), {"type": "HSwish"}
        self.layer0 = ConvModule(3, 16, 3, 2, norm_cfg=norm_cfg, act_cfg=hswish)
        c_in = 16
        for i, (kernel, mid, c_out, se, kind, stride) in enumerate(self.BLOCKS, start=1):
            setattr(self, f"layer{i}", V3Block(c_in, mid, c_out, kernel, stride, se, kind, norm_cfg))
            c_in = c_out
        self.layer12 = ConvModule(c_in, 288, 1, norm_cfg=norm_cfg, act_cfg=hswish)

    def forward(self, x):
        for i in range(13):
            x = getattr(self, f"layer{i}")(x)
        return x


class V3Block(nn.Module):
    """MobileNetV3's inverted residual with squeeze-and-excitation (ratio 4, HSigmoid of bias 3 and divisor 6)."""

    def __init__(self, c_in, mid, c_out, kernel, stride, se, kind, norm_cfg):
        super().__init__()
        style = {"norm_cfg": norm_cfg, "act_cfg": {"type": kind}}
        self.shortcut = stride == 1 and c_in == c_out
        if mid != c_in:
            self.expand_conv = ConvModule(c_in, mid, 1, **style)
        self.depthwise_conv = ConvModule(mid, mid, kernel, stride, mid, **style)
        if se:
            self.se = nn.Module()
            self.se.conv1, self.se.conv2 = nn.Module(), nn.Module()
            self.se.conv1.conv = nn.Conv2d(mid, divisible(mid // 4), 1)
            self.se.conv2.conv = nn.Conv2d(divisible(mid // 4), mid, 1)
        self.linear_conv = ConvModule(mid, c_out, 1, norm_cfg=norm_cfg)

    def forward(self, x):
        y = self.depthwise_conv(self.expand_conv(x) if hasattr(self, "expand_conv") else x)
        if hasattr(self, "se"):
            gate = F.relu(self.se.conv1.conv(F.adaptive_avg_pool2d(y, 1)))
            y = y * F.hardsigmoid(self.se.conv2.conv(gate))
        y = self.linear_conv(y)
        return x + y if self.shortcut else y


BACKBONES = {
    "ResNet": ResNet,
    "ResNeXt": ResNet,
    "RegNet": ResNet,
    "MobileNetV2": MobileNetV2,
    "MobileNetV3": MobileNetV3,
}


class GeM(nn.Module):
    """mmpretrain/models/necks/gem.py."""

    def __init__(self, p=3.0, eps=1e-6, clamp=True):
        super().__init__()
        self.p, self.eps, self.clamp = nn.Parameter(torch.ones(1) * p), eps, clamp

    def forward(self, x):
        x = x.clamp(min=self.eps) if self.clamp else x
        return F.avg_pool2d(x.pow(self.p), x.shape[-2:]).pow(1.0 / self.p).flatten(1)


class Head(nn.Module):
    """linear_head.py, stacked_head.py, multi_label_linear_head.py and margin_head.py."""

    def __init__(self, cfg):
        super().__init__()
        self.kind, self.scale = cfg["type"], cfg.get("scale", 64.0)
        channels, classes = cfg["in_channels"], cfg["num_classes"]
        if self.kind == "CSRAClsHead":
            self.csra_heads = nn.ModuleList(
                CSRAModule(classes, channels, t, cfg["lam"]) for t in TEMPERATURES[cfg["num_heads"]]
            )
        elif self.kind == "ArcFaceClsHead":
            self.norm_product = nn.Linear(channels, classes, bias=False)
        elif self.kind == "StackedLinearClsHead":
            self.layers = nn.ModuleList()
            for mid in cfg["mid_channels"]:
                layer = nn.Module()
                layer.fc = nn.Linear(channels, mid)
                layer.norm = nn.BatchNorm1d(mid, eps=cfg["norm_cfg"].get("eps", 1e-5)) if "norm_cfg" in cfg else None
                layer.act = act(cfg.get("act_cfg", {"type": "ReLU"}))
                self.layers.append(layer)
                channels = mid
            layer = nn.Module()
            layer.fc = nn.Linear(channels, classes)
            self.layers.append(layer)
        else:
            self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        if self.kind == "CSRAClsHead":
            return sum(head(x) for head in self.csra_heads)
        if self.kind == "ArcFaceClsHead":
            return self.scale * F.linear(F.normalize(x), F.normalize(self.norm_product.weight))
        if self.kind == "StackedLinearClsHead":
            for layer in self.layers[:-1]:
                x = layer.fc(x)
                x = layer.act(x if layer.norm is None else layer.norm(x))
            return self.layers[-1].fc(x)
        return self.fc(x)


TEMPERATURES = {1: [1], 2: [1, 99], 4: [1, 2, 4, 99], 6: [1, 2, 3, 4, 5, 99], 8: [1, 2, 3, 4, 5, 6, 7, 99]}


class CSRAModule(nn.Module):
    """multi_label_csra_head.py."""

    def __init__(self, classes, channels, temperature, lam):
        super().__init__()
        self.temperature, self.lam = temperature, lam
        self.head = nn.Conv2d(channels, classes, 1, bias=False)

    def forward(self, x):
        score = self.head(x) / torch.norm(self.head.weight, dim=1, keepdim=True).transpose(0, 1)
        score = score.flatten(2)
        base = torch.mean(score, dim=2)
        if self.temperature == 99:
            attention = torch.max(score, dim=2)[0]
        else:
            attention = torch.sum(score * torch.softmax(score * self.temperature, dim=2), dim=2)
        return base + self.lam * attention


class Classifier(nn.Module):
    """backbone, neck and head."""

    def __init__(self, model):
        super().__init__()
        self.backbone = BACKBONES[model["backbone"]["type"]](model["backbone"])
        made = model["neck"] or {"type": None}
        neck = {key: value for key, value in made.items() if key not in ("type", "p_trainable")}
        self.neck = GeM(**neck) if made["type"] == "GeneralizedMeanPooling" else nn.Identity()
        self.head = Head(model["head"])

    def forward(self, x):
        x = self.backbone(x)
        if self.head.kind == "CSRAClsHead":
            return self.head(x)
        return self.head(self.neck(x) if isinstance(self.neck, GeM) else F.adaptive_avg_pool2d(x, 1).flatten(1))
