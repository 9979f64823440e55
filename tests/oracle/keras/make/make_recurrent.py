"""Masks, states and attention: cases that were found by comparing some 600 random models, one for each trap.

With Keras 3.15.1 on TensorFlow 2.21 it writes the cases r3_*, with Keras 2.15 (tensorflow-cpu 2.15.1) r2_*.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
import keras
import numpy as np
import tensorflow as tf
from common import case, path, randomise, seed_of
from keras import layers as L

NEW = keras.__version__.startswith("3")
TOOL = f"keras {keras.__version__}, tensorflow {tf.__version__}"
R = np.random.default_rng(5)


def numbers(*shape):
    return R.standard_normal(shape).astype("float32")


def tokens(n, length):
    """Padding behind, before and between."""
    x = R.integers(1, 9, (n, length)).astype("int32")
    x[0, length // 2 :] = 0
    x[1, 0] = 0
    x[2, 1:3] = 0
    return x


def words(name=None):
    return L.Embedding(9, 4, mask_zero=True, name=name)


def given_masks():
    i, m, h = keras.Input((6, 3)), keras.Input((6,), dtype="bool"), keras.Input((4,))
    real = R.random((4, 6)) < 0.5
    real[3] = False
    y = [L.LSTM(4)(i, mask=m), L.GRU(4, return_sequences=True)(i, mask=m), L.SimpleRNN(4, activation="gelu")(i, mask=m),
         L.Bidirectional(L.GRU(2, return_sequences=True))(i, mask=m), *L.LSTM(3, return_state=True)(i, mask=m),
         *L.GRU(4, return_state=True, reset_after=False)(i, mask=m, initial_state=h),
         L.RNN([L.LSTMCell(3), L.GRUCell(4)], return_sequences=True)(i, mask=m),
         *L.LSTM(2, return_state=True, recurrent_activation="tanh", activation="selu")(i, mask=m)]
    return keras.Model([i, m, h], y), [numbers(4, 6, 3), real, numbers(4, 4)]


def merged_masks():
    t, u = keras.Input((6,), dtype="int32"), keras.Input((6,), dtype="int32")
    a, b = words()(t), words()(u)
    c = L.Conv1D(4, 1)(a)
    joined = [L.Add()([a, b]), L.Multiply()([a, c]), L.Multiply()([a, b]), L.Maximum()([a, b]), L.Minimum()([a, c]),
              L.Concatenate()([a, b]), L.Concatenate(axis=1)([a, b])]
    return keras.Model([t, u], [L.GRU(2)(one) for one in joined]), [tokens(4, 6), tokens(4, 6)]


def seq2seq():
    a, b = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    _, h, c = L.LSTM(5, return_state=True)(words()(a))
    d = L.LSTM(5, return_sequences=True)(words()(b), initial_state=[h, c])
    y = [L.Dense(6, activation="softmax")(d), h, c, L.GRU(3)(d), L.GlobalAveragePooling1D()(d)]
    return keras.Model([a, b], y), [tokens(3, 6), tokens(3, 5)]


def masked_attention():
    a, b = keras.Input((5,), dtype="int32"), keras.Input((7,), dtype="int32")
    q, v = words()(a), words()(b)
    x, z = L.MultiHeadAttention(2, 3)(q, v), L.MultiHeadAttention(2, 3, dropout=0.1)(q, v, use_causal_mask=True)
    mixed = L.LayerNormalization()(L.Add()([q, x]))
    y = [x, z, L.GlobalAveragePooling1D()(mixed), L.LSTM(3)(L.MultiHeadAttention(2, 3)(mixed, mixed)), L.GRU(2)(q),
         L.MultiHeadAttention(2, 3)(v, q), L.Attention()([q, v]), L.AdditiveAttention()([v, q, q])]
    return keras.Model([a, b], y), [tokens(3, 5), tokens(3, 7)]


def each_step():
    i = keras.Input((6, 3))
    x = L.Masking(0.0)(i)
    v = numbers(3, 6, 3)
    v[0, 3:] = v[1, 2] = v[2, :2] = 0
    sub = keras.Sequential([keras.Input((3,)), L.Dense(4, activation="relu"), L.Dropout(0.1)])
    y, z = L.TimeDistributed(sub)(x), L.TimeDistributed(L.LayerNormalization())(x)
    pairs = L.ConvLSTM1D(2, 2, padding="same", return_sequences=True)(L.Reshape((6, 3, 1))(i))
    return keras.Model(i, [y, L.LSTM(3)(y), L.GlobalAveragePooling1D()(z), pairs]), [v]


def directions():
    i = keras.Input((4, 3))
    x = L.Permute((1, 2))(i)
    h = keras.Input((2,))
    y = [L.LSTM(2, go_backwards=True, return_sequences=True, recurrent_activation="hard_sigmoid")(x, initial_state=[h, h]),
         L.Bidirectional(L.GRU(2, return_sequences=True), merge_mode=None)(x), L.Bidirectional(L.LSTM(2), merge_mode="ave")(x)]
    if not NEW:  # the samples are the steps then
        y += [L.LSTM(2, time_major=True, return_sequences=True)(i), L.GRU(3, time_major=True)(i),
              L.Bidirectional(L.GRU(2, return_sequences=True, time_major=True))(i)]
    flat = [one for part in y for one in (part if isinstance(part, (list, tuple)) else [part])]
    return keras.Model([i, h], flat), [numbers(3, 4, 3), numbers(3, 2)]


TRAPS = {
    given_masks: "masks with holes and of nothing but padding; zeros before the first real step, also with a state; "
    "Bidirectional gives zeros at masked steps; activations that ONNX's operators lack",
    merged_masks: "Keras 2: real where all are; Keras 3: where one is, and no mask unless all have one; Multiply, Maximum "
    "and Minimum leave the other's number at a hidden step since 3.6",
    seq2seq: "two inputs of free length; Keras 3 does not fill in the mask of a layer that is given states, but passes "
    "it on",
    masked_attention: "since 3.8 MultiHeadAttention takes the masks away from what it reads; rows that see nothing are "
    "even, or 0 with dropout (3.10)",
    each_step: "mask through TimeDistributed; ConvLSTM1D step by step",
    directions: "states of a layer backwards; merge_mode null and ave; Keras 2's time_major, also of both directions",
}

if __name__ == "__main__":
    for make, traps in TRAPS.items():
        keras.utils.set_random_seed(1) if NEW else None
        keras.backend.clear_session()
        name = f"r{3 if NEW else 2}_{make.__name__}"
        model, xs = make()
        randomise(model, seed_of(name))
        ys = [np.asarray(one) for one in tf.nest.flatten(model(xs if len(xs) > 1 else xs[0], training=False))]
        model.save(path(name, "model.keras"))
        case(name, ["model.keras"], xs, ys, tool=TOOL, layers="recurrent layers, attention, masks", traps=traps)
