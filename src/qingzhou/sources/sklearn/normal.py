"""The normal distribution to 16 digits: quantile(), Wichura 1988, algorithm AS 241; erf(), Cody 1969.

ONNX has Erf, and engines have it in float32 alone.
"""

from __future__ import annotations

from ...graph.form import Value
from .work import Work

# PPND16: numerators and denominators, from the highest power down
MIDDLE = (
    (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
     1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0),
    (5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
     5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0),
)  # fmt: skip
NEAR = (
    (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
     3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0),
    (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
     6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0),
)  # fmt: skip
FAR = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0),
    (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
     1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0),
)  # fmt: skip


def quantile(w: Work, share: Value) -> Value:
    """Of shares between 0 and 1, both excluded."""
    away = w.sub(share, 0.5)
    middle = w.mul(away, _ratio(w, w.sub(0.180625, w.mul(away, away)), MIDDLE))
    tail = w.op("Min", share, w.sub(1.0, share))
    root = w.op("Sqrt", w.op("Neg", w.op("Log", tail)))
    near, far = _ratio(w, w.sub(root, 1.6), NEAR), _ratio(w, w.sub(root, 5.0), FAR)
    outer = w.where(w.op("Greater", root, 5.0), far, near)
    outer = w.where(w.op("Less", away, 0.0), w.op("Neg", outer), outer)
    return w.where(w.op("Greater", w.op("Abs", away), 0.425), outer, middle)


def _ratio(w: Work, x: Value, terms: tuple[tuple[float, ...], tuple[float, ...]]) -> Value:
    above, below = (_polynomial(w, x, one) for one in terms)
    return w.div(above, below)


def _polynomial(w: Work, x: Value, terms: tuple[float, ...]) -> Value:
    found = w.add(w.mul(x, terms[0]), terms[1])
    for one in terms[2:]:
        found = w.add(w.mul(found, x), one)
    return found


# erf near 0 as a ratio of polynomials in x², beyond as one of x; from the highest power down
INNER = (
    (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
     3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)  # fmt: skip
OUTER = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
     1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
     3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)  # fmt: skip
EDGE = 0.46875


def erf(w: Work, x: Value) -> Value:
    """The error function, within 3e-16."""
    size = w.op("Min", w.op("Abs", x), 30.0)
    square = w.mul(size, size)
    inner = w.mul(size, _ratio(w, w.op("Min", square, EDGE**2), INNER))
    outer = w.sub(1.0, w.mul(w.exp(w.op("Neg", square)), _ratio(w, size, OUTER)))
    found = w.where(w.op("Greater", size, EDGE), outer, inner)
    return w.where(w.op("Less", x, 0.0), w.op("Neg", found), found)
