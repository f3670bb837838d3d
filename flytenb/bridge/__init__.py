"""The only door to flytekit: reads its entities into `model`, calls its tasks, repairs what it breaks."""
