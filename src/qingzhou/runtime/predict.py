"""Predictor: a model with its card. Data in, an answer out; everything between is done as the card says.

What only some models need is imported where it is used: a program is given the modules that its model needs.
"""

from __future__ import annotations

import math
import os
import sys
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Tuple

import numpy as np

from .engine.session import fed, open_any
from .errors import FileMissing, ImageError, InputError, ModelError, NoCard, SelfTestFailed, line, say
from .model.answers import Prediction, differs, hint, hinted, label_of, look, named_in
from .model.card import KEY, Card, Input, Sample, outputs_of
from .read import several

if TYPE_CHECKING:
    from .model.detect import Found
    from .model.prepare import View
    from .typed import Array, Entry, FilePath, Session

__all__ = ["Prediction", "Predictor", "load"]


def load(
    path: FilePath, threads: Optional[int] = None, exact: Optional[bool] = None, kind: Optional[str] = None
) -> Predictor:
    """Open a converted model. `threads` limits the processor cores it uses; by default all. FileMissing, ModelError.

    `exact`: never decode a JPEG smaller than it is; by default what the environment variable QINGZHOU_EXACT says.
    `kind`: what the program can use, of card.kind; ModelError for another model.
    """
    predictor = Predictor(path, threads=threads)
    if kind is not None and kind != predictor.card.kind:
        raise ModelError(
            en="%s is a model of another kind than the one that this program was written for. Run the program that was "
            "written with it, or convert it again: qingzhou convert." % os.path.basename(str(path)),
            zh="%s 是另一种模型，而这个程序不是为它生成的。请运行和它一起生成的程序，或重新转换：qingzhou convert。"
            % os.path.basename(str(path)),
        )
    predictor.exact = exact
    return predictor


class Predictor:
    """A model that can be asked.

    >>> model = load("best.onnx")
    >>> model.predict("cat.jpg")
    Prediction(label='cat', index=0, confidence=0.98, ...)
    """

    def __init__(
        self,
        path: FilePath,
        card: Optional[Card] = None,
        threads: Optional[int] = None,
        session: Optional[Session] = None,
    ) -> None:
        """`card` replaces the one in the file, for files that have none; `session`, with the methods of onnxruntime's
        that are used here, is another engine's that has opened the file already.
        """
        self.session = open_any(path, threads) if session is None else session
        self.card = card if card is not None else _card(self.session, str(path))
        self.labels = self.card.labels
        self.exact: Optional[bool] = None  # see read_for()
        state = self.session.get_overridable_initializers() if self.card.input.kind == "tokens" else ()
        self._inputs = [*self.session.get_inputs(), *state]  # other tools keep all weights among these
        self._names = [output.name for output in self.session.get_outputs()]
        self._place = _place(self._inputs, self._names, self.card)

    def predict(self, data: Any, order: str = "RGB", threshold: Optional[float] = None) -> Any:
        """The answer for one input; a list of answers for several.

        Pictures: a path, bytes, PIL image or uint8 array (H, W[, 3]) whose colours are in `order` ("BGR" from OpenCV);
        a folder or list of them gives a list. Tables and arrays: one row or array, several, or a .csv / .npz file.
        Texts: the likeliest next word. Where the network takes several inputs at once, a mapping of the names in
        card.inputs to these. ImageError, InputError or FileMissing.

        A detector's answer for one picture is a list of Detection, best first. `threshold`, 0 to 1, replaces the
        confidence above which it, or a model that may name several classes, names things (card.thresholds["score"]);
        where the boxes are made inside the network (card.output.scores is "boxes") less confident ones are lost there,
        so it can only be raised.
        """
        if threshold is not None and self.card.thresholds is None:
            raise _no_threshold(self.card.task)
        if self.card.others:
            from .model.several import of_each

            return of_each(
                data,
                self.card,
                lambda entry, one: self._prepared(entry, one, order),
                lambda feed: self.run(self._with_state(feed)),
                lambda outputs: self.answer(outputs, None, threshold),
            )
        if self.card.input.kind == "image":
            many = several(data)
            if many is not None:
                return [self._one(picture, order, threshold) for picture in many]
            return self._one(data, order, threshold)
        if self.card.input.kind == "tokens":
            from .model.words import next_word

            return next_word(self.step, self.prepare(data), self.card.vocabulary)
        from .model.rowwise import answers

        return answers(self, data)

    def each(self, data: Any, threshold: Optional[float] = None) -> Iterator[Tuple[Any, Any]]:
        """Of every picture of a folder or list (picture, answer); of every row of other data (its number, answer).

        A picture that cannot be read is named and left out, unless there is no other.
        """
        if self.card.input.kind != "image":
            found = self.predict(data)
            yield from enumerate(found if isinstance(found, list) else [found], start=1)
            return
        pictures, none = several(data) or [data], True
        for place, picture in enumerate(pictures, start=1):
            try:
                answer = self.predict(picture, threshold=threshold)
            except (FileMissing, ImageError) as err:
                if none and place == len(pictures):
                    raise
                print(say("Left out: %s", "跳过：%s") % line(err), file=sys.stderr)
            else:
                none = False
                yield picture, answer

    def prepare(self, data: object, order: str = "RGB") -> Array:
        """The array that the network takes for this input, with its batch axis."""
        return self._prepared(self.card.input, data, order)

    def _prepared(self, entry: Input, data: Any, order: str = "RGB") -> Array:
        if entry.kind == "image":
            from .model.image import read_for
            from .model.prepare import prepare

            return prepare(read_for(data, entry, order, self.exact), entry)
        if entry.kind == "tokens":
            from .model.words import numbers

            return numbers(data, self.card.vocabulary)
        if entry.columns:
            from .model.cells import table_of

            batch: Array = table_of(data, entry)
            return batch
        from .model.tables import batch_of

        return batch_of(data, entry.shape)

    def scores(self, batch: Array) -> Array:
        """What the network says of a prepared batch, (N, …): probabilities where it has classes."""
        return self._scores(self.outputs(batch))

    def outputs(self, batch: Array) -> List[Array]:
        """All outputs of the network for a prepared batch, as they are; InputError if it refuses it."""
        return self.run(self._with_state({self.card.input.name: batch}))

    def answer(self, outputs: List[Array], view: Optional[View] = None, threshold: Optional[float] = None) -> Any:
        """What the outputs for one input mean.

        A detector's boxes are placed in the picture of the view (of prepare.prepare_view); without one they are in
        pixels of the network's input.
        """
        if self.card.task == "detection":
            from .model.detect import locate

            return locate(self.found(outputs, threshold), self.labels, view)
        return self.prediction(self._scores(outputs).reshape(-1), threshold, self._label(outputs))

    def found(self, outputs: List[Array], threshold: Optional[float] = None) -> Found:
        """A detector's boxes in pixels of the network's input; found(…).rows() is what a sample's answer holds."""
        from .model.detect import read

        return read(dict(zip(self._names, outputs)), self.card, threshold)

    def run(self, feed: Dict[str, Array]) -> List[Array]:
        """All outputs of the network for all its inputs, by name; InputError if it refuses them."""
        try:
            return list(self.session.run(None, feed))
        except Exception as err:  # onnxruntime has a class of its own for every kind of wrong input
            raise InputError(
                en="The model refused its input: %s. Expected the shape %s." % (str(err)[:200], self._wanted()),
                zh="模型不接受这个输入：%s。应为形状 %s。" % (str(err)[:200], self._wanted()),
            ) from None

    def generate(self, text: str, length: int = 20, seed: Optional[int] = None) -> str:
        """`text` continued by `length` words: always the likeliest, or with a seed drawn by their probabilities."""
        if self.card.input.kind != "tokens":
            raise _no_words(self.card.input.kind)
        from .model.words import generate

        return generate(self.step, self.card.vocabulary, text, length, seed)

    def step(self, token: Array, state: Dict[str, Array]) -> Tuple[Array, Dict[str, Array]]:
        """Tokens (length, 1) and the state before ({} at first) -> the next one's scores, and the state after."""
        from .model.words import following

        outputs = self.run({**self._with_state({self.card.input.name: token}), **state})
        return following(self._scores(outputs), outputs, self._inputs, self._names, self.card)

    # -- the model's own sample --------------------------------------------------------------------------------------

    def sample_input(self) -> Any:
        """The card's sample as predict() takes it: a PIL image, one row or array, or token numbers; or by name."""
        sample = self._sample()
        found = {}
        for entry, one in zip(self.card.inputs, [sample.input, *sample.others]):
            data = _of_sample(one)
            if entry.columns:
                from .model.cells import decoded

                data = [decoded(row, entry) for row in data]
            found[entry.name] = data[0] if entry.kind in ("table", "array") and np.shape(data)[:1] == (1,) else data
        return found if self.card.others else found[self.card.input.name]

    def feed(self, sample: Sample) -> Dict[str, Array]:
        """What run() takes for a sample."""
        given = zip(self.card.inputs, [sample.input, *sample.others])
        return self._with_state({entry.name: self._of_sample(entry, one) for entry, one in given})

    def _of_sample(self, entry: Input, one: Dict[str, Any]) -> Array:
        """A sample of a table with names holds the network's own numbers."""
        data = _of_sample(one)
        return np.asarray(data, np.float32) if entry.columns else self._prepared(entry, data)

    def check(self) -> float:
        """The largest difference between the answer to the sample and the one in the card, or SelfTestFailed."""
        sample = self._sample()
        if self.card.task == "detection":
            from .model.detect import check

            feed = self.feed(sample)
            side = float(max(self.card.input.sides(feed[self.card.input.name].shape)))
            return check(self.found(self.run(feed)), sample, side)
        if not sample.output:
            raise _untested()
        found = np.atleast_1d(np.asarray(self.run(self.feed(sample))[self._place], np.float64))
        expected = np.asarray(sample.output, np.float64)
        if found.shape != expected.shape:
            raise differs("%s, not %s" % (list(found.shape), list(expected.shape)))
        worst = float(np.abs(found - expected).max(initial=0))
        if not worst <= sample.tolerance * max(1.0, float(np.abs(expected).max(initial=0))):
            raise differs("%.3g" % worst)
        return worst

    def _sample(self) -> Sample:
        if self.card.sample is None:
            raise _untested()
        return self.card.sample

    # -- answers -----------------------------------------------------------------------------------------------------

    def _one(self, picture: Any, order: str, threshold: Optional[float]) -> Any:
        from .model.image import read_for
        from .model.prepare import prepare_view

        batch, view = prepare_view(read_for(picture, self.card.input, order, self.exact), self.card.input)
        answer = self.answer(self.outputs(batch), view, threshold)
        return hinted(answer, hint(look(picture, batch, self.card.input), self.card.pictures))

    def _scores(self, outputs: List[Array]) -> Array:
        """The output that holds the scores, as probabilities where it has classes."""
        found = np.asarray(outputs[self._place])
        return _softmax(found.astype(np.float32)) if self.card.output.scores == "logits" else found

    def _label(self, outputs: List[Array]) -> Optional[int]:
        """Which class the network itself says that it is, where it does."""
        name = self.card.output.label
        return int(np.asarray(outputs[self._names.index(name)]).reshape(-1)[0]) if name else None

    def prediction(self, row: Array, threshold: Optional[float] = None, index: Optional[int] = None) -> Prediction:
        """What one input's scores mean; the class is that of the highest, or `index`."""
        index = int(row.argmax()) if index is None else index
        if self.card.task != "classification":
            return Prediction("", index, math.nan, row)
        named = named_in(row, self.card, threshold)
        label = "" if named == () else label_of(index, self.labels)
        return Prediction(label, index, float(row[index]), row, named)

    # -- tables and arrays -------------------------------------------------------------------------------------------

    def _wanted(self) -> str:
        return "[%s]" % ", ".join("N" if n is None else str(n) for n in self.card.input.shape)

    def _with_state(self, given: Dict[str, Array]) -> Dict[str, Array]:
        """Batches by their inputs' names, and zeros for the state of networks that have one."""
        if self.card.others:
            from .model.several import check

            check(given, self.card)
        return fed(self._inputs, given)


def _card(session: Session, path: str) -> Card:
    metadata = session.get_modelmeta().custom_metadata_map
    if KEY in metadata:
        return Card.from_json(metadata[KEY])
    name = os.path.basename(path)
    if name[-5:].lower() != ".onnx":
        raise NoCard(
            en="%s was compiled without a card. Compile it anew: qingzhou convert model.onnx, then qingzhou export"
            % name,
            zh="%s 编译时没有说明卡。请重新生成：先 qingzhou convert model.onnx，再 qingzhou export" % name,
        )
    raise NoCard(
        en="%s has no card that says how to use it. Give it one: qingzhou convert %s" % (name, name),
        zh="%s 里没有说明卡，无法知道如何使用。请补上：qingzhou convert %s" % (name, name),
    )


def _place(inputs: List[Entry], names: List[str], card: Card) -> int:
    """The number of the output that holds the scores; ModelError if the card names what the network has not."""
    missing = [name for name in outputs_of(card) if name not in names]
    given = next((one for one in card.inputs if one.name not in [entry.name for entry in inputs]), None)
    if given is not None or missing:
        name = missing[0] if missing else card.output.name
        entry = (given or card.input).name[:60]
        raise ModelError(
            en="The card speaks of the input %s and the output %s, which this network has not. Convert the checkpoint "
            "again." % (entry, name[:60]),
            zh="说明卡里的输入 %s 和输出 %s 与这个网络不符。请重新转换权重文件。" % (entry, name[:60]),
        )
    return names.index(card.output.name)


def _softmax(logits: Array) -> Array:
    """Probabilities along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _of_sample(one: Dict[str, Any]) -> Any:
    """A PIL image, or an array."""
    if one["encoding"] == "json":
        return np.asarray(one["data"])
    if one["encoding"] == "noise":
        from .model.noise import noise

        return noise(*one["data"])
    from .model.image import decoded

    return decoded(one["data"])


def _no_threshold(task: str) -> InputError:
    return InputError(
        en="threshold is for models that detect things or may name several classes; this one does %s. Leave it out."
        % task,
        zh="threshold 只用于目标检测模型和一图多类的模型，而这个模型的任务是 %s。请不要写它。" % task,
    )


def _no_words(kind: str) -> InputError:
    return InputError(
        en="This model takes no words (%s) and cannot write texts. Use predict()." % kind,
        zh="这个模型的输入不是文字（%s），不能生成文本。请使用 predict()。" % kind,
    )


def _untested() -> SelfTestFailed:
    return SelfTestFailed(
        en="The model's card holds no answer to compare with: it was too long to be kept, or --no-check was given. "
        "Convert again without that.",
        zh="说明卡里没有示例的答案：太长而未保存，或转换时加了 --no-check。请去掉它重新转换。",
    )
