"""What training, conversion and the device have to agree on: labels, chip geometry, the model card."""
