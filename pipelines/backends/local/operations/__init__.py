"""The operations of the local SageMaker: one module per resource, named and shaped as boto3's.

Each public method of a class here is one operation. It checks its request, reads and writes the
stores of `state/`, and returns the service's response. `LocalSageMaker` finds it by its name.
"""
