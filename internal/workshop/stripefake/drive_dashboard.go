package stripefake

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// This file has what people do to subscriptions at Stripe's dashboard. Each calls the function of the API that the
// dashboard calls, without a key.

// PriceChange is the new amount of each charge of a subscription, in minor units.
type PriceChange struct {
	Amount        int64
	Interval      string // day, week, month or year; empty: as it is
	IntervalCount int64
	Prorate       bool // the next invoice also charges the difference for the rest of this period, as is the dashboard's default
}

// ChangePrice gives a subscription one item with another price. Another interval starts a new period, with an invoice at
// once.
func (s *Server) ChangePrice(subscription string, to PriceChange) error {
	return s.asStaff("subscription", subscription, updateSubscription, func(t *transaction, sub object) url.Values {
		form, every := url.Values{"proration_behavior": {"none"}}, intervalOf(sub)
		if to.Interval == "" {
			to.Interval, to.IntervalCount = every.str("interval"), every.num("interval_count")
		}
		for i, item := range itemsOf(sub) {
			at := fmt.Sprintf("items[%d]", i)
			form.Set(at+"[id]", item.str("id"))
			if i > 0 {
				form.Set(at+"[deleted]", "true")
				continue
			}
			at += "[price_data]"
			form.Set(at+"[currency]", sub.str("currency"))
			form.Set(at+"[product]", item.obj("price").str("product"))
			form.Set(at+"[unit_amount]", strconv.FormatInt(to.Amount, 10))
			form.Set(at+"[recurring][interval]", to.Interval)
			form.Set(at+"[recurring][interval_count]", strconv.FormatInt(to.IntervalCount, 10))
		}
		if start, end := sub.num("current_period_start"), sub.num("current_period_end"); to.Prorate {
			t.a.hidden(sub)["proration"] = (to.Amount - sum(itemsOf(sub))) * (end - t.now) / (end - start)
		}
		return form
	})
}

// CancelAtPeriodEnd sets, or removes, that a subscription ends with the current period.
func (s *Server) CancelAtPeriodEnd(subscription string, on bool) error {
	return s.updateAsStaff(subscription, url.Values{"cancel_at_period_end": {strconv.FormatBool(on)}})
}

// PauseAtDashboard pauses a subscription until somebody resumes it, or resumes it. The invoices of the pause are void.
func (s *Server) PauseAtDashboard(subscription string, on bool) error {
	if on {
		return s.updateAsStaff(subscription, url.Values{"pause_collection[behavior]": {"void"}})
	}
	return s.updateAsStaff(subscription, url.Values{"pause_collection": {""}})
}

// Discount lowers the invoices of a subscription by some percent from now on; 0 removes the discount.
func (s *Server) Discount(subscription string, percent int64) error {
	do := func(c *call) (any, error) {
		sub, err := c.must("subscription", "subscription", c.id(), "id")
		if err != nil {
			return nil, err
		}
		before := sub.with(nil)
		if sub["discount"] = nil; percent > 0 {
			coupon := object{"id": c.s.newID("", 8), "object": "coupon", "duration": "forever", "percent_off": percent, "valid": true}
			sub["discount"] = object{"id": c.s.newID("di_", 24), "object": "discount", "subscription": c.id(), "coupon": coupon, "start": c.now, "end": nil}
		}
		c.updated(sub, before)
		return sub, nil
	}
	return s.asStaff("subscription", subscription, do, nil)
}

// RemoveMetadata removes one key of a subscription's metadata.
func (s *Server) RemoveMetadata(subscription, key string) error {
	return s.updateAsStaff(subscription, url.Values{"metadata[" + key + "]": {""}})
}

// MarkInvoicePaid marks an invoice as paid outside Stripe, as for a check.
func (s *Server) MarkInvoicePaid(invoice string) error {
	return s.asStaff("invoice", invoice, payInvoice, func(*transaction, object) url.Values { return url.Values{"paid_out_of_band": {"true"}} })
}

// CancelSubscription ends a subscription at once.
func (s *Server) CancelSubscription(subscription string) error {
	return s.asStaff("subscription", subscription, cancelSubscription, nil)
}

// panelSubscription does to a subscription what in says.
func (s *Server) panelSubscription(in subscriptionRequest) (any, error) {
	switch in.Do {
	case "price":
		if in.Amount <= 0 {
			return nil, errors.New(`"amount" is the new amount of each charge in minor units`)
		}
		return in, s.ChangePrice(in.Subscription, PriceChange{Amount: in.Amount})
	case "end", "keep":
		return in, s.CancelAtPeriodEnd(in.Subscription, in.Do == "end")
	case "pause", "resume":
		return in, s.PauseAtDashboard(in.Subscription, in.Do == "pause")
	case "cancel":
		return in, s.CancelSubscription(in.Subscription)
	}
	return nil, errors.New(`"do" is one of price, end, keep, pause, resume, cancel`)
}

// DeleteCustomer deletes a customer with all subscriptions.
func (s *Server) DeleteCustomer(customer string) error {
	return s.asStaff("customer", customer, deleteCustomer, nil)
}

func (s *Server) updateAsStaff(subscription string, form url.Values) error {
	return s.asStaff("subscription", subscription, updateSubscription, func(*transaction, object) url.Values { return form })
}

// asStaff calls a function of the API for an object, with the form that is made for it (nil: none).
func (s *Server) asStaff(kind, id string, do func(*call) (any, error), form func(*transaction, object) url.Values) error {
	s.mu.Lock()
	defer s.unlock()
	s.runDue(s.now())
	t, o, err := s.findObject(kind, id)
	if err != nil {
		return err
	}
	r := &http.Request{}
	r.SetPathValue("id", id)
	c := &call{transaction: *t, r: r, p: params{}}
	if form != nil {
		c.p = readParams(form(t, o))
	}
	_, err = do(c)
	return err
}
