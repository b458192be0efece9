"""The changes that the data parallel library asks of a TensorFlow script."""

import os
from pathlib import Path

import smdistributed.dataparallel.tensorflow as smdp
import tensorflow as tf

smdp.init()
gpus = tf.config.experimental.list_physical_devices("GPU")
if gpus:
    tf.config.experimental.set_visible_devices(gpus[smdp.local_rank()], "GPU")
model = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dense(10)])
loss = tf.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.Adam(0.001 * smdp.size())


@tf.function  # type: ignore[untyped-decorator]
def training_step(images: tf.Tensor, labels: tf.Tensor, first_batch: tf.Tensor) -> tf.Tensor:
    """Average the gradients of all ranks; the first batch makes their variables the same."""
    with tf.GradientTape() as tape:
        loss_value = loss(labels, model(images, training=True))
    tape = smdp.DistributedGradientTape(tape)
    gradients = tape.gradient(loss_value, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))  # noqa: B905 - Python 3.7
    if first_batch:
        smdp.broadcast_variables(model.variables, root_rank=0)
        smdp.broadcast_variables(optimizer.variables(), root_rank=0)
    return smdp.oob_allreduce(loss_value)


if smdp.rank() == 0:
    model.save(Path(os.environ["SM_MODEL_DIR"], "1"))
