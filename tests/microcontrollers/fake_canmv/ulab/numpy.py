"""As much of ulab as the program uses, for MicroPython's unix port: flat lists or bytes with a shape."""

import math

uint8 = "B"


class ndarray:
    def __init__(self, numbers, shape):
        self.numbers, self.shape = numbers, tuple(shape)

    def reshape(self, shape):
        count = 1
        for side in shape:
            count *= side
        assert count == len(self.numbers), "%s into %s" % (self.shape, shape)
        return ndarray(self.numbers, shape)

    def flatten(self):
        return ndarray(self.numbers, (len(self.numbers),))

    def __getitem__(self, i):
        if len(self.shape) == 1:
            return self.numbers[i]
        step = len(self.numbers) // self.shape[0]
        return ndarray(self.numbers[i * step : (i + 1) * step], self.shape[1:])

    def _with(self, other, work):
        pairs = (
            zip(self.numbers, other.numbers) if isinstance(other, ndarray) else ((one, other) for one in self.numbers)
        )
        return ndarray([work(a, b) for a, b in pairs], self.shape)

    def __add__(self, other):
        return self._with(other, lambda a, b: a + b)

    def __sub__(self, other):
        return self._with(other, lambda a, b: a - b)

    def __truediv__(self, other):
        return self._with(other, lambda a, b: a / b)

    def __mul__(self, other):
        return self._with(other, lambda a, b: a * b)

    __radd__, __rmul__ = __add__, __mul__


def array(numbers, dtype=None):
    assert isinstance(numbers, ndarray)
    return ndarray([int(one) % 256 for one in numbers.numbers] if dtype == uint8 else numbers.numbers, numbers.shape)


def zeros(shape, dtype=None):
    count = 1
    for side in shape:
        count *= side
    return ndarray(bytes(count), shape)


def concatenate(parts):
    return ndarray(
        [one for part in parts for one in part.numbers], (sum([part.shape[0] for part in parts]),) + parts[0].shape[1:]
    )


def exp(one):
    return ndarray([math.exp(n) for n in one.numbers], one.shape)


def sum(one):
    total = 0
    for n in one.numbers if isinstance(one, ndarray) else one:
        total += n
    return total


def max(one):
    found = one.numbers[0]
    for n in one.numbers:
        found = n if n > found else found
    return found


def argmax(one):
    return one.numbers.index(max(one))
