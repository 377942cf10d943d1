"""Turns Keras models into int8 TFLite files that say what they are and prove what they answer."""
