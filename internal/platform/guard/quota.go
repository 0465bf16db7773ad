package guard

import (
	"context"
	"time"
)

// Quota is a limit and what it counts: attempts of one kind by one subject. Kinds of other packages contain a space,
// so that they differ from this package's own.
type Quota struct {
	Kind, Subject string
	Limit         Limit
}

// Allow counts one attempt under every quota and reports whether it is within all of them. An attempt that is not
// allowed is not counted. A caller that refuses the attempt tells the security log (securitylog.Limit).
func (g *Guard) Allow(ctx context.Context, all ...Quota) (bool, error) {
	exceeded, err := g.count(ctx, g.counters(all), nil)
	return err == nil && len(exceeded) == 0, err
}

// AllowFirst counts one attempt under the quotas of the first of several ways that it is within, and reports whether there
// is one. If not, it returns after which time there is, if nobody makes another attempt.
func (g *Guard) AllowFirst(ctx context.Context, ways ...[]Quota) (allowed bool, wait time.Duration, err error) {
	for _, all := range ways {
		if allowed, err = g.Allow(ctx, all...); allowed || err != nil {
			return allowed, 0, err
		}
	}
	wait, err = g.firstFree(ctx, ways)
	return false, wait, err
}

// firstFree returns after which time an attempt is within one of the ways, if nobody makes another; at least a second.
func (g *Guard) firstFree(ctx context.Context, ways [][]Quota) (wait time.Duration, err error) {
	for i, all := range ways {
		free, err := g.Wait(ctx, all...)
		if err != nil {
			return 0, err
		}
		if i == 0 || free < wait {
			wait = free
		}
	}
	return max(wait, time.Second), nil
}
