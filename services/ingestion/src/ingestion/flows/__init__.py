"""What takes several steps: the order in which a patient's messages become durable, and measuring a folder of them."""
