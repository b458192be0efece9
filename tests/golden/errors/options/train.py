"""Takes two options."""

import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--learning-rate", "-l", type=float)
parser.add_argument("--depth", type=int)
given = parser.parse_args()
