import subprocess
import sys

subprocess.check_call([sys.executable, "-m", "pip", "install", "scikit-learn<1.5"])
