"""A convolutional network over CIFAR-10's binary files, the same on every host of TF_CONFIG.

The shape is that of scripts for SageMaker's TensorFlow estimator: argparse, SM_CHANNEL_TRAIN,
SM_MODEL_DIR. MultiWorkerMirroredStrategy adds up the gradients of the hosts; without TF_CONFIG it
computes on this machine alone.
"""

import argparse
import os
import tempfile
from pathlib import Path

import tensorflow as tf

SIZE, CLASSES, RECORD = 32, 10, 1 + 3 * 32 * 32


def parse() -> argparse.Namespace:
    """Hyperparameters arrive as arguments, folders as variables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=64, help="of all hosts together")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--model", default=os.environ.get("SM_MODEL_DIR"))
    return parser.parse_known_args()[0]


def decoded(record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A record of CIFAR-10: the class, then three planes of 32 x 32."""
    values = tf.io.decode_raw(record, tf.uint8)
    picture = tf.transpose(tf.reshape(values[1:], (3, SIZE, SIZE)), (1, 2, 0))
    return tf.cast(picture, tf.float32), tf.cast(values[0], tf.int32)


def dataset(folder: str, batch: int, context: tf.distribute.InputContext) -> tf.data.Dataset:
    """This host's share of the records, a part of each global batch."""
    files = sorted(str(file) for file in Path(folder).glob("data_batch_*.bin"))
    records = tf.data.FixedLengthRecordDataset(files, RECORD)
    own = records.shard(context.num_input_pipelines, context.input_pipeline_id)
    shuffled = own.shuffle(2000, seed=1).map(decoded)
    return shuffled.batch(context.get_per_replica_batch_size(batch), drop_remainder=True)


def network() -> tf.keras.Model:
    """Three convolutions."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input((SIZE, SIZE, 3)),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Conv2D(16, 5, strides=2, padding="same", activation="relu"),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(CLASSES),
        ]
    )


def main() -> None:
    """Train; every host exports, as the strategy wants it, and the first one's is the model."""
    args = parse()
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    hosts = strategy.cluster_resolver.cluster_spec().as_dict().get("worker", ["here"])
    rank = strategy.cluster_resolver.task_id or 0
    print(f"host {rank} of {len(hosts)}, {strategy.num_replicas_in_sync} replicas")

    batches = strategy.distribute_datasets_from_function(
        lambda context: dataset(args.train, args.batch_size, context)
    )
    with strategy.scope():
        tf.keras.utils.set_random_seed(1)
        model = network()
        optimizer = tf.keras.optimizers.Adam(args.learning_rate)
        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")

    def step(pictures: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            scores = model(pictures, training=True)
            losses = loss(labels, scores)
            mean = tf.nn.compute_average_loss(losses, global_batch_size=args.batch_size)
        gradients = tape.gradient(mean, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        right = tf.equal(tf.argmax(scores, axis=1, output_type=tf.int32), labels)
        return mean, tf.reduce_sum(tf.cast(right, tf.float32)) / args.batch_size

    @tf.function
    def training_step(batch: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        mean, right = strategy.run(step, args=batch)
        add = tf.distribute.ReduceOp.SUM
        return strategy.reduce(add, mean, axis=None), strategy.reduce(add, right, axis=None)

    for epoch in range(1, args.epochs + 1):
        results = [training_step(batch) for batch in batches]
        mean, right = (
            sum(map(float, column)) / len(results) for column in zip(*results, strict=True)
        )
        print(f"epoch={epoch} loss={mean:.4f} training accuracy={right:.3f}")

    model.export(Path(args.model if rank == 0 else tempfile.mkdtemp(), "1"))


if __name__ == "__main__":
    main()
