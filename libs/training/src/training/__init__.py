"""From rewarded episodes to an adapter: advantages, objectives, one step of the optimiser, checkpoints."""
