"""Cases of layers in two places, and of what lies beside weights: keras 3.15.1, tensorflow 2.21.0. python make_beside.py"""

import keras
from common import case, manifest, outputs, path, pictures, randomise, seed_of
from keras import layers as L

RNG = __import__("numpy").random.default_rng(7)


def write(name, model, xs, ext=("keras", "h5"), quantize="", **facts):
    randomise(model, seed_of(name))
    ys = outputs(model(xs if len(xs) > 1 else xs[0], training=False))
    if quantize:
        model.quantize(quantize)
    for one in ext:
        model.save(path(name, f"model.{one}"))
    case(name, [f"model.{one}" for one in ext], xs, ys, tool=f"keras {keras.__version__}", **facts)


def in_two_places():
    dense, cnn = L.Dense(4, name="dense_of_both", activation="tanh"), keras.Sequential(
        [keras.Input((7, 7, 3)), L.Conv2D(3, 3), L.BatchNormalization(), L.GlobalMaxPooling2D()], name="cnn_of_both")  # fmt: skip
    row, rows = keras.Input((4,), name="row"), keras.Input((5, 4), name="rows")
    one, film = keras.Input((7, 7, 3), name="one"), keras.Input((2, 7, 7, 3), name="film")
    early = L.TimeDistributed(cnn)(film)
    return keras.Model([row, rows, one, film], [dense(L.Dense(4)(row)), L.TimeDistributed(dense)(rows), early, cnn(L.Conv2D(3, 1)(one))])


def with_lora():
    words = keras.Input((6,), dtype="int32")
    x = L.Embedding(9, 8, name="words")(words)
    x = L.Conv1D(6, 3, name="conv", activation="relu")(x)
    x = L.EinsumDense("abc,cd->abd", (None, 5), bias_axes="d", name="einsum")(x)
    model = keras.Model(words, L.Dense(3, name="dense")(L.GlobalAveragePooling1D()(x)))
    for layer, alpha in (("words", None), ("conv", 6), ("einsum", None), ("dense", 1)):
        model.get_layer(layer).enable_lora(2, lora_alpha=alpha)
    return model


def lora_in_attention():
    x = keras.Input((5, 4))
    attention = L.MultiHeadAttention(2, 3, name="attention")
    model = keras.Model(x, attention(x, x))
    attention.query_dense.enable_lora(2)
    return model


def three_pictures():
    """As of a triplet; the names are Keras' own, and the second value made of the first input must not take the third's."""
    conv, ends = L.Conv2D(2, 3), [keras.Input((6, 6, 3), name=name) for name in ("input_layer", "input_layer_1", "input_layer_2")]
    a, b, c = (L.GlobalAveragePooling2D()(conv(one)) for one in ends)
    return keras.Model(ends, [L.Subtract()([a, b]), L.Subtract()([b, c])])


def tables():
    row, kind, kinds = keras.Input((3,), name="row"), keras.Input((1,), dtype="int32", name="kind"), keras.Input((4,), dtype="int32", name="kinds")
    bins = L.Discretization([-0.5, 0.0, 0.75])(row)
    joined = [L.Flatten()(L.Embedding(4, 2)(bins)), L.Flatten()(L.Discretization([-1.0, 1.0], output_mode="one_hot")(row)), L.CategoryEncoding(6, "one_hot")(kind),
              L.CategoryEncoding(6)(kinds), L.CategoryEncoding(6, "count")(kinds), L.SpectralNormalization(L.Dense(4, activation="tanh"))(row)]
    return keras.Model([row, kind, kinds], [L.Dense(3)(L.Concatenate()(joined)), bins])


rows = RNG.normal(size=(3, 5, 4)).astype("float32")
write("k3_in_two_places", in_two_places(), [RNG.normal(size=(3, 4)).astype("float32"), rows, pictures((3, 7, 7, 3), 1), RNG.normal(size=(3, 2, 7, 7, 3)).astype("float32")],
      layers="Dense and a model, each called by itself and in TimeDistributed", traps="a .keras holds the numbers once, at the place that comes first; the two configs differ in shared_object_id")
write("k3_lora", with_lora(), [RNG.integers(0, 9, (3, 6)).astype("int32")], layers="Embedding, Conv1D, EinsumDense, Dense with enable_lora",
      traps="a .keras holds the sum, an .h5 both parts: kernel + A B alpha / rank")
write("refuse_lora_attention", lora_in_attention(), [rows], ext=("h5",), layers="MultiHeadAttention with LoRA in one of its parts", refuse="LoRA beside the weights of a layer inside another", traps="its config does not say it")
write("k3_quantized_steps", keras.Sequential([keras.Input((5, 16)), L.TimeDistributed(L.Dense(6))]), [RNG.normal(size=(3, 5, 16)).astype("float32")], ext=("keras",), quantize="int8",
      tolerance=0.02, layers="TimeDistributed(Dense) after quantize('int8')", traps="the reference is of before: Keras itself answers some hundred times too large")
write("k3_three_pictures", three_pictures(), [pictures((3, 6, 6, 3), n) for n in (1, 2, 3)], ext=("keras",), layers="three inputs, as of a triplet", traps="names of inputs that look like those of numbered values")
table = RNG.normal(size=(5, 3)).astype("float32")
table[0] = [-0.5, 0.0, 0.75]
write("k3_tables", tables(), [table, RNG.integers(0, 6, (5, 1)).astype("int32"), RNG.integers(0, 6, (5, 4)).astype("int32")], layers="Discretization, CategoryEncoding, SpectralNormalization",
      traps="a number on a limit belongs to the bin above; the normalised kernel is in the file as it is used")
manifest()
