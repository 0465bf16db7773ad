package guard

import "context"

// Quota is a limit and what it counts: attempts of one kind by one subject. Kinds of other packages contain a space,
// so that they differ from this package's own.
type Quota struct {
	Kind, Subject string
	Limit         Limit
}

// Allow counts one attempt under every quota and reports whether it is within all of them. An attempt that is not
// allowed is not counted. A caller that refuses the attempt tells the security log (securitylog.Limit).
func (g *Guard) Allow(ctx context.Context, all ...Quota) (bool, error) {
	var counters []counter
	for _, l := range all {
		counters = g.appendCounter(counters, l.Kind, l.Subject, l.Limit)
	}
	exceeded, err := g.count(ctx, counters, nil)
	return err == nil && len(exceeded) == 0, err
}
