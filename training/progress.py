"""How far a training is: a bar on a terminal, a line a minute in a log."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytorch_lightning as pl
from tqdm import tqdm

LINE_SECONDS = 60.0


class StepProgress(pl.Callback):
    """Steps of the whole training, loss, images per second."""

    def __init__(self, steps: int, images_per_step: int) -> None:
        self._steps, self._images = steps, images_per_step
        self._bar: tqdm | None = None
        self._since = (0.0, 0)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Open the bar, on the first process only."""
        self._since = (time.monotonic(), trainer.global_step)
        if trainer.is_global_zero and sys.stderr.isatty():
            self._bar = tqdm(total=self._steps, initial=trainer.global_step, unit="step", desc="fit")

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Move the bar, or write a line when it is time."""
        loss = float(trainer.callback_metrics.get("loss", float("nan")))
        if self._bar is not None:
            self._bar.update(trainer.global_step - self._bar.n)
            self._bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
            return
        since, first = self._since
        elapsed, done = time.monotonic() - since, trainer.global_step - first
        if trainer.is_global_zero and elapsed >= LINE_SECONDS:
            left_min = (self._steps - trainer.global_step) * elapsed / max(1, done) / 60
            rate = done * self._images / elapsed
            step = f"step {trainer.global_step}/{self._steps}"
            print(f"{step}, loss {loss:.3f}, {rate:.1f} images/s, {left_min:.0f} min left", flush=True)
            self._since = (time.monotonic(), trainer.global_step)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Close the bar, also after an error."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
