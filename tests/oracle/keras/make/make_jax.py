"""The cases jax_*: python -m venv E; E/bin/pip install keras==3.15.1 jax h5py numpy==2.4.6; E/bin/python make_jax.py mix tiny_unet
one_d three_d ops_h5 prep einsum wn one_score one_logit grey bytes_in. The files lie in /tmp/k3cases then. Without names it also makes larger ones, which were compared and not kept.
"""
import os,sys
os.environ["KERAS_BACKEND"]="jax"
import numpy as np, keras
from keras import layers as L, ops
out="/tmp/k3cases"; os.makedirs(out,exist_ok=True)
rng=np.random.default_rng(99)
def randomise(m):
    for v in m.weights:
        n=v.path.rpartition("/")[2]; s=tuple(v.shape)
        if "int" in str(v.dtype): continue
        if n in("gamma","scale"): x=1+.25*rng.standard_normal(s)
        elif n=="moving_variance" or n=="variance": x=.5+rng.random(s)
        elif n in("beta","bias","moving_mean","mean"): x=.1*rng.standard_normal(s)
        else:
            f=max(1,np.prod(s[:-1])); x=rng.standard_normal(s)*min(.5,1/np.sqrt(f))
        v.assign(x.astype("float32"))
def save(name,m,xs,h5=True):
    randomise(m)
    y=m(xs if len(xs)>1 else xs[0],training=False)
    ys=[np.asarray(o) for o in (y.values() if isinstance(y,dict) else y if isinstance(y,(list,tuple)) else [y])]
    m.save(f"{out}/{name}.keras")
    if h5: m.save(f"{out}/{name}.h5")
    np.savez(f"{out}/{name}.npz",**{f"x{i}":x for i,x in enumerate(xs)},**{f"y{i}":q for i,q in enumerate(ys)})
    print(name,"ok",flush=True)
P=lambda *s:(rng.random(s)).astype("float32")
which=sys.argv[1:]
def case(f):
    if which and f.__name__ not in which: return
    try: f()
    except Exception as e: print(f.__name__,"FAILED",repr(e)[:300],flush=True)
@case
def mix():
    i=L.Input((20,21,3)); x=L.Rescaling(1/127.5,offset=-1)(i); x=L.RandomFlip()(x)
    x=L.Conv2D(8,5,strides=3,padding="same",activation="gelu")(x); x=L.Conv2DTranspose(6,4,strides=2,padding="same",dilation_rate=1)(x)
    x=L.SeparableConv2D(8,3,padding="same",depth_multiplier=2,activation="swish")(x); x=L.GroupNormalization(4)(x)
    a=L.GlobalMaxPooling2D()(x); b=L.GlobalAveragePooling2D()(x); x=L.Concatenate()([a,b]); x=L.Dense(7,activation="elu")(x); x=L.Dense(4,activation="softmax")(x)
    save("mix",keras.Model(i,x),[255*P(2,20,21,3)])
@case
def tiny_unet():
    i=L.Input((16,24,3)); c1=L.Conv2D(4,3,padding="same",activation="relu")(i); p=L.MaxPooling2D()(c1)
    c2=L.Conv2D(8,3,padding="same",activation="relu")(p); u=L.UpSampling2D(interpolation="bilinear")(c2); x=L.Concatenate()([u,c1]); x=L.Conv2D(2,1,activation="sigmoid")(x)
    save("tiny_unet",keras.Model(i,x),[P(2,16,24,3)])
@case
def one_d():
    i=L.Input((30,4)); x=L.Conv1D(6,5,padding="causal",dilation_rate=2)(i); x=L.BatchNormalization()(x); x=L.LeakyReLU(negative_slope=.1)(x); x=L.MaxPooling1D(2,padding="same")(x); x=L.UpSampling1D(3)(x); x=L.Cropping1D((2,1))(x); x=L.ZeroPadding1D(2)(x)
    x=L.AveragePooling1D(3,strides=2)(x); x=L.SpatialDropout1D(.2)(x); x=L.Flatten()(x); x=L.Dense(3,activation="tanh")(x)
    save("one_d",keras.Model(i,x),[P(3,30,4)])
def one_number(name,end):
    i=L.Input((12,12,3)); x=L.Conv2D(3,3,strides=2,activation="relu")(i); x=L.GlobalAveragePooling2D()(x)
    save(name,keras.Model(i,L.Dense(1,activation=end)(x)),[P(4,12,12,3)],h5=False)
@case
def one_score(): one_number("one_score","sigmoid")
@case
def one_logit(): one_number("one_logit",None)
@case
def grey():
    i=L.Input((10,10)); x=L.Dense(6,activation="relu")(L.Flatten()(i))
    save("grey",keras.Model(i,L.Dense(4)(x)),[P(5,10,10)],h5=False)
@case
def bytes_in():
    i=L.Input((8,8,3),dtype="uint8"); x=L.Conv2D(3,3,activation="relu")(L.Rescaling(1/255.)(i))
    save("bytes_in",keras.Model(i,L.Dense(3,activation="softmax")(L.Flatten()(x))),[rng.integers(0,256,(3,8,8,3)).astype("uint8")],h5=False)
@case
def three_d():
    i=L.Input((6,7,8,2)); x=L.Conv3D(4,(2,3,3),strides=(1,2,1),padding="same",groups=2)(i); x=L.MaxPooling3D((2,2,1))(x); x=L.UpSampling3D((1,2,2))(x); x=L.ZeroPadding3D(1)(x); x=L.Cropping3D(((1,0),(0,1),(1,1)))(x); x=L.Conv3DTranspose(3,3,strides=2,padding="valid")(x); x=L.GlobalAveragePooling3D()(x); x=L.Dense(2)(x)
    save("three_d",keras.Model(i,x),[P(2,6,7,8,2)])
@case
def subclass_of_ops():
    i=L.Input((6,8,4)); x=ops.mean(i,axis=-1,keepdims=True)*i; x=ops.swapaxes(x,1,2); y=ops.split(x,2,axis=-1); z=ops.concatenate([y[1],y[0]],axis=-1); z=ops.pad(z,[[0,0],[1,1],[0,2],[0,0]]); s=ops.std(z,axis=[1,2]); v=ops.argmax(z,axis=-1); w=ops.where(z>0.5,z,-z); q=ops.einsum("bijc,bkjc->bik",x,x); r=z[:,::2,-1]; r2=z[:,None,...,1]; f=ops.flip(z,axis=1); m=ops.maximum(z,.3)//.2; c=ops.log1p(ops.abs(z)); d=ops.cast(v,"float32")
    save("subclass_of_ops",keras.Model(i,[z,s,w,q,r,r2,f,m,c,d]),[P(2,6,8,4)],h5=False)
@case
def transfer():
    base=keras.applications.MobileNetV2(input_shape=(64,64,3),include_top=False,weights=None,alpha=.35); base.trainable=False
    i=L.Input((64,64,3)); x=keras.applications.mobilenet_v2.preprocess_input(i); x=base(x,training=False); x=L.GlobalAveragePooling2D()(x); x=L.Dropout(.2)(x); o=L.Dense(5)(x)
    save("transfer",keras.Model(i,o),[255*P(2,64,64,3)])
@case
def seq_transfer():
    base=keras.applications.MobileNetV3Small(input_shape=(64,64,3),include_top=False,weights=None,pooling="avg")
    m=keras.Sequential([L.Input((64,64,3)),base,L.Dense(4,activation="softmax")])
    save("seq_transfer",m,[255*P(2,64,64,3)])
for n,kw in (("EfficientNetB0",{}),("DenseNet121",{}),("ResNet50V2",{}),("NASNetMobile",{"input_shape":(224,224,3)}),("InceptionV3",{"input_shape":(96,96,3)}),("Xception",{"input_shape":(96,96,3)}),("MobileNet",{}),("EfficientNetV2B0",{}),("ConvNeXtTiny",{})):
    def app(n=n,kw=kw):
        kw={"input_shape":(64,64,3),**kw}
        if n=="NASNetMobile": kw={"include_top":False,"pooling":"avg","weights":None,"input_shape":(64,64,3)}
        m=getattr(keras.applications,n)(**{"weights":None,**({"classes":10} if n!="NASNetMobile" else {}),**kw})
        save(n,m,[255*P(1,*m.input_shape[1:])],h5=n in("EfficientNetB0","NASNetMobile","DenseNet121"))
    app.__name__=n; case(app)
@case
def prep():
    i=L.Input((18,13,3)); n=L.Normalization(mean=[.4,.5,.6],variance=[.1,.2,.3])(i); r=L.Resizing(9,11,crop_to_aspect_ratio=True)(n); c=L.CenterCrop(8,10)(n); p=L.Resizing(10,10,pad_to_aspect_ratio=True,interpolation="nearest")(n); m=L.Resizing(30,7,interpolation="bicubic")(n); a=L.AveragePooling2D(3,2,padding="same")(m); e=L.UpSampling2D((2,3))(c); g=L.Permute((2,1,3))(c); rs=L.Reshape((-1,3))(c); dt=L.Dot(axes=2)([rs,rs]); dt2=L.Dot(axes=(1,1),normalize=True)([rs,rs])
    save("prep",keras.Model(i,[r,c,p,m,a,e,g,dt,dt2]),[P(2,18,13,3)])
@case
def any_size():
    i=L.Input((None,None,3)); x=L.Conv2D(4,3,padding="same",activation="relu")(i); x=L.Conv2D(4,3,strides=2)(x); x=L.GlobalAveragePooling2D()(x); save("any_size",keras.Model(i,L.Dense(3,activation="softmax")(x)),[P(2,20,21,3)])
@case
def einsum():
    i=L.Input((5,6)); x=L.EinsumDense("abc,cde->abde",output_shape=(None,3,4),bias_axes="de",activation="relu")(i); y=L.EinsumDense("abde,de->ab",output_shape=(None,),bias_axes=None)(x); z=L.EinsumDense("...x,xy->...y",output_shape=(7,),bias_axes="y")(i); save("einsum",keras.Model(i,[x,y,z]),[P(2,5,6)])
@case
def wn():
    i=L.Input((8,8,4)); x=L.LayerNormalization(axis=[1,2,3])(i); y=L.LayerNormalization(axis=1)(i); z=L.BatchNormalization(axis=2,scale=False)(i); u=L.UnitNormalization(axis=[1,2])(i); s=L.Softmax(axis=[1,2])(i); p=L.PReLU(shared_axes=[1,2])(i); q=L.GaussianNoise(.1)(i); f=L.Flatten()(L.Permute((3,1,2))(i)); d=L.Dense(3)(f); o=L.DepthwiseConv2D(3,depth_multiplier=2,strides=2,padding="same")(i); save("wn",keras.Model(i,[x,y,z,u,s,p,q,d,o]),[P(2,8,8,4)])
@case
def ops_h5():
    i=L.Input((6,8,4)); x=i*2.0; x=x/127.5-1; x=keras.ops.relu(x)+keras.ops.mean(i,axis=-1,keepdims=True); y=L.Add()([x,i]); z=ops.concatenate([y,x],axis=-1); z=L.Conv2D(3,1)(z); save("ops_h5",keras.Model(i,[z,1.0-ops.sqrt(ops.abs(z))]),[P(2,6,8,4)])
