"""Photos → a residual network as a SavedModel, with the serving code in its archive.

Its weights are random: what is shown is the way of a model to its endpoint.
"""

import os
import shutil
from pathlib import Path

import keras
from keras import layers

CLASSES = ("cat", "dog", "plane")
SIZE = 32


def residual(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    """Two convolutions, and the input added to what they make of it."""
    shortcut = layers.Conv2D(filters, 1, strides=2)(x)
    x = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2D(filters, 3, padding="same")(x)
    return layers.ReLU()(layers.Add()([x, shortcut]))


def network() -> keras.Model:
    """Build a network like ResNet, much smaller."""
    image = keras.Input((SIZE, SIZE, 3), name="image")
    x = layers.Rescaling(1 / 255)(image)
    for filters in (8, 16, 32):
        x = residual(x, filters)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(len(CLASSES), activation="softmax", name="classes")(x))


def main() -> None:
    """Write the archive as TensorFlow Serving takes it: NAME/VERSION and code/."""
    keras.utils.set_random_seed(1)
    archive = Path(os.environ["SM_MODEL_DIR"])
    network().export(archive / "resnet" / "1")
    shutil.copytree(
        "serving", archive / "code", ignore=shutil.ignore_patterns("*.jpg", "__pycache__")
    )


if __name__ == "__main__":
    main()
