"""Model files opened as sessions: by onnxruntime, or by what is asked as onnxruntime is."""
