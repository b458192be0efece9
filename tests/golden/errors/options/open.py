"""Takes what it knows, and leaves the rest."""

import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--learning-rate", type=float)
given, rest = parser.parse_known_args()
