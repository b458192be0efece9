"""The operations of the local SageMaker: one module per resource, named and shaped as boto3's.

Each method with `@operation` is one operation. It is called with a request that has been checked
against its shape, refuses what the service refuses by its state, reads and writes the stores of
`state/`, and returns the service's response. `OperationTable` finds it by its name.
"""
