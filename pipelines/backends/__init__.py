"""Where a compiled definition is executed: here (`local`) or in an account (`aws`)."""
