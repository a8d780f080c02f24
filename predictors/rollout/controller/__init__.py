"""The controller: every InferenceRollout of a cluster is driven, by one leader."""
