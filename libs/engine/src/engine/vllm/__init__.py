"""The reasoner on a GPU: vLLM runs the network and its cache, the contract stays that of `engine.request`.

vLLM's own sampling, seeds and structured outputs are not used. Every token is chosen by us, from the full distribution,
where the logits lie (`sampling`, `chooser`); vLLM is left that token alone. So log-probabilities, allowed mass, seeds
and grammars mean here what they mean in the torch engine.
"""
