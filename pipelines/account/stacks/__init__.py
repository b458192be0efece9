"""CloudFormation stacks of an account: read, changed by change sets that were shown, followed."""
