"""The commands, a module for each group of them; ``rilon.node.cli`` imports one when it is run."""
