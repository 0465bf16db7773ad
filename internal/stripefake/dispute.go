package stripefake

// openDispute arrives with the rest of the disputes' life.
func (t *act) openDispute(ch object, reason string, inquiry bool) object { return nil }
