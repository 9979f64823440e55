"""Paddle's operators by their names in both generations: which arguments they take, and in which order.

A line is `name: inputs = older name: inputs -> outputs | argument=older attribute …`, and " = …" is missing where the
older generation had no such operator. Inputs and outputs stand in the order of Paddle 3, which knows them by it; the
older one names them, and - is none. An input in several forms there is written A/B. Sources, of the same repository:
paddle/phi/ops/yaml/ops.yaml and op_compat.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LINES = """
conv2d: input filter = conv2d: Input Filter -> Output
depthwise_conv2d: input filter = depthwise_conv2d: Input Filter -> Output
conv3d: input filter = conv3d: Input Filter -> Output
conv2d_transpose: x filter output_size = conv2d_transpose: Input Filter - -> Output
depthwise_conv2d_transpose: x filter output_size = depthwise_conv2d_transpose: Input Filter - -> Output
conv3d_transpose: x filter = conv3d_transpose: Input Filter -> Output
deformable_conv: x offset filter mask
pool2d: x kernel_size = pool2d: X - -> Out | kernel_size=ksize
pool3d: x = pool3d: X -> Out | kernel_size=ksize
max_pool2d_with_index: x = max_pool2d_with_index: X -> Out Mask | kernel_size=ksize
max_pool3d_with_index: x = max_pool3d_with_index: X -> Out Mask | kernel_size=ksize
lp_pool2d: x = lp_pool2d: x -> out
batch_norm_: x mean variance scale bias = batch_norm: X Mean Variance Scale Bias -> Y | data_format=data_layout
batch_norm: x mean variance scale bias
sync_batch_norm_: x mean variance scale bias = sync_batch_norm: X Mean Variance Scale Bias -> Y |
    data_format=data_layout
layer_norm: x scale bias = layer_norm: X Scale Bias -> Y
group_norm: x scale bias = group_norm: X Scale Bias -> Y | data_format=data_layout
instance_norm: x scale bias = instance_norm: X Scale Bias -> Y
rms_norm: x scale
affine_channel: x scale bias = affine_channel: X Scale Bias -> Out | data_format=data_layout
norm: x = norm: X -> Out Norm
p_norm: x = p_norm: X -> Out
frobenius_norm: x axis = frobenius_norm: X - -> Out | axis=dim keepdim=keep_dim
lrn: x = lrn: X -> Out
prelu: x alpha = prelu: X Alpha -> Out
clip: x min max = clip: X Min Max -> Out
pow: x = pow: X -> Out | y=factor
matmul: x y = matmul_v2: X Y -> Out | transpose_x=trans_x transpose_y=trans_y
old_matmul: x y = matmul: X Y -> Out | transpose_x=transpose_X transpose_y=transpose_Y
matmul_with_flatten: x y = mul: X Y -> Out
mv: x vec = mv: X Vec -> Out
addmm: input x y = addmm: Input X Y -> Out | alpha=Alpha beta=Beta
baddbmm: input x y = baddbmm: Input X Y -> Out | alpha=Alpha beta=Beta
fc: input w bias = fc: Input W Bias -> Out
bilinear: x y weight bias = bilinear_tensor_product: X Y Weight Bias -> Out
einsum: x = einsum: Operands -> Out
lerp: x y weight = lerp: X Y Weight -> Out
atan2: x y = atan2: X1 X2 -> Out
scale: x scale = scale: X ScaleTensor -> Out
add_n: inputs = sum: X -> Out
increment_: x = increment: X -> Out | value=step
cumsum: x axis = cumsum: X - -> Out
where: condition x y = where: Condition X Y -> Out
masked_fill: x mask value = masked_fill: x mask value -> out
allclose: x y rtol atol
isclose: x y rtol atol = isclose: Input Other Rtol Atol -> Out
mean: x axis = reduce_mean: X - -> Out | axis=dim keepdim=keep_dim
mean_all: x = mean: X -> Out
sum: x axis = reduce_sum: X - -> Out | axis=dim keepdim=keep_dim dtype=out_dtype
max: x axis = reduce_max: X - -> Out | axis=dim keepdim=keep_dim
min: x axis = reduce_min: X - -> Out | axis=dim keepdim=keep_dim
prod: x axis = reduce_prod: X - -> Out | axis=dim keepdim=keep_dim
amax: x = reduce_amax: X -> Out | axis=dim keepdim=keep_dim
amin: x = reduce_amin: X -> Out | axis=dim keepdim=keep_dim
all: x = reduce_all: X -> Out | axis=dim keepdim=keep_dim
any: x = reduce_any: X -> Out | axis=dim keepdim=keep_dim
argmax: x axis = arg_max: X - -> Out
argmin: x axis = arg_min: X - -> Out
topk: x k = top_k_v2: X K -> Out Indices
old_topk: x k = top_k: X K -> Out Indices
argsort: x = argsort: X -> Out Indices
median: x = median: x -> out medians
kthvalue: x = kthvalue: X -> Out Indices
reshape: x shape = reshape2: X Shape/ShapeTensor -> Out XShape
old_reshape: x shape = reshape: X Shape/ShapeTensor -> Out | shape=shape
flatten: x = flatten_contiguous_range: X -> Out XShape
flatten2: x = flatten2: X -> Out XShape
old_flatten: x = flatten: X -> Out
squeeze: x axis = squeeze2: X - -> Out XShape | axis=axes
old_squeeze: x axis = squeeze: X - -> Out | axis=axes
unsqueeze: x axis = unsqueeze2: X AxesTensor/AxesTensorList -> Out XShape | axis=axes
old_unsqueeze: x axis = unsqueeze: X - -> Out | axis=axes
transpose: x = transpose2: X -> Out XShape | perm=axis
old_transpose: x = transpose: X -> Out | perm=axis
concat: x axis = concat: X AxisTensor -> Out
stack: x = stack: X -> Y
split: x sections axis = split: X SectionsTensorList AxisTensor -> Out
split_with_num: x axis
slice: input starts ends = slice: Input StartsTensor/StartsTensorList EndsTensor/EndsTensorList -> Out
strided_slice: x starts ends strides = strided_slice: Input StartsTensor/StartsTensorList EndsTensor/EndsTensorList
    StridesTensor/StridesTensorList -> Out
crop: x shape offsets = crop_tensor: X Shape/ShapeTensor Offsets/OffsetsTensor -> Out
unstack: x = unstack: X -> Y
unbind: input = unbind: X -> Out
expand: x shape = expand_v2: X Shape/expand_shapes_tensor -> Out
expand_as: x y = expand_as_v2: X Y -> Out
tile: x repeat_times = tile: X RepeatTimes/repeat_times_tensor -> Out
repeat_interleave: x = repeat_interleave: X -> Out | repeats=Repeats axis=dim
roll: x shifts = roll: X ShiftsTensor -> Out
gather: x index axis = gather: X Index Axis -> Out
gather_nd: x index = gather_nd: X Index -> Out
index_select: x index = index_select: X Index -> Out | axis=dim
index_sample: x index = index_sample: X Index -> Out
take_along_axis: arr indices = take_along_axis: Input Index -> Result | axis=Axis
put_along_axis: arr indices values = put_along_axis: Input Index Value -> Result | axis=Axis reduce=Reduce
    include_self=Include_self
scatter: x index updates = scatter: X Ids Updates -> Out
scatter_nd_add: x index updates = scatter_nd_add: X Index Updates -> Out
tril: x
triu: x
tril_triu: x = tril_triu: X -> Out
diagonal: x = diagonal: Input -> Out
diag: x = diag_v2: X -> Out
diag_embed: input = diag_embed: Input -> Out
eye: num_rows num_columns = eye: - - -> Out
arange: start end step = range: Start End Step -> Out
linspace: start stop number = linspace: Start Stop Num -> Out
full: shape = fill_constant: ShapeTensor/ShapeTensorList -> Out
full_int_array: -
full_like: x value = fill_any_like: X - -> Out
full_with_tensor: value shape = fill_constant_with_tensor: ValueTensor ShapeTensor -> Out
full_batch_size_like: input = fill_constant_batch_size_like: Input -> Out
fill: x value
zeros_like: x = fill_zeros_like: X -> Out
assign_value: - = assign_value: - -> Out
assign_value_: output
assign_out_: x output
share_data_: x = share_data: X -> Out
cast: x = cast: X -> Out | dtype=out_dtype
shape: input = shape: Input -> Out
shape64: input
numel: x = size: Input -> Out
one_hot: x num_classes = one_hot_v2: X depth_tensor -> Out | num_classes=depth
meshgrid: inputs = meshgrid: X -> Out
broadcast_tensors: input = broadcast_tensors: X -> Out
pad: x pad_value = pad: X - -> Out
pad3d: x paddings = pad3d: X Paddings -> Out | pad_value=value
pad2d: x = pad2d: X -> Out
unfold: x = unfold: X -> Y
fold: x = fold: X -> Y
grid_sample: x grid = grid_sampler: X Grid -> Output
affine_grid: input output_shape = affine_grid: Theta OutputShape -> Output
shuffle_channel: x = shuffle_channel: X -> Out
bilinear_interp: x out_size size_tensor scale_tensor = bilinear_interp_v2: X OutSize SizeTensor Scale -> Out |
    data_format=data_layout
nearest_interp: x out_size size_tensor scale_tensor = nearest_interp_v2: X OutSize SizeTensor Scale -> Out |
    data_format=data_layout
bicubic_interp: x out_size size_tensor scale_tensor = bicubic_interp_v2: X OutSize SizeTensor Scale -> Out |
    data_format=data_layout
linear_interp: x out_size size_tensor scale_tensor = linear_interp_v2: X OutSize SizeTensor Scale -> Out |
    data_format=data_layout
trilinear_interp: x out_size size_tensor scale_tensor = trilinear_interp_v2: X OutSize SizeTensor Scale -> Out |
    data_format=data_layout
old_bilinear_interp: x out_size size_tensor scale_tensor = bilinear_interp: X OutSize SizeTensor Scale -> Out |
    data_format=data_layout
old_nearest_interp: x out_size size_tensor scale_tensor = nearest_interp: X OutSize SizeTensor Scale -> Out |
    data_format=data_layout
embedding: x weight = lookup_table_v2: Ids W -> Out
old_embedding: x weight = lookup_table: Ids W -> Out
rnn: x pre_state weight_list sequence_length dropout_state_in = rnn: Input PreState WeightList SequenceLength - ->
    Out DropoutState State Reserve
dropout: x seed_tensor p = dropout: X Seed - -> Out Mask | p=dropout_prob mode=dropout_implementation
flash_attn: q k v fixed_seed_offset attn_mask = flash_attn: q k v fixed_seed_offset attn_mask -> out
memory_efficient_attention: query key value bias = memory_efficient_attention: query key value bias -> output
fused_softmax_mask: x mask = fused_softmax_mask: X Mask -> Out
fused_softmax_mask_upper_triangle: X = fused_softmax_mask_upper_triangle: X -> Out
label_smooth: label prior_dist = label_smooth: X PriorDist -> Out
set_value: x starts ends steps
set_value_with_tensor: x values starts ends steps
index_put: x indices value = index_put: x indices value -> out
index_add: x index add_value = index_add: X Index AddValue -> Out
trace: x = trace: Input -> Out
multi_dot: x = multi_dot: X -> Out
dist: x y = dist: X Y -> Out
swiglu: x y = swiglu: x y -> out
copysign: x y = copysign: x y -> out
sequence_mask: x max_len = sequence_mask: X MaxLenTensor -> Y
empty: shape = empty: ShapeTensor/ShapeTensorList -> Out
set_value_: x starts ends steps = set_value: Input StartsTensorList EndsTensorList StepsTensorList -> Out
set_value_with_tensor_: x values starts ends steps = set_value_with_tensor: Input ValueTensor StartsTensorList
    EndsTensorList StepsTensorList -> Out
print: in = print: In -> Out
memcpy: x = memcpy: X -> Out
box_coder: prior_box prior_box_var target_box = box_coder: PriorBox PriorBoxVar TargetBox -> OutputBox
yolo_box: x img_size = yolo_box: X ImgSize -> Boxes Scores
logsumexp: x = logsumexp: X -> Out
swish: x = swish: X -> Out
"""

# Those of one input and one result, by the name that both generations have, or "new=old"
ALIKE = """
relu relu6 sigmoid tanh exp sqrt rsqrt abs log log2 log10 log1p silu mish hardswish=hard_swish
hardsigmoid=hard_sigmoid gelu elu softplus leaky_relu hardtanh=brelu celu selu hardshrink=hard_shrink softshrink
tanh_shrink thresholded_relu logsigmoid softsign rrelu maxout softmax log_softmax stanh square reciprocal sin cos tan
asin acos atan sinh cosh asinh acosh atanh floor ceil round sign erf expm1 logit logical_not bitwise_not
isnan=isnan_v2 isinf=isinf_v2 isfinite=isfinite_v2 cumprod flip pixel_shuffle pixel_unshuffle channel_shuffle
temporal_shift assign squared_l2_norm trunc logcumsumexp conj real
"""
PAIRED = """
add=elementwise_add subtract=elementwise_sub multiply=elementwise_mul divide=elementwise_div maximum=elementwise_max
minimum=elementwise_min fmax=elementwise_fmax fmin=elementwise_fmin elementwise_pow remainder=elementwise_mod
floor_divide=elementwise_floordiv heaviside=elementwise_heaviside equal not_equal less_than less_equal greater_than
greater_equal logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor dot bmm kron cross minus
"""
ATTRIBUTES = {
    "leaky_relu": {"negative_slope": "alpha"}, "softshrink": {"threshold": "lambda"}, "cumprod": {"dim": "dim"},
}  # fmt: skip


@dataclass(frozen=True)
class Known:
    """How an operator is written in the older generation; `inputs` and `outputs` in the newer one's order.

    name     in the newer one
    inputs   argument -> the forms that it has in the older one, () for none
    outputs  what the older one calls the results
    attrs    argument -> attribute, where they are called otherwise
    """

    name: str
    inputs: Mapping[str, tuple[str, ...]]
    outputs: tuple[str, ...]
    attrs: Mapping[str, str]


def _line(text: str) -> tuple[str, Known]:
    """("older name", how it is written)."""
    new, _, old = text.partition(" = ")
    name, _, arguments = new.partition(":")
    names = [one for one in arguments.split() if one != "-"]
    if not old:
        return "", Known(name, dict.fromkeys(names, ()), (), {})
    old, _, renamed = old.partition(" | ")
    old, _, outputs = old.partition(" -> ")
    called, _, forms = old.partition(":")
    slots = [() if one == "-" else tuple(one.split("/")) for one in forms.split()]
    attrs = {new: was for new, _, was in (pair.partition("=") for pair in renamed.split())}
    return called, Known(name, dict(zip(names, slots, strict=False)), tuple(outputs.split()), attrs)


def _read() -> tuple[dict[str, tuple[str, ...]], dict[str, Known]]:
    pairs = [_line(text) for text in LINES.replace("\n   ", "").strip().splitlines()]
    for text, inputs in ((ALIKE, {"x": ("X",)}), (PAIRED, {"x": ("X",), "y": ("Y",)})):
        for word in text.split():
            new, _, old = word.partition("=")
            pairs.append((old or new, Known(new, inputs, ("Out",), ATTRIBUTES.get(new, {}))))
    newer = {known.name: tuple(known.inputs) for _, known in pairs}
    return newer, {called: known for called, known in pairs if called}


ARGUMENTS, OLDER = _read()  # by the newer name, and by the older one
