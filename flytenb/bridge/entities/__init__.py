"""What an object is to flytekit: kind, interface, inputs, source, decorators."""
