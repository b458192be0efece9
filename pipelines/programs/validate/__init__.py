"""The program behind `kind: validation`: Great Expectations suites over tables."""
