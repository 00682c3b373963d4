"""Training the document of a session: start, stop, resume, and what the worker tells meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine import runs
from engine.document import weights
from engine.recipe import recipe
from studio.session import Session
from studio.training import places, words
from studio.training.run import Run, data_set, mark_stopped, same_network
from studio.training.shelf import Shelf

Message = dict[str, Any]
NO_SCALARS = {"event", "type", "of", "epochs", "seconds", "samples_per_s", "left_s", "request"}
NO_SCALARS |= {"watched", "judged", "checkpoint"}


class Trainer(QObject):
    """``run``: what is shown, the training in progress or one that was picked; ``sentence``: its state."""

    changed = Signal()
    """The state, the sentence or the progress is another."""
    stepped = Signal()
    """A batch more."""
    shown = Signal()
    """Another run is shown, or the one in progress has an epoch more."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.session = session
        self.shelf = Shelf(session, self)
        self.run: Run | None = None
        self.busy = self.stopping = self._learning = False
        self.sentence, self.fault, self.fault_node = "", "", ""
        self.part: float | None = None
        """How much of the training is done, 0 to 1; None where that is not known."""
        self.note = ""
        """Speed and time left."""
        runner = session.runner
        runner.progress.connect(self._on_progress)
        runner.metrics.connect(self._on_epoch)
        runner.ended.connect(self._on_ended)
        runner.failed.connect(self._on_failed)
        runner.state_changed.connect(self._on_state)
        self.shelf.changed.connect(self._on_shelf)

    @staticmethod
    def of(session: Session) -> Trainer:
        """The one trainer of a session."""
        found = session.findChild(Trainer)
        return found if isinstance(found, Trainer) else Trainer(session)

    # --- what one can do

    def trainable(self) -> bool:
        """Whether there is something to learn from: recordings with a loss."""
        kinds = {node.type.partition(".")[0] for node in self.session.document.nodes.values()}
        return {"dataset", "loss"} <= kinds

    def can_train(self) -> bool:
        """Whether a training may begin."""
        return not self.busy and self.session.runner.state not in ("loading", "training")

    def can_resume(self) -> bool:
        """Whether the run that is shown may go on."""
        return self.can_train() and self.run is not None and self.run.resumable and self._left(self.run) > 0

    def train(self) -> None:
        """Train from the beginning, into a folder of its own; what cannot learn is refused at once."""
        if not self.trainable():
            self.session.refused.emit("Training needs a data set and a loss on the canvas")
        elif self.can_train():
            self._begin(Run(places.new_run(places.runs_folder(self.session)).absolute()))

    def resume(self) -> None:
        """Go on with the run that is shown, up to the epochs that the recipe has now."""
        run = self.run
        if run is None or not self.can_resume():
            return
        if run.drawn is not None and not same_network(run.drawn, self.session.document):
            self._fault(f"the drawing has changed since run {run.word}: undo that, or train afresh", "")
            return
        done = run.epochs
        self._begin(Run(run.folder, run.record, run.rows[:done], run.seen[:done], run.steps), resume=True)

    def stop(self) -> None:
        """Stop after the batch at hand; the last whole epoch is kept."""
        if self.busy:
            self.stopping = True
            self._say("stopping after this batch")
            self.session.runner.stop()

    def show(self, id: str) -> None:
        """Show another run, unless one is in progress."""
        found = self.shelf.find(id)
        if found is not None and not self.busy and found is not self.run:
            self.run, self.fault = found, ""
            self._rest()
            self.shown.emit()

    def use_weights(self, run: Run) -> bool:
        """Let the document start from what a run has learned: one edit."""
        folder = self.session.path.parent if self.session.path else None
        ops = weights.starting_from(self.session.document, run.weights, folder)
        if not run.weights.exists():
            self.session.refused.emit(f"Run {run.word} has no weights: {run.weights.name} is not there")
            return False
        used = self.session.edit(f"Use weights of {run.word}", ops)
        if used and run.drawn is not None and not same_network(run.drawn, self.session.document):
            self.session.noticed.emit(
                f"The drawing has changed since run {run.word}; Play says so if its weights do not fit"
            )
        return used

    def start_fresh(self) -> None:
        """Let the document draw its weights from its seed again: one edit."""
        ops = weights.starting_from(self.session.document, None, None)
        if ops:
            self.session.edit("Start from fresh weights", ops)

    def starts_from(self) -> str:
        """Which weights the document names, in words; empty where it draws them."""
        place = weights.place(self.session.document, self.session.folder)
        if place is None:
            return ""
        run = self.shelf.find(place.parent.name)
        return f"run {run.word}" if run else place.name

    def changed_since(self, run: Run) -> bool:
        """Whether the drawing is another than when the run began."""
        return run.drawn is not None and not same_network(run.drawn, self.session.document)

    # --- what happens

    def _begin(self, run: Run, resume: bool = False) -> None:
        chosen = recipe("train", self.session.document.recipes)
        run.record = {
            **{key: value for key, value in run.record.items() if key != "result"},
            "recipe": dict(chosen),
            "seed": self.session.document.meta.get("seed", 0),
            "protocol": runs.protocol(chosen.validation),
            "weights": runs.WEIGHTS,
        }
        run.status, run.resumable, run.drawn = "running", False, self.session.document.copy()
        self.run = self.shelf.live = run
        self.busy, self.stopping, self._learning = True, False, False
        self.fault, self.part, self.note = "", None, ""
        self._say("loading the network")
        self.shown.emit()
        self.shelf.changed.emit()
        self.session.runner.train(run.folder, **({"resume": True} if resume else {}))

    def _on_progress(self, message: Message) -> None:
        if not self.busy or self.run is None or message.get("of") != "train":
            return
        if message["event"] == "step":
            self._on_step(self.run, message)
        else:
            if not self.run.steps:
                self.part = message["done"] / max(message["total"], 1)
            self._say(f"{message['what']} {message['done']:,}/{message['total']:,}")

    def _on_step(self, run: Run, message: Message) -> None:
        done = message["epoch"] - 1 + message["batch"] / message["batches"]
        run.steps.append((done, message["loss"]))
        run.record.setdefault("chance", message["chance"])
        self.part, self.note = done / message["epochs"], words.speed(run, message)
        self._say(words.step(message))
        self.stepped.emit()

    def _on_epoch(self, message: Message) -> None:
        if not self.busy or self.run is None or message.get("event") != "epoch":
            return
        run, epoch = self.run, message["epoch"]
        row = {key: value for key, value in message.items() if key not in NO_SCALARS}
        seen: Message = {key: message[key] for key in ("epoch", "watched", "judged") if key in message}
        # an epoch that a crash left without its checkpoint comes again
        run.rows = [*(one for one in run.rows if one["epoch"] < epoch), row]
        run.seen = [*(one for one in run.seen if one["epoch"] < epoch), seen]
        self.run.record["samples_per_s"] = message["samples_per_s"]
        self.part = epoch / message["epochs"]
        self.changed.emit()
        self.shown.emit()

    def _on_ended(self, message: Message) -> None:
        if not self.busy or message.get("of") not in ("train", "stop", "load"):
            return
        if message.get("of") == "train" and "record" in message:
            assert self.run is not None
            self.run.record = {**self.run.record, **message["record"]}
        self._over("done" if message.get("reason") == "finished" else "stopped")

    def _on_failed(self, text: str, node: str) -> None:
        run = self.run
        if run is not None and self.busy and self.session.runner.state not in ("loading", "training"):
            self._over("interrupted" if (run.folder / runs.WEIGHTS).exists() else "failed")
            self._fault(text, node)

    def _on_state(self, state: str) -> None:
        self._learning = self._learning or state == "training"
        # a training that has begun says itself when it is over
        if self.busy and self.stopping and not self._learning and state in ("ready", "off"):
            self._over("stopped")

    def _over(self, status: str) -> None:
        run = self.run
        assert run is not None
        self.busy = self.stopping = False
        run.status = status
        if status == "stopped":
            mark_stopped(run.folder)
        run.resumable = (run.folder / runs.WEIGHTS).exists()
        self.part, self.note = None, ""
        if not run.resumable and not run.rows:
            self.shelf.live = None
        self._rest()
        self.shown.emit()
        self.shelf.changed.emit()
        self.shelf.refresh()

    def _fault(self, text: str, node: str) -> None:
        self.fault, self.fault_node = words.capital(text), node
        self.changed.emit()

    def _rest(self) -> None:
        """What is said while nothing runs."""
        self._say(words.outcome(self.run) if self.run else "")

    def _say(self, sentence: str) -> None:
        self.sentence = words.capital(sentence)
        self.changed.emit()

    def _on_shelf(self) -> None:
        if self.busy:
            return
        if self.shelf.live is not None and self.shelf.has(self.shelf.live.folder):
            self.shelf.live = None
        wanted = self.run.id if self.run else ""
        run = self.shelf.find(wanted) or next(iter(sorted(self.shelf.runs, key=lambda r: r.id)[-1:]), None)
        if run is not self.run:
            if run is not None and self.run is not None and run.id == self.run.id:
                run.steps = self.run.steps
            self.run = run
            self._rest()
            self.shown.emit()

    def _left(self, run: Run) -> int:
        return int(recipe("train", self.session.document.recipes).epochs) - run.epochs

    def result(self) -> tuple[str, str]:
        """The result of the run that is shown, and the protocol by which it came about."""
        return words.result(self.run, data_set(self.run.drawn)) if self.run else ("", "")

    def again(self, run: Run) -> str:
        """The command line that repeats a run."""
        return words.command(run.folder / runs.DRAWN, Path(f"{run.folder}-again"))
