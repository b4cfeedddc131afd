"""The context pack: what is shown of a record for one question, and which evidence concerns it.

Memory gathers, `composing` composes. Serving, training and evaluation give the same and get the same lines.
"""
