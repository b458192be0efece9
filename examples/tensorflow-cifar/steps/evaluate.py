"""The exported model on pictures that it has not seen → its accuracy."""

import json
import os
from pathlib import Path

import tensorflow as tf

RECORD = 1 + 3 * 32 * 32


def main() -> None:
    """Ask the SavedModel as TensorFlow Serving does."""
    predict = tf.saved_model.load(Path(os.environ["SM_MODEL_DIR"], "1")).signatures[
        "serving_default"
    ]
    records = Path(os.environ["SM_CHANNEL_TEST"], "test_batch.bin").read_bytes()
    rows = tf.reshape(tf.io.decode_raw(records, tf.uint8), (-1, RECORD))
    pictures = tf.transpose(tf.reshape(rows[:, 1:], (-1, 3, 32, 32)), (0, 2, 3, 1))
    (scores,) = predict(tf.cast(pictures, tf.float32)).values()
    right = tf.argmax(scores, axis=1) == tf.cast(rows[:, 0], tf.int64)
    accuracy = float(tf.reduce_mean(tf.cast(right, tf.float32)))
    print(f"test accuracy={accuracy:.3f}")
    Path(os.environ["SM_OUT_REPORT"], "evaluation.json").write_text(
        json.dumps({"accuracy": accuracy})
    )


if __name__ == "__main__":
    main()
