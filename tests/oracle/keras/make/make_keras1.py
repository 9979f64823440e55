"""Cases saved by Keras 1.2.2, and by Keras 2.3.1 on Theano; once for each backend and Keras:

KERAS_BACKEND=tensorflow python3.6 make_keras1.py     keras 1.2.2, tensorflow 1.4.0, numpy 1.17.5, h5py 2.10
KERAS_BACKEND=theano python3.6 make_keras1.py         keras 1.2.2, theano 1.0.5
KERAS_BACKEND=theano python3.6 make_keras1.py         keras 1.0.8, theano 1.0.5
KERAS_BACKEND=theano python3.6 make_keras1.py         keras 2.3.1, theano 1.0.5
"""

import os
import re

import keras
import numpy as np
from common import case, manifest, outputs, path, pictures, seed_of
from keras import backend as K
from keras import layers as L
from keras.models import Model, Sequential

THEANO = K.backend() == "theano"
if THEANO:
    import theano.ifelse
LETTERS = "th" if THEANO else "tf"
ORDER = LETTERS  # which axis channels are on, as was usual with each
ONE = keras.__version__.startswith("1.")
AXIS = 1 if ORDER == "th" else -1


def randomise(model, seed):
    """As common.randomise, by the names that Keras 1 gives; its models list their weights otherwise than they take them."""
    rng = np.random.RandomState(seed)
    for layer in getattr(model, "flattened_layers", model.layers):
        if hasattr(layer, "layers"):
            randomise(layer, rng.randint(1 << 30))
        else:
            layer.set_weights([filled(rng, *pair) for pair in zip(layer.weights, layer.get_weights())])


def filled(rng, weight, old):
    name = re.sub(r"(_\d+)?(:0)?$", "", weight.name)
    if name.endswith(("running_std", "moving_variance")):
        new = rng.uniform(0.4, 1.8, old.shape)
    elif name.endswith("gamma"):
        new = 1 + 0.25 * rng.randn(*old.shape)
    elif old.ndim == 1 or name.endswith("alphas"):
        new = 0.3 * rng.randn(*old.shape)
    else:
        fan = old.size / max(old.shape) if old.ndim > 2 else old.shape[0]
        new = rng.randn(*old.shape) * 1.2 / np.sqrt(fan)
    return new.astype("float32")


def turned(x):
    """Pictures as the backend has them."""
    return x.transpose(0, 3, 1, 2) if ORDER == "th" else x


def write(name, model, xs, refuse=None, **facts):
    name = name.format(LETTERS)
    randomise(model, seed_of(name))
    ys = None if refuse else outputs(model.predict(xs if len(xs) > 1 else xs[0]))
    model.save(path(name, "model.h5"))
    if ORDER == "th":  # references have channels last, as all others
        xs = [x.transpose(0, 2, 3, 1) if x.ndim == 4 else x for x in xs]
    case(name, ["model.h5"], xs, ys, tool="keras %s, %s" % (keras.__version__, K.backend()), refuse=refuse, **facts)


def size(*numbers):
    return numbers if ORDER == "tf" else (numbers[-1],) + numbers[:-1]


def net_of_pictures():
    conv = dict(dim_ordering=ORDER)
    layers = [
        L.Convolution2D(6, 3, 4, border_mode="same", subsample=(2, 1), activation="hard_sigmoid", input_shape=size(12, 11, 3), **conv),
        L.BatchNormalization(axis=AXIS), L.ZeroPadding2D((1, 2), **conv),
        L.AtrousConvolution2D(5, 3, 3, atrous_rate=(2, 2), bias=False, **conv), L.LeakyReLU(0.2),
        L.MaxPooling2D((2, 2), strides=(1, 2), border_mode="same", **conv), L.PReLU(), L.UpSampling2D((2, 3), **conv), L.Cropping2D(((1, 0), (0, 2)), **conv),
    ]
    if not THEANO:
        layers += [L.SeparableConvolution2D(4, 3, 3, depth_multiplier=2, border_mode="same", **conv)]
    layers += [L.AveragePooling2D((3, 2), border_mode="same", **conv), L.GaussianNoise(0.1), L.SpatialDropout2D(0.2, **conv), L.Flatten(), L.Dropout(0.5),
               L.Dense(7, activation="tanh"), L.Dense(4), L.Activation("softmax")]
    return Sequential(layers)


def turned_net():
    """The same layers with channels on the other axis than is usual with the backend."""
    global ORDER
    ORDER = "tf" if ORDER == "th" else "th"
    conv = dict(dim_ordering=ORDER)
    net = Sequential([
        L.Convolution2D(4, 3, 2, activation="relu", border_mode="same", input_shape=size(9, 8, 3), **conv),
        L.Deconvolution2D(3, 3, 3, output_shape=(None,) + size(18, 16, 3), subsample=(2, 2), border_mode="same", **conv),
        L.GlobalAveragePooling2D(**conv), L.Dense(3)])
    return net


def graph():
    conv = dict(dim_ordering=ORDER)
    a = L.Input(shape=size(8, 8, 3), name="picture")
    b = L.Input(shape=(5,), name="numbers")
    inner_in = L.Input(shape=size(8, 8, 4))
    inner = Model(inner_in, L.GlobalMaxPooling2D(**conv)(L.BatchNormalization(axis=AXIS)(L.Convolution2D(6, 3, 3, **conv)(inner_in))), name="inner")
    flat = Sequential([L.Dense(6, activation="relu", input_dim=5), L.BatchNormalization()], name="flat")
    shared = L.Dense(6, name="shared")
    first = L.Convolution2D(4, 1, 1, name="first", **conv)(a)
    x, y = inner(first), flat(b)
    x2 = inner(L.Activation("tanh")(first))
    joined = [L.merge([x, y, x2], mode=mode) for mode in ("sum", "mul", "ave", "max")]
    dot = L.merge([shared(x), shared(y)], mode="dot", dot_axes=1)
    wide = L.merge(joined + [shared(x)], mode="concat", concat_axis=1)
    return Model(input=[b, a], output=[L.Dense(3, activation="softmax", name="last")(wide), dot])


def branches():
    """A Sequential whose first layer is a Merge of two others."""
    left = Sequential([L.Dense(5, input_dim=4, activation="tanh"), L.Dense(6)])
    right = Sequential([L.Reshape((3, 2), input_shape=(6,)), L.Flatten(), L.Dense(6)])
    return Sequential([L.Merge([left, right], mode="concat"), L.Dense(3, activation="softmax")])


def sequence(less):
    return Sequential([
        L.Embedding(12, 7, input_length=9, dropout=0.1), L.Convolution1D(8, 3, border_mode="same", activation="relu"), L.MaxPooling1D(2, border_mode="same"),
        L.AtrousConvolution1D(6, 2, atrous_rate=2), L.UpSampling1D(2), L.ZeroPadding1D(1),
        L.Bidirectional(L.LSTM(4, return_sequences=True, consume_less=less)), L.TimeDistributed(L.Dense(6, activation="tanh")),
        L.GRU(5, return_sequences=True, consume_less=less, dropout_W=0.1), L.SimpleRNN(6, return_sequences=True, go_backwards=True), L.TimeDistributedDense(5),
        L.LSTM(4, inner_activation="sigmoid", consume_less=less)])


def masked():
    words = L.Input(shape=(7,), dtype="int32", name="words")
    x = L.Embedding(9, 5, mask_zero=True)(words)
    return Model(words, [L.LSTM(4)(x), L.GRU(3, return_sequences=True)(x), L.SimpleRNN(3)(L.Masking(0.0)(L.TimeDistributed(L.Dense(4))(x)))])


def films():
    conv = dict(dim_ordering=ORDER, border_mode="same")
    shape = (3, 6, 6, 2) if ORDER == "tf" else (3, 2, 6, 6)
    entry = L.Input(shape=shape)
    three = [] if THEANO else [L.Convolution3D(2, 3, 3, 3, dim_ordering="th", border_mode="same")(entry)]  # needs a BLAS
    return Model(entry, [L.ConvLSTM2D(3, 3, 3, **conv)(entry), *three])


def of_keras_1():
    rng = np.random.RandomState(4)
    write("k1_{}_pictures", net_of_pictures(), [turned(pictures((3, 12, 11, 3), 1))], layers="Sequential of Keras 1's layers for pictures",
          traps="kernels of 'th' are (out, in, rows, columns); Theano turns them by half a turn; UpSampling2D, ZeroPadding2D and Cropping2D do not say where channels are")
    numbers = rng.randn(3, 5).astype("float32")
    write("k1_{}_graph", graph(), [numbers, turned(pictures((3, 8, 8, 3), 2))], layers="Functional; Merge in all modes but cos; models inside; shared layers",
          traps="Merge; nested weights; the order of inputs")
    if not THEANO:
        write("k1_tf_branches", branches(), [rng.randn(3, 4).astype("float32"), rng.randn(3, 6).astype("float32")], layers="Sequential that begins with Merge",
              traps="the branches' layers stand among the settings of Merge, their weights in groups of their own")
    words = rng.randint(0, 12, (3, 9)).astype("int32")
    for less in ("cpu", "gpu") if not THEANO else ("mem",):
        write("k1_{}_sequence_" + less, sequence(less), [words], layers="Embedding, 1-D, recurrent layers, wrappers",
              traps="twelve arrays of an LSTM in the order i c f o, or three with i f c o (consume_less='gpu')")
    late = np.where(np.arange(7)[None] < np.array([[7], [4], [2]]), rng.randint(1, 9, (3, 7)), 0).astype("int32")
    write("k1_{}_masked", masked(), [late], layers="Embedding with mask_zero, recurrent layers behind it", traps="masks")
    film = rng.randn(2, 3, 6, 6, 2).astype("float32")
    write("k1_{}_films", films(), [film if ORDER == "tf" else film.transpose(0, 1, 4, 2, 3)], layers="ConvLSTM2D, Convolution3D", traps="twelve arrays; 'th'")
    net = turned_net()
    write("k1_{}_turned", net, [turned(pictures((3, 9, 8, 3), 1))], layers="Convolution2D, Deconvolution2D", traps="dim_ordering of the other backend")
    if not THEANO:
        write("refuse_k1_mode", Sequential([L.Dense(4, input_dim=3), L.BatchNormalization(mode=1)]), [numbers[:, :3]], layers="BatchNormalization(mode=1)", traps="what only Keras 1 had",
              refuse="BatchNormalization with mode=1 normalises each sample by itself; Keras 2 no longer has it")


def of_keras_2():
    """What Keras 2 keeps on Theano."""
    conv = dict(data_format="channels_last", padding="same")
    net = Sequential([
        L.Conv2D(5, (3, 2), strides=2, activation="relu", input_shape=(9, 8, 3), **conv), L.Conv2DTranspose(4, 3, strides=2, **conv),
        L.MaxPooling2D(2, data_format="channels_last"), L.Reshape((-1, 4)), L.Conv1D(4, 3), L.Flatten(), L.Dense(3)])
    write("k2_theano", net, [pictures((3, 9, 8, 3), 1)], layers="Conv2D, Conv2DTranspose, Conv1D",
          traps="the file says backend theano: kernels are turned by half a turn")
    for one, layer in (("separable", L.SeparableConv2D(4, 3, **conv)), ("depthwise", L.DepthwiseConv2D(3, depth_multiplier=2, **conv))):
        try:
            net = Sequential([L.Conv2D(3, 1, input_shape=(9, 8, 3), **conv), layer])
            write("k2_theano_" + one, net, [pictures((3, 9, 8, 3), 1)], layers=one, traps="likewise")
        except Exception as err:
            print(one, repr(err)[:300])


if __name__ == "__main__":
    if keras.__version__ == "1.0.8":  # the oldest files
        net = Sequential([L.Convolution1D(6, 3, border_mode="same", input_shape=(9, 4)), L.BatchNormalization(), L.Convolution1D(5, 2, activation="relu"),
                          L.MaxPooling1D(2), L.LSTM(4, return_sequences=True), L.Flatten(), L.Dense(3)])
        write("k1_old", net, [np.random.RandomState(1).randn(3, 9, 4).astype("float32")], layers="Convolution1D, BatchNormalization, LSTM", traps="kernels (out, in, length, 1)")
    elif ONE:
        K.set_image_dim_ordering(ORDER)
        of_keras_1()
    else:
        ORDER = "tf"
        of_keras_2()
    manifest()
