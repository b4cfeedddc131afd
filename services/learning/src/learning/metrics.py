"""What operators watch of this service beside what every service has."""

from prometheus_client import Counter

COLLECTED = Counter("learning_collected_total", "Episodes and reviews that came", ["what", "outcome"])
DELETED = Counter("learning_deleted_total", "Episodes and reviews that were deleted", ["why"])
ENDED = Counter("learning_trainers_ended_total", "Trainers of this process that ended", ["outcome"])
