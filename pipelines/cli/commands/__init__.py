"""The commands: each module is named like its command and holds one `COMMAND`."""
