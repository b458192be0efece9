"""(what was compiled, what is deployed) → what there is to do, and why. Nothing here asks AWS."""
