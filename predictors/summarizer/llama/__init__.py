"""llama.cpp: the model file, the decoder, memory, quantization and JSON schemas."""
