package stripefake

import "time"

var anchorFields = []string{"billing_cycle_anchor", "billing_cycle_anchor_config.day_of_month", "billing_cycle_anchor_config.hour",
	"billing_cycle_anchor_config.minute", "billing_cycle_anchor_config.month", "billing_cycle_anchor_config.second"}

// readAnchor returns the fields that say when the first whole period of a subscription begins; nil if it
// begins now. The time until then costs nothing, because the stand-in does not prorate
// (docs.stripe.com/billing/subscriptions/billing-cycle).
func (c *call) readAnchor(every object) (object, error) {
	p := c.p.sub("billing_cycle_anchor_config")
	switch {
	case p == nil && c.p.str("billing_cycle_anchor") == "":
		return nil, nil
	case p != nil && c.p.str("billing_cycle_anchor") != "":
		return nil, invalid("", "billing_cycle_anchor", "You may only specify one of these parameters: billing_cycle_anchor, billing_cycle_anchor_config.")
	case c.p.str("proration_behavior") != "none":
		return nil, noProration("billing_cycle_anchor")
	case p != nil:
		return c.readAnchorDay(p, every)
	}
	at, _, err := c.p.int("billing_cycle_anchor")
	switch {
	case err != nil:
		return nil, err
	case at <= c.now:
		return nil, invalid("", "billing_cycle_anchor", "billing_cycle_anchor must be a timestamp in the future.")
	case at > boundary(c.now, every, 1):
		return nil, invalid("", "billing_cycle_anchor", "billing_cycle_anchor cannot be later than next natural billing date.")
	}
	return object{"billing_cycle_anchor": at}, nil
}

// readAnchorDay returns the anchor for billing_cycle_anchor_config: the next occurrence of its day of the
// month.
func (c *call) readAnchorDay(p params, every object) (object, error) {
	if unit := every.str("interval"); unit != "month" && unit != "year" {
		return nil, invalid("", "billing_cycle_anchor_config", "billing_cycle_anchor_config is only valid with monthly and yearly price intervals.")
	}
	config := object{"day_of_month": nil, "hour": nil, "minute": nil, "month": nil, "second": nil}
	for _, name := range []string{"day_of_month", "hour", "minute", "month", "second"} {
		n, given, err := p.int(name)
		switch {
		case err != nil:
			return nil, err
		case given:
			config[name] = n
		case name == "day_of_month":
			return nil, missing("billing_cycle_anchor_config[day_of_month]")
		}
	}
	now := time.Unix(c.now, 0).UTC()
	for month := now.Month(); ; month++ {
		first := time.Date(now.Year(), month, 1, int(config.num("hour")), int(config.num("minute")), int(config.num("second")), 0, time.UTC)
		at := first.AddDate(0, 0, min(int(config.num("day_of_month")), first.AddDate(0, 1, -1).Day())-1)
		if at.After(now) && (config["month"] == nil || config.num("month") == int64(at.Month())) {
			return object{"billing_cycle_anchor": at.Unix(), "billing_cycle_anchor_config": config}, nil
		}
	}
}

// anchorOf returns the moment from which a subscription's periods are counted. If the requested day of the
// month is missing in the anchor's month (31 in April), the result lies a number of intervals before the
// anchor, in a month that has this day.
func anchorOf(sub, every object) int64 {
	anchor, want := sub.num("billing_cycle_anchor"), sub.obj("billing_cycle_anchor_config").num("day_of_month")
	if want == 0 {
		return anchor
	}
	from := time.Unix(anchor, 0).UTC()
	for n := int64(0); ; n-- {
		at := time.Unix(boundary(anchor, every, n), 0).UTC()
		if end := time.Date(at.Year(), at.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day(); int64(end) >= want || n < -8*12 {
			return time.Date(at.Year(), at.Month(), min(int(want), end), from.Hour(), from.Minute(), from.Second(), 0, time.UTC).Unix()
		}
	}
}
