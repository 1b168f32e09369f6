"""Pure losses: tensors in, Loss out. This floor imports torch and nothing of ours."""
