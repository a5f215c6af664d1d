"""What verbs write into a cluster, with the user's own rights."""
