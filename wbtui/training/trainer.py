"""How is one run trained, from its configuration to its predictions? Read it from `train` downward."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from wbtui.config import RunConfig
from wbtui.data.batches import DeviceImages
from wbtui.data.epoch_plan import EpochPlan
from wbtui.data.longtail import LongTailData
from wbtui.diagnostics.geometry import SplitGeometry
from wbtui.errors import RunFailedError
from wbtui.metrics.groups import assign_groups
from wbtui.models.heads import CosineHead, EtfHead, LinearHead
from wbtui.models.model import build_model
from wbtui.store import format as run_format
from wbtui.store.errors import complain
from wbtui.store.predictions import PredictionsMeta, SplitPredictions
from wbtui.store.writer import RunWriter
from wbtui.training import checkpoint as checkpoints
from wbtui.training.checkpoint import Best, Checkpoint, Position
from wbtui.training.engine import Steps, build_steps
from wbtui.training.evaluation import Evaluator
from wbtui.training.keeper import Keeper
from wbtui.training.measures import Measures
from wbtui.training.monitor import Monitor
from wbtui.training.outputs import Figures, classifier_of, on_host
from wbtui.training.patience import persist
from wbtui.training.reporter import EpochReport, Reporter
from wbtui.training.runtime import Runtime, seed_everything
from wbtui.training.stage import BatchSource, CachedFeatures, RunningSums, Stage

LOOK_EVERY = 50
"""Batches between looks at a CUDA loss: a look waits for the device."""


class StopRequested(KeyboardInterrupt):  # not an error: somebody asked for it
    """Somebody asked the run to stop; the message says who."""


class Trainer:
    """One run at work.

    Args:
        folder: the run folder.
        config: its configuration.
        data: its images.
        runtime: on what it computes.
        writer: of its events and arrays.
        monitor: of its heartbeat and its stops.
        changed: what is another than in the attempts before, in words; a resume tells of it.
    """

    def __init__(
        self,
        folder: Path,
        config: RunConfig,
        data: LongTailData,
        runtime: Runtime,
        writer: RunWriter,
        monitor: Monitor,
        changed: Sequence[str] = (),
    ) -> None:
        self._folder, self._config, self._data = folder, config, data
        self._runtime, self._writer, self._monitor = runtime, writer, monitor
        self._changed = changed
        seed_everything(config.seed)
        self.model = build_model(config.model, data.classes, data.channels, data.image_size)
        if runtime.channels_last:
            self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch leaves it out of its stubs
        self.model.to(runtime.device)
        names = [name for name in ("validation", "test") if len(data.split(name)[1])]
        self._train_images = self._images("train", crop_padding=config.data.crop_padding)
        self._evaluator = Evaluator(
            self.model,
            {"train": self._train_images, **{name: self._images(name) for name in names}},
            data.classes,
            config.model.feature_size,
            config.evaluation,
            runtime,
        )
        self._evaluated = names
        groups = assign_groups(data.train_counts, data.many_above, data.few_below)
        self._measures = Measures(data, groups, self.model, names)
        self._position = Position()
        self._best = {"validation": Best(), "test": Best()}
        self._reporter = Reporter(
            self._measures, writer, config.diagnostics.matrices_every, later=runtime.engine == "graphs"
        )
        self._keeper = Keeper(folder, writer, config.checkpoint.every_seconds)

    # ------------------------------------------------------------------ from the first epoch to the last

    def run(self) -> Figures:
        """Train what is left to train, then write the predictions.

        Raises:
            StopRequested: somebody asked for a stop; a checkpoint was taken.
            RunFailedError: the loss is not finite, or nothing can be written any more.
        """
        resumed = self._restore()
        if not resumed:
            self._align_etf()
        persist(lambda: self._measures.define(self._writer))
        for index in range(self._position.stage, len(self._config.stages)):
            stage, sums = self._begin_stage(index, resumed)
            resumed = None
            self._train_stage(stage, sums)
            if index + 1 < len(self._config.stages):
                self._position = replace(self._position, stage=index + 1, epoch=0, batch=0)
        return self._finish()

    def _train_stage(self, stage: Stage, sums: RunningSums) -> None:
        steps = build_steps(stage, self._batch_source(stage), sums, self._runtime)
        while self._position.epoch < stage.config.epochs:
            plan = self._plan(stage)
            started, first = time.monotonic(), self._position.batch
            self._train_epoch(stage, steps, plan, sums)
            trained = plan.bounds[-1][1] - plan.bounds[first][0] if first < len(plan) else 0
            self._end_epoch(stage, plan, sums, trained, time.monotonic() - started)
            sums.reset()

    def _train_epoch(self, stage: Stage, steps: Steps, plan: EpochPlan, sums: RunningSums) -> None:
        position = self._position
        stage.begin_epoch(position.epoch)
        if not steps.ready:
            self._monitor.enter("preparing", position.epochs_done + 1)
        steps.begin_epoch(plan, stage.learning_rates(position.epoch, len(plan)), position.batch)
        self._monitor.enter("training", position.epochs_done + 1, len(plan), position.batch)
        for batch in range(position.batch, len(plan)):
            steps.take(batch)
            first, last = plan.bounds[batch]
            self._position = replace(
                self._position, batch=batch + 1, images=self._position.images + last - first
            )
            self._monitor.batch_done(batch + 1)
            if self._looks_at_loss(batch):
                self._check_finite(stage, sums, len(plan))
            self._between_batches(stage, sums, batch + 1, len(plan))
        self._reporter.catch_up()
        self._check_finite(stage, sums, len(plan))
        stage.end_epoch()

    def _looks_at_loss(self, batch: int) -> bool:
        """Whether to see after this batch that the loss is finite; recorded steps are looked at once an epoch."""
        if self._runtime.engine == "graphs":
            return False
        return self._runtime.device.type == "cpu" or batch % LOOK_EVERY == LOOK_EVERY - 1

    def _between_batches(self, stage: Stage, sums: RunningSums, done: int, batches: int) -> None:
        reason = self._monitor.stop_reason()
        if reason:
            self._check_finite(stage, sums, batches)
            self._save_checkpoint(stage, sums)
            raise StopRequested(reason)
        if done < batches and self._keeper.due():
            self._check_finite(stage, sums, batches)
            self._save_checkpoint(stage, sums)

    def _end_epoch(
        self, stage: Stage, plan: EpochPlan, sums: RunningSums, images: int, seconds: float
    ) -> None:
        self._monitor.epoch_done(images, seconds)
        position = self._position
        epoch = position.epochs_done + 1
        ends_stage = position.epoch + 1 == stage.config.epochs
        final = ends_stage and stage.index + 1 == len(self._config.stages)
        scalars, vectors = self._measures.of_epoch(
            stage, sums, rate=stage.learning_rate(position.epoch, len(plan) - 1, len(plan))
        )
        scalars["time.epoch_seconds"] = seconds
        scalars["time.images_per_second"] = images / max(seconds, 1e-9)
        if stage.maxnorm:
            stage.maxnorm.forget()
        measured = self._measure(epoch, ends_stage)
        trains_classifier = stage.config.trains == "classifier" and isinstance(self.model.head, LinearHead)
        if trains_classifier and "train" in measured:
            scalars |= self._measures.of_stage_two(stage.config, measured["train"])
        better = self._offer_best(epoch, measured, stage)
        self._reporter.take(
            EpochReport(epoch, stage.index, position.images, scalars, vectors, measured, better, final)
        )
        self._position = replace(position, epoch=position.epoch + 1, batch=0, epochs_done=epoch)
        if self._keeper.due_after_epoch() or ends_stage:
            self._save_checkpoint(stage, self._new_sums())

    def _measure(self, epoch: int, ends_stage: bool) -> dict[str, SplitGeometry]:
        """The splits due after this epoch: train now and then, the others as often as configured."""
        due = list(self._evaluated) if ends_stage or epoch % self._config.evaluation.every == 0 else []
        if ends_stage or epoch % self._config.diagnostics.train_every == 0:
            due.insert(0, "train")
        measured = {}
        for split in due:
            self._monitor.enter("evaluation", epoch)
            measured[split], _ = self._evaluator.measure(split)
        return measured

    # ------------------------------------------------------------------ stages

    def _begin_stage(self, index: int, resumed: Checkpoint | None) -> tuple[Stage, RunningSums]:
        config = self._config.stages[index]
        inside = resumed if self._position.epoch or self._position.batch else None
        self._prepare_head(index, begins=inside is None)
        if inside:
            self.model.load_state_dict(inside.model)
        stage = Stage(index, config, self.model, self._data.train_counts, self._runtime)
        sums = self._new_sums()
        if inside:
            stage.restore(inside.optimizer, inside.maxnorm)
            sums.load(inside.running)
        self._evaluator.freeze(stage.frozen)
        self._keeper.event(
            "stage",
            stage=index,
            name=config.name,
            epochs=config.epochs,
            first_epoch=self._position.epochs_done - self._position.epoch + 1,
        )
        return stage, sums

    def _prepare_head(self, index: int, *, begins: bool) -> None:
        """Make the classifier what this stage trains; one that begins afresh does so where the stage `begins`."""
        config, head = self._config.stages[index], self.model.head
        if config.trains == "classifier_scale":
            assert isinstance(head, LinearHead)  # the configuration refuses others
            head.add_class_scale()
        if config.classifier_init == "fresh" and begins and isinstance(head, LinearHead):
            # The same draw whether or not the run was resumed.
            torch.manual_seed(self._config.seed + 7919 * index)
            head.fresh()
        if isinstance(head, CosineHead):  # no state holds the scale: each stage says which is its own
            head.scale = self._config.cosine_scale_in(config)

    def _batch_source(self, stage: Stage) -> BatchSource:
        if stage.config.features != "cached":
            return self._train_images
        parts = list(self._evaluator.features("train"))
        return CachedFeatures(torch.cat([part.plain for part in parts]), self._train_images.labels)

    def _plan(self, stage: Stage) -> EpochPlan:
        data = self._config.data
        return stage.plan(
            self._data.train_labels,
            self._config.seed,
            self._position.epoch,
            data.crop_padding,
            data.horizontal_flip,
        )

    def _align_etf(self) -> None:
        """etf_init = class_means: turn the ETF to the class means of the initialised net."""
        if self._config.model.etf_init == "class_means" and isinstance(self.model.head, EtfHead):
            geometry, _ = self._evaluator.measure("train")
            self.model.head.align(torch.as_tensor(geometry.class_means))

    # ------------------------------------------------------------------ what must not be lost

    def _check_finite(self, stage: Stage, sums: RunningSums, batches: int) -> None:
        bad = int(sums.first_bad_batch.item())
        if bad < 0:
            return
        self._reporter.catch_up()
        position = self._position
        rate = stage.learning_rate(position.epoch, bad, batches)
        reason = (
            f"the loss is not finite in epoch {position.epochs_done + 1}, batch {bad + 1}, at learning rate {rate:g} "
            f"(stage {stage.config.name}): try a smaller stages.{stage.index}.learning_rate"
        )
        self._keeper.event(
            "alert", kind="non_finite_loss", epoch=position.epochs_done + 1, batch=bad + 1, message=reason
        )
        raise RunFailedError(reason)

    def _save_checkpoint(self, stage: Stage, sums: RunningSums) -> None:
        self._reporter.catch_up()
        self._keeper.save(
            Checkpoint(
                position=self._position,
                model=self.model.state_dict(),
                optimizer=stage.optimizer.state_dict(),
                running=sums.state(),
                maxnorm=stage.maxnorm_state(),
                best_validation=vars(self._best["validation"]),
                best_test=vars(self._best["test"]),
                generators=checkpoints.generator_states(self._runtime.device),
                configuration=checkpoints.deciding(self._config),
            )
        )

    def _restore(self) -> Checkpoint | None:
        """Go back to the checkpoint, if there is one; events after it are taken back, never rewritten."""
        saved = checkpoints.load(self._folder)
        if self._writer.metrics:  # an earlier attempt came as far as measuring
            last = saved.position.epochs_done if saved else 0
            persist(lambda: self._writer.resume(from_epoch=last))
        if saved is None:
            return None
        self._position = saved.position
        if self._position.stage + 1 == len(self._config.stages):  # no other stage is selected from
            for name, kept in (("validation", saved.best_validation), ("test", saved.best_test)):
                self._best[name] = Best(**kept)
        checkpoints.restore_generators(saved.generators, self._runtime.device)
        changes = checkpoints.changes(saved, self._config)
        if "head.class_scale" in saved.model and isinstance(self.model.head, LinearHead):
            self.model.head.add_class_scale()
        checkpoints.load_weights(self.model, saved, changes)
        self._tell_changes([*self._changed, *changes])
        return saved

    def _tell_changes(self, changed: Sequence[str]) -> None:
        """A resume is identical to an uninterrupted run only where nothing that results depend on has changed.

        Told after the `resume` event, which would take back what stands beyond the checkpoint.
        """
        if changed:
            message = "not identical to an uninterrupted run any more: " + "; ".join(changed)
            self._keeper.event("alert", kind="identity", epoch=self._position.epochs_done, message=message)
            complain(message)

    def _offer_best(self, epoch: int, measured: dict[str, SplitGeometry], stage: Stage) -> list[Best]:
        """By which measures this epoch is the best so far; keeps its weights, before the next step moves them."""
        if stage.index + 1 < len(self._config.stages):
            return []
        better = []
        for name in [name for name in self._evaluated if name in measured]:
            best = self._best[name]
            if best.offer(epoch, self._measures.accuracy(measured[name]).all):
                better.append(best)
                if name == "validation" and self._config.evaluation.selection == "best_validation":
                    best.state = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        return better

    # ------------------------------------------------------------------ the end

    def _finish(self) -> Figures:
        self._monitor.enter("ending", self._position.epochs_done)
        selected, epoch = "last", self._position.epochs_done
        if self._config.evaluation.selection == "best_validation" and self._best["validation"].state:
            selected, epoch = "best_validation", self._best["validation"].epoch
            self.model.load_state_dict(self._best["validation"].state)
            best_weights = {"epoch": epoch, "model": self._best["validation"].state}
            persist(
                partial(checkpoints.save_tensors, self._folder / run_format.BEST_CHECKPOINT, best_weights)
            )
        self._evaluator.freeze(False)
        train, _ = self._evaluator.measure("train")
        final = self._measures.of_split("train", train)[0]
        predictions: dict[str, SplitPredictions] = {}
        for split in self._evaluated:
            geometry, logits = self._evaluator.measure(split)
            if not torch.isfinite(logits).all():
                raise RunFailedError(
                    f"the {selected} weights give logits of {split} that are not finite: the last updates diverged; "
                    "try a smaller learning rate"
                )
            final |= self._measures.of_split(split, geometry)[0]
            predictions[split] = SplitPredictions(on_host(logits), self._data.split(split)[1].numpy())
        final |= self._measures.of_model()[0]
        persist(lambda: self._write_predictions(predictions, train, selected, epoch))
        best, oracle = self._best["validation"], self._best["test"]
        return Figures(
            final=self._measures.figures(final),
            best=best.figures,
            best_epoch=best.epoch or None,
            oracle=oracle.figures | {"epoch": float(oracle.epoch)} if oracle.epoch else {},
        )

    def _write_predictions(
        self, predictions: dict[str, SplitPredictions], train: SplitGeometry, selected: str, epoch: int
    ) -> None:
        classifier = classifier_of(self.model.head, self._data.train_counts, train)
        meta = PredictionsMeta(
            weights=selected,
            epoch=epoch,
            tta=self._config.evaluation.tta,
            class_names=self._data.class_names,
        )
        self._writer.predictions(predictions, classifier, meta)

    # ------------------------------------------------------------------ small things

    def _images(self, split: str, crop_padding: int = 0) -> DeviceImages:
        images, labels = self._data.split(split)
        return DeviceImages(
            images,
            labels,
            mean=self._data.mean,
            std=self._data.std,
            device=self._runtime.device,
            channels_last=self._runtime.channels_last,
            crop_padding=crop_padding,
        )

    def _new_sums(self) -> RunningSums:
        return RunningSums(self._data.classes, self._runtime.device)
