package calendar

// HoldParts takes all places of those who read parts of large texts, until release.
func HoldParts(s *Service) (release func()) {
	for range partsAtOnce {
		s.parts <- struct{}{}
	}
	return func() {
		for range partsAtOnce {
			<-s.parts
		}
	}
}
