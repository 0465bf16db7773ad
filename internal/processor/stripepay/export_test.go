package stripepay

// LimitCalls limits the calls to a stand-in, which have no limit otherwise.
func (s *Stripe) LimitCalls(perSecond float64) {
	for _, a := range s.accounts {
		a.turns.Limit(perSecond)
	}
}
